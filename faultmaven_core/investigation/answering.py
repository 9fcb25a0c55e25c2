"""Answers a question from what is known: the record first, then the lines of the evidence, else that it is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from types import MappingProxyType

from faultmaven_core.analysis.redaction.redact_record import redact_record
from faultmaven_core.analysis.redaction.redactor import Redactor
from faultmaven_core.cases.model import CaseStatus
from faultmaven_core.evidence.commands import SearchEvidence, SearchHit
from faultmaven_core.evidence.commands import SearchResult as LinesFound
from faultmaven_core.investigation.answers import cause, moments, searches, subjects
from faultmaven_core.investigation.answers.known import Known
from faultmaven_core.investigation.answers.opening import asking
from faultmaven_core.investigation.commands import Guidance, ReadGuidance
from faultmaven_core.investigation.markdown import bullets, code, many, plain
from faultmaven_core.investigation.ports import EvidenceReader
from faultmaven_core.investigation.questions import Question, Topic
from faultmaven_core.investigation.service import InvestigationService
from faultmaven_core.investigation.turn_commands import AttachmentView
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import FaultMavenError
from faultmaven_core.shared.page import MOST

_CANNOT = (
    "I cannot answer that from this case's evidence. Ask me what happened at a time, for errors of a service, why I think "
    "so, what I ruled out, whether it is a certain thing, or what to do."
)

_JUDGES_NOTHING = (
    "Whether to make that change I cannot judge: I know the evidence, and not what the change would do to your place."
)

_NEEDS_RECORD = frozenset(Topic) - {Topic.GREETING, Topic.EVIDENCE}


class Answers:
    """Makes paragraphs of Markdown; every sentence of fact has its place in the evidence beside it."""

    def __init__(self, evidence: EvidenceReader, investigation: InvestigationService) -> None:
        self._evidence, self._investigation = evidence, investigation

    async def answer(self, known: Known, question: Question, redactor: Redactor, caller: Caller) -> list[str]:
        """The answer's paragraphs; never none."""
        if known.record is None and question.topic in _NEEDS_RECORD:
            return list(self._without_record(known, question))
        found = list(await self._parts(known, question, redactor, caller))
        return found or [_CANNOT, *cause.missing(known)]

    async def _parts(self, known: Known, question: Question, redactor: Redactor, caller: Caller) -> Iterable[str]:
        if question.topic in _PLAIN:
            return _PLAIN[question.topic](known)
        if question.topic is Topic.MOMENT:
            found = await self._search(known, moments.pattern(question.times), redactor, caller, regex=True)
            return moments.at_moment(known, question.times, found, question.names)
        if question.topic is Topic.LINES:
            return searches.found(known, question, await self._lines(known, question, redactor, caller))
        if question.topic is Topic.ADVICE:
            advice = cause.advice(known, await self._guidance(known, redactor, caller))
            return chain([_JUDGES_NOTHING] if question.proposes else [], advice)
        if question.names and question.topic in {Topic.SUBJECT, Topic.GENERAL}:
            return await self._named(known, question, redactor, caller)
        return [_CANNOT]

    def _without_record(self, known: Known, question: Question) -> Iterable[str]:
        problem = f"{known.case.dialogue.statement} {known.case.question} {question.text}"
        if known.evidence and known.case.status == CaseStatus.INVESTIGATING:
            return ("The evidence is being read now: ask again when that is done.",)
        if known.evidence:
            return ("There is evidence, and it was not read yet. Open the investigation, and I read it.",)
        return asking(problem, question.names)

    async def _named(self, known: Known, question: Question, redactor: Redactor, caller: Caller) -> Iterable[str]:
        """What the record says of what is named; where it says nothing, the lines that name it."""
        told = list(subjects.subject(known, question.names))
        if question.topic is Topic.SUBJECT and subjects.spoken_of(known, question.names):
            return told
        found = await self._search(known, " ".join(question.names[:2]), redactor, caller)
        if found.hits:
            if question.topic is Topic.GENERAL:
                return searches.found(known, question, found)
            lead = "No finding is about it, but lines name it, so I can neither confirm nor exclude it."
            return chain([lead], searches.found(known, question, found), subjects.instead(known))
        return told if question.topic is Topic.SUBJECT else [_CANNOT, *subjects.instead(known)]

    async def _lines(self, known: Known, question: Question, redactor: Redactor, caller: Caller) -> LinesFound:
        """Lines that name it; and, of files that are named after it, the bad lines that need not name it again."""
        text, regex = searches.wanted(question)
        found = await self._search(known, text, redactor, caller, regex=regex)
        sources = known.record.coverage if known.record else ()
        if not question.severe or not question.names or not any(searches.named_file(question, s.file) for s in sources):
            return found
        every = await self._search(known, searches.BAD, redactor, caller, regex=True)
        own = [hit for hit in every.hits if searches.named_file(question, hit.name)]
        hits = {(hit.evidence_id, hit.name, hit.line): hit for hit in (*found.hits, *own)}
        return LinesFound(tuple(hits.values()), found.truncated or every.truncated, found.problems)

    async def _search(
        self, known: Known, text: str, redactor: Redactor, caller: Caller, *, regex: bool = False
    ) -> LinesFound:
        if not text.strip():
            return LinesFound((), truncated=False, problems=())
        command = SearchEvidence(known.case.case_id, text[:1000], regex=regex, limit=MOST)
        try:
            found = await self._evidence.search(command, caller)
        except FaultMavenError as error:
            return LinesFound((), truncated=False, problems=(str(error),))
        return replace(found, hits=tuple(_masked(found.hits, redactor)))

    async def _guidance(self, known: Known, redactor: Redactor, caller: Caller) -> Guidance:
        command = ReadGuidance(known.case.case_id)
        return redact_record(await self._investigation.guidance(command, caller), redactor)


def received(attached: Sequence[AttachmentView]) -> list[str]:
    """What became of what came with the turn."""
    if not attached:
        return []
    return [bullets(_received(one) for one in attached)]


def _received(one: AttachmentView) -> str:
    if one.processing_status == "failed":
        return f"{code(one.filename)} could not be used: {plain(one.problem)}"
    if one.duplicate_of:
        return f"{code(one.filename)} is the same as what this case has already (turn {one.duplicate_turn or 0})."
    return f"{code(one.filename)} was read as {plain(one.data_type.replace('_', ' '))} ({one.file_size} bytes)."


def _masked(hits: Sequence[SearchHit], redactor: Redactor) -> Iterable[SearchHit]:
    redactor.learn("\n".join(hit.text for hit in hits))
    return (replace(hit, text=redactor.mask(hit.text)) for hit in hits)


def _held(known: Known) -> Iterable[str]:
    if not known.evidence:
        return ["This case has no evidence yet."]
    read = {source.file: source for source in known.record.coverage} if known.record else {}
    told = []
    for item in known.evidence[:20]:
        source = read.get(item.name)
        lines = f", {source.kind.replace('_', ' ')}, {source.lines} lines" if source else ""
        span = f", {source.first} to {source.last}" if source and source.first else ""
        told.append(f"{code(item.name)} ({item.size} bytes{lines}{span})")
    return [f"This case has {many(len(known.evidence), 'piece')} of evidence:", bullets(told)]


def _greeting(known: Known) -> Iterable[str]:
    yield "I find root causes from evidence: logs, metrics, events, configuration. I name nothing that it does not bear out."
    if known.record is not None:
        yield from cause.summary(known)
    else:
        yield "Describe the problem, and attach what you have."


_PLAIN: Mapping[Topic, Callable[[Known], Iterable[str]]] = MappingProxyType(
    {
        Topic.TIMELINE: moments.timeline,
        Topic.WHY: cause.why,
        Topic.RULED_OUT: cause.ruled_out,
        Topic.MISSING: cause.missing,
        Topic.SUMMARY: cause.summary,
        Topic.SCOPE: cause.scope,
        Topic.EVIDENCE: _held,
        Topic.GREETING: _greeting,
    }
)
"""Topics that the record alone answers."""
