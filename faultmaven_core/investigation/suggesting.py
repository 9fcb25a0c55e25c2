"""What a person may do next, each as one click: agree, run a command, bring evidence, ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from faultmaven_core.cases.dialogue import Gate
from faultmaven_core.cases.model import TERMINAL
from faultmaven_core.investigation.answers.known import Known
from faultmaven_core.investigation.answers.opening import collections
from faultmaven_core.investigation.progress import hypothesis_id, need_id
from faultmaven_core.investigation.questions import Question
from faultmaven_core.investigation.turn_commands import AttachmentView, SuggestedAction

MOST = 8
MOST_NEEDS = 2
LONGEST_LABEL = 75


def suggestions(known: Known, question: Question, attached: Sequence[AttachmentView]) -> tuple[SuggestedAction, ...]:
    """The next steps, what waits for an answer first."""
    if known.case.status in TERMINAL:
        every = [_ask("Summarise this case"), _ask("What did you rule out?")] if known.record else []
    else:
        every = [*_gate(known), *_reclassify(attached), *_evidence(known, question), *_cause(known)]
    return tuple(every[:MOST])


def _gate(known: Known) -> Iterator[SuggestedAction]:
    gate = known.case.dialogue.gate
    if gate is Gate.STATEMENT:
        yield _confirm("Yes, that is the problem", value=True)
        yield _confirm("No, let me say it differently", value=False)
    elif gate is not Gate.NONE:
        yield _go(known, "Yes, resolve the case" if gate is Gate.RESOLVED else "Yes, close the case", str(gate))
        yield _confirm("No, keep it open", value=False)


def _reclassify(attached: Sequence[AttachmentView]) -> Iterator[SuggestedAction]:
    for one in attached:
        if one.data_type in {"unanalyzable", "document", "source_code"} and one.processing_status == "completed":
            intent = {"type": "file_reclassification", "evidence_id": one.evidence_id, "kind": "log"}
            yield _decide(f"Read {one.filename} as a log", intent)


def _evidence(known: Known, question: Question) -> Iterator[SuggestedAction]:
    if known.record is None or not known.evidence:
        problem = f"{known.case.dialogue.statement} {known.case.question} {question.text}"
        for one in collections(problem, question.names):
            yield SuggestedAction("EVIDENCE", _label(one.what), hints=one.commands, evidence_need_id=f"need_{one.id}")
            yield _run(one.commands[0])
        return
    for need in known.record.evidence_needs[:MOST_NEEDS]:
        hints = need.commands or need.places or None
        yield SuggestedAction("EVIDENCE", _label(need.what), body=need.why, hints=hints, evidence_need_id=need_id(need))
        yield from map(_run, need.commands[:1])


def _cause(known: Known) -> Iterator[SuggestedAction]:
    record, leading = known.record, known.leading
    if record is None:
        return
    if record.root_cause is not None and leading is not None:
        if record.root_cause.confirm.command:
            yield _run(record.root_cause.confirm.command, record.root_cause.confirm.expect)
        if not known.case.judgement:
            intent = {"type": "hypothesis_action", "hypothesis_id": hypothesis_id(leading), "action": "validate"}
            yield _decide("This is the cause", intent)
            yield _decide("This is not the cause", {**intent, "action": "refute"})
        yield _ask("What should I do?")
        if known.case.dialogue.gate is Gate.NONE:
            yield _go(known, "It is fixed: resolve the case", "resolved", confirmed=False)
    yield _ask("Why do you think so?")


def _label(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_LABEL else line[: LONGEST_LABEL - 1] + "…"


def _run(command: str, expect: str = "") -> SuggestedAction:
    return SuggestedAction("RUN", _label(command), payload=command, body=expect or None)


def _decide(label: str, intent: dict[str, Any] | None) -> SuggestedAction:
    return SuggestedAction("DECIDE", _label(label), payload=label, intent=intent)


def _ask(text: str) -> SuggestedAction:
    return _decide(text, None)


def _confirm(label: str, *, value: bool) -> SuggestedAction:
    return _decide(label, {"type": "confirmation", "confirmation_value": value})


def _go(known: Known, label: str, to: str, *, confirmed: bool = True) -> SuggestedAction:
    intent = {"type": "status_transition", "from_state": known.case.status, "to_state": to, "user_confirmed": confirmed}
    return _decide(label, intent)
