"""What broke, why that is believed, what it was not, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from faultmaven_core.analysis.model import Verdict
from faultmaven_core.analysis.record import EvidenceNeed, HypothesisView, PredictionView, RcaRecord
from faultmaven_core.investigation.answers.known import Known, files
from faultmaven_core.investigation.commands import Guidance
from faultmaven_core.investigation.markdown import UNCONTRADICTED, block, bullets, cited, code, many, numbered, plain

MOST_FINDINGS = 5
MOST_RULED_OUT = 6
MOST_SCOPE = 10
MOST_NEEDS = 3
LONGEST_STEP = 240
"""Characters of a step, which may quote a line of any length."""
QUOTED = (1000, 240, 120, 60)
"""Characters by which the claim is known that a step quotes."""

_HOW_SURE = {
    Verdict.CONFIRMED: "confirmed",
    Verdict.PROBABLE: "probable",
    Verdict.SUSPECTED: "suspected, not proven",
}


def summary(known: Known) -> Iterator[str]:
    """What was found, in order of weight, and what is missing."""
    record = known.record
    if record is None:
        return
    if record.verdict is Verdict.HEALTHY:
        yield from _nothing_abnormal(record)
        return
    cause = record.root_cause
    if cause is None:
        yield "**The evidence does not decide what broke.** I name no cause that it does not bear out."
        yield from _findings(known)
        yield from _rivals(known)
    else:
        sure = f"{_HOW_SURE.get(record.verdict, str(record.verdict))}, {cause.confidence:.0%} confidence"
        leading = known.leading
        yield f"**Root cause ({sure}):** {cited(cause.statement, known.citations(leading.claims if leading else ()), 3)}"
        if cause.chain:
            yield "How it came to the symptom (inferred from what is cited here):\n\n" + numbered(
                _step(known, step) for step in cause.chain
            )
        yield from _findings(known)
        yield from _check("It would be confirmed by", cause.confirm.command, cause.confirm.expect)
    yield from missing(known)


def scope(known: Known) -> Iterator[str]:
    """What the evidence shows to be affected, thing by thing; and what follows from the cause."""
    record = known.record
    if record is None:
        return
    claims: dict[str, list[str]] = {}
    told: dict[str, str] = {}
    for finding in record.findings:
        if finding.severity != "info" and finding.entity.name:
            named = " ".join(filter(None, (finding.entity.kind, finding.entity.namespace, finding.entity.name)))
            claims.setdefault(named, []).extend(finding.claims)
            told.setdefault(named, finding.statement)
    if not told:
        yield "The evidence shows nothing to be affected. What it does not cover, I cannot see."
        return
    yield "What the evidence shows to be affected:"
    yield bullets(
        f"{plain(named)}: {cited(text, known.citations(claims[named]))}"
        for named, text in list(told.items())[:MOST_SCOPE]
    )
    if len(told) > MOST_SCOPE:
        yield f"And {many(len(told) - MOST_SCOPE, 'more thing')}, which the report lists."
    if victims := [one for one in record.hypotheses if one.status == "consequence"]:
        yield "What follows from the cause:"
        yield bullets(cited(one.statement, known.citations(one.claims)) for one in victims[:MOST_FINDINGS])
    yield "Who uses these things, the evidence does not say."


def why(known: Known) -> Iterator[str]:
    """The predictions that the leading explanation makes, and what became of each."""
    record, leading = known.record, known.leading
    if record is None:
        return
    if leading is None or record.root_cause is None:
        yield "I do not hold any cause for proven, so there is nothing to defend. This is what I go by:"
        yield from _findings(known)
        yield from _rivals(known)
        return
    yield f"I hold this for the cause: {cited(leading.statement, known.citations(leading.claims), 3)}"
    yield f"I call it {_HOW_SURE.get(record.verdict, str(record.verdict))}, with {record.root_cause.confidence:.0%} confidence."
    yield from _predictions(known, leading)
    yield from _check("It would be confirmed by", record.root_cause.confirm.command, record.root_cause.confirm.expect)
    yield from _check("It would be refuted by", record.root_cause.refute.command, record.root_cause.refute.expect)


def ruled_out(known: Known) -> Iterator[str]:
    """What it was not, with the reason for each; and what is still possible."""
    record = known.record
    if record is None:
        return
    if record.ruled_out:
        yield "I ruled these out:"
        yield bullets(
            f"{plain(one.statement.rstrip('.'))}: {cited(one.because, known.citations(one.claims))}"
            for one in record.ruled_out[:MOST_RULED_OUT]
        )
        if len(record.ruled_out) > MOST_RULED_OUT:
            yield f"And {len(record.ruled_out) - MOST_RULED_OUT} more, which the report lists."
    else:
        yield "I ruled nothing out: no explanation made a prediction that the evidence fails."
    yield from _rivals(known)


def advice(known: Known, guidance: Guidance | None) -> Iterator[str]:
    """Remedies for a person to carry out, with what the organization's own knowledge says of them."""
    record = known.record
    if record is None:
        return
    if record.root_cause is None:
        yield "There is no cause that the evidence bears out, so I advise no change. First find out what is missing:"
        yield from missing(known)
        return
    leading = known.leading
    yield f"For this cause: {cited(record.root_cause.statement, known.citations(leading.claims if leading else ()))}"
    if record.actions:
        yield "What is usually done, in this order (I change nothing myself):"
        yield numbered(plain(action.text) for action in record.actions)
    else:
        yield "I know no standard remedy for it."
    if guidance is not None:
        yield from _own_knowledge(guidance)
    confirm = record.root_cause.confirm
    yield from _check("Before you change anything, this would confirm the cause:", confirm.command, confirm.expect)


def missing(known: Known) -> Iterator[str]:
    """What would decide, how to get it, and what could not be read."""
    record = known.record
    if record is None:
        return
    unread = [(source.file, problem) for source in record.coverage for problem in source.problems]
    if record.evidence_needs:
        yield "**What is missing:**"
        yield "\n".join(_need(need) for need in record.evidence_needs[:MOST_NEEDS])
    elif record.verdict is not Verdict.HEALTHY:
        yield "I know of no further file that would decide it."
    if unread:
        yield "What could not be read, or not wholly:"
        yield bullets(
            f"{code(file)}: {plain(problem.removeprefix(file + ': '))}" for file, problem in unread[:MOST_FINDINGS]
        )


def _step(known: Known, step: str) -> str:
    """A step of the chain; where it is a quotation, with the place that it is quoted from."""
    _, marked, said = step.partition(": ")
    record = known.record
    if not marked or record is None or not step.startswith(("Symptom: ", "Evidence: ")):
        return plain(step[:LONGEST_STEP])
    told = {claim.text: [claim.id] for claim in record.claims}
    told |= {one.statement: list(one.claims) for one in record.findings}
    # The longest part of the quotation that any of them holds: steps are cut, and counted, after the quotation.
    for length in QUOTED:
        if found := [name for text, names in told.items() if said[:length].rstrip(". ") in text for name in names]:
            return cited(step[:LONGEST_STEP], known.citations(found), 1)
    return cited(step[:LONGEST_STEP], ())


def _need(need: EvidenceNeed) -> str:
    told = f"- {plain(need.what)}" + (f": {plain(need.why)}" if need.why else "")
    told += f" Look at {plain('; '.join(need.places))}." if need.places else ""
    return told + "".join(f"\n  Run {code(command)}" for command in need.commands)


def _nothing_abnormal(record: RcaRecord) -> Iterator[str]:
    looked = [source.file for source in record.coverage]
    yield f"**Nothing abnormal stands in the evidence** ({files(looked)}). If you see a problem, its traces are elsewhere."
    spans = [source for source in record.coverage if source.first]
    if spans:
        yield f"What I read covers {min(s.first for s in spans)} to {max(s.last for s in spans)} (UTC)."


def _findings(known: Known) -> Iterator[str]:
    record = known.record
    claims: dict[str, list[str]] = {}
    for one in record.findings if record else ():
        if one.severity != "info":
            claims.setdefault(one.statement, []).extend(one.claims)
    if claims:
        yield "What stands in the evidence:"
        yield bullets(cited(text, known.citations(names)) for text, names in list(claims.items())[:MOST_FINDINGS])
        if len(claims) > MOST_FINDINGS:
            yield f"And {many(len(claims) - MOST_FINDINGS, 'more finding')}, which the report lists."


def _rivals(known: Known) -> Iterator[str]:
    if known.open:
        yield "Still possible:"
        yield bullets(
            f"{cited(one.statement, known.citations(one.claims))} {_standing(one)}" for one in known.open[:MOST_NEEDS]
        )


def _standing(hypothesis: HypothesisView) -> str:
    count = {
        status: sum(p.status == status for p in hypothesis.predictions) for status in ("met", "failed", "unobserved")
    }
    told = f"Of what it predicts, {count['met']} was seen, {count['failed']} was not so"
    return f"{told}, {count['unobserved']} nobody looked at yet."


def _predictions(known: Known, hypothesis: HypothesisView) -> Iterator[str]:
    def of(status: str) -> list[PredictionView]:
        return [one for one in hypothesis.predictions if one.status == status]

    if met := of("met"):
        yield "It predicts, and the evidence shows:"
        yield bullets(cited(one.text, known.citations(one.claims), silent=UNCONTRADICTED) for one in met)
    if failed := of("failed"):
        yield "It also predicts, and the evidence shows otherwise:"
        yield bullets(cited(one.text, known.citations(one.claims)) for one in failed)
    if open_ := of("unobserved"):
        yield "It also predicts what nobody has looked at yet:"
        yield bullets(plain(one.text) for one in open_[:MOST_FINDINGS])


def _check(lead: str, command: str, expect: str) -> Iterator[str]:
    if not command and not expect:
        return
    told = f"{lead} {plain(expect)}." if not command else f"{lead.rstrip(':')}:\n\n{block([command], 'sh')}"
    yield told + (f"\n\nIt would show {plain(expect)}." if command and expect else "")


def _own_knowledge(guidance: Guidance) -> Iterator[str]:
    passages = [*guidance.runbooks, *(citation for remedy in guidance.remedies for citation in remedy.citations)]
    seen = {(one.document_id, one.start): one for one in passages}
    if seen:
        yield "From your knowledge:"
        yield "\n".join(
            f"- **{plain(one.title)}** ({code(one.document_id)}): {plain(one.because)}."
            + (f" {plain(one.warning)}" if one.warning else "")
            for one in list(seen.values())[:MOST_NEEDS]
        )
    for past in guidance.similar[:1]:
        yield f"A past case had the same ({code(past.case_id)}): {plain(past.cause)} ({plain('; '.join(past.reasons))})."
    yield from (f"> {plain(note)}" for note in guidance.notes)
