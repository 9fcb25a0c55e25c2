"""A turn of a case's conversation, answered by the analysis alone. Nothing is kept here between turns."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from faultmaven_core import codec
from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.analysis.redaction.redact_record import redact_record
from faultmaven_core.analysis.redaction.redactor import Redactor
from faultmaven_core.cases import model
from faultmaven_core.cases.commands import CaseView, ReadReport, ShowCase
from faultmaven_core.cases.model import CaseStatus, Judgement
from faultmaven_core.cases.titles import title_of
from faultmaven_core.cases.turn_commands import Asked, KeepTurn
from faultmaven_core.evidence.commands import ClassifyEvidence
from faultmaven_core.investigation.answering import Answers, received
from faultmaven_core.investigation.answers.known import Known
from faultmaven_core.investigation.attachments import Attached, AttachmentDesk
from faultmaven_core.investigation.commands import Investigate
from faultmaven_core.investigation.handshakes import STATEMENT_WORDS, Move, move
from faultmaven_core.investigation.markdown import code
from faultmaven_core.investigation.ports import CaseBook, EvidenceReader, Watch
from faultmaven_core.investigation.progress import assurance, milestones, transparency
from faultmaven_core.investigation.questions import Question, Topic, understood
from faultmaven_core.investigation.screen import Screens
from faultmaven_core.investigation.screen_views import CaseScreen, ReadScreen
from faultmaven_core.investigation.service import InvestigationService, unwatched
from faultmaven_core.investigation.suggesting import suggestions
from faultmaven_core.investigation.triage import split
from faultmaven_core.investigation.turn_commands import Attachment, AttachmentView, TakeTurn, TurnView
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError, PreconditionFailedError
from faultmaven_core.shared.text import checked, storable

MOST_QUERY = 200_000
MOST_PASTED = 10 << 20
MOST_URL = 1_000
MOST_QUESTION = 20_000
MOST_ANSWER = 100_000


@dataclass(frozen=True, slots=True)
class _Found:
    """The case and its record as this turn leaves them, before what was decided is kept."""

    case: CaseView
    record: RcaRecord | None
    before: tuple[str, ...]
    attached: tuple[AttachmentView, ...]


class TurnService:
    """Takes turns. One that fails leaves no message; evidence that came with it stays, and is known again next time."""

    def __init__(self, cases: CaseBook, evidence: EvidenceReader, investigation: InvestigationService) -> None:
        self._cases, self._evidence, self._investigation = cases, evidence, investigation
        self._desk = AttachmentDesk(evidence)
        self._answers, self._screens = Answers(evidence, investigation), Screens(cases, evidence)

    async def take(
        self, command: TakeTurn, caller: Caller, attachments: Sequence[Attachment] = (), progress: Watch = unwatched
    ) -> TurnView:
        """Answer a turn, and keep question and answer. Under a request key that was used, the answer of then.

        Raises InvalidInputError where nothing is said, PreconditionFailedError where an ended case is given evidence or is to
        change, CaseChangedError where another turn came first, RequestKeyReusedError.
        """
        _check(command, attachments)
        case = await self._cases.show(ShowCase(command.case_id), caller)
        asked = Asked(case.case_id, _digest(command, attachments))
        kept = await self._cases.answered(asked, caller.step("turn"))
        if kept is not None:
            return codec.restored(TurnView, kept.reply)
        _require_open(case, command, attachments)
        said, pasted = ("", "") if case.status in model.TERMINAL else split(command.query)
        brought = replace(command, pasted_content=pasted + command.pasted_content)
        taken = await self._desk.take(case, brought, attachments, caller)
        question = understood(said or (command.query if not pasted else ""))
        found = await self._investigated(case, replace(command, query=said), taken, caller, progress)
        decided = move(found.case, found.record, command, question)
        found = await self._opened(found, decided, caller, progress)
        view, known = await self._answered(found, decided, question, caller)
        keep = _keep(asked, found.case, command, known, decided, view)
        return codec.restored(TurnView, (await self._cases.keep_turn(keep, caller.step("turn"))).reply)

    async def screen(self, command: ReadScreen, caller: Caller) -> CaseScreen:
        """What is shown of a case beside its conversation. Raises NotFoundError."""
        return await self._screens.read(command, caller)

    async def _investigated(
        self, case: CaseView, command: TakeTurn, taken: Sequence[Attached], caller: Caller, progress: Watch
    ) -> _Found:
        """Read what is new; without anything new the last record stands."""
        record = await self._record(case, caller)
        reached = milestones(record)
        again = await self._reclassified(case, command, caller)
        if again or await self._desk.unread(taken, caller) or await self._broke_off(case, caller):
            case, record = await self._run(case, command.query, caller, progress)
        return _Found(case, record, reached, await self._desk.described(case, taken, caller))

    async def _broke_off(self, case: CaseView, caller: Caller) -> bool:
        """Whether an investigation was begun and came to no record, although there is evidence."""
        begun = case.status == CaseStatus.INVESTIGATING and not case.records
        return begun and bool(await self._desk.held(case.case_id, caller))

    async def _opened(self, found: _Found, decided: Move, caller: Caller, progress: Watch) -> _Found:
        """Where a person opened the investigation, read what is there already."""
        opening = decided.decision.status == CaseStatus.INVESTIGATING
        if not opening or found.record is not None or not await self._desk.held(found.case.case_id, caller):
            return found
        case, record = await self._run(found.case, decided.dialogue.statement, caller, progress)
        return replace(found, case=case, record=record)

    async def _run(
        self, case: CaseView, text: str, caller: Caller, progress: Watch
    ) -> tuple[CaseView, RcaRecord | None]:
        question = "" if case.question else (case.dialogue.statement or text)[:MOST_QUESTION]
        # Under no request key: run again after a failure, it may find more evidence and conclude otherwise.
        done = await self._investigation.investigate(
            Investigate(case.case_id, question), replace(caller, request_key=""), progress
        )
        return done.case, done.record

    async def _record(self, case: CaseView, caller: Caller) -> RcaRecord | None:
        if not case.records:
            return None
        try:
            return await self._investigation.report(ReadReport(case.case_id), caller)
        except NotFoundError:
            return None

    async def _reclassified(self, case: CaseView, command: TakeTurn, caller: Caller) -> bool:
        data = command.intent_data
        named, kind = data.get("evidence_id") or data.get("file_id"), data.get("kind") or data.get("data_type")
        if command.intent_type != "file_reclassification" or not isinstance(named, str) or not isinstance(kind, str):
            return False
        if case.status in model.TERMINAL:
            return False
        await self._evidence.classify(ClassifyEvidence(case.case_id, named, kind), replace(caller, request_key=""))
        return True

    async def _judged(self, found: _Found, decided: Move, caller: Caller) -> RcaRecord | None:
        """The record as this turn's judgement leaves it, which takes the place of an earlier one."""
        word = decided.decision.judgement
        if found.record is None or not word:
            return found.record
        stored = await self._cases.report(ReadReport(found.case.case_id), caller)
        actual = decided.decision.cause or found.case.cause * (word == Judgement.CONFIRMED)
        return model.judged(stored.found, Judgement(word), actual)

    async def _answered(
        self, found: _Found, decided: Move, question: Question, caller: Caller
    ) -> tuple[TurnView, Known]:
        redactor = Redactor()
        record = await self._judged(found, decided, caller)
        if record is not None:
            record = await asyncio.to_thread(redact_record, record, redactor)
        case = replace(
            found.case,
            status=decided.decision.status or found.case.status,
            dialogue=decided.dialogue,
            current_turn=found.case.current_turn + 1,
            judgement=decided.decision.judgement or found.case.judgement,
        )
        known = Known(case, record, await self._desk.held(case.case_id, caller))
        # After the record, which tells the secrets that its statements hold.
        parts = [redactor.mask(part) for part in (*decided.said, *received(found.attached))]
        if not decided.settled:
            # Whoever only hands something over wants to know what is in it.
            told = replace(question, topic=Topic.SUMMARY) if found.attached and _says_nothing(question) else question
            parts += await self._answers.answer(known, told, redactor, caller)
        new = tuple(name for name in milestones(record) if name not in found.before)
        moved = bool(new or decided.decision.status or decided.decision.judgement)
        moved = moved or any(one.processing_status == "completed" and not one.duplicate_of for one in found.attached)
        stated = decided.dialogue.statement or (title_of(case.question, STATEMENT_WORDS) if record else "")
        dialogue = replace(decided.dialogue, statement=stated, idle=0 if moved else found.case.dialogue.idle + 1)
        known = replace(known, case=replace(case, dialogue=dialogue))
        view = TurnView(
            "\n\n".join(parts)[:MOST_ANSWER],
            case.current_turn,
            case.status,
            found.attached,
            suggestions(known, question, found.attached),
            new,
            moved,
            transparency(known.case, record),
            assurance(record),
            None if record is None else False,
        )
        # Evidence may hold what no database can: characters of which nothing can be shown either.
        return codec.restored(TurnView, _storable(codec.to_builtins(view))), known


def _keep(asked: Asked, seen: CaseView, command: TakeTurn, known: Known, decided: Move, view: TurnView) -> KeepTurn:
    about = {
        "attachments": [one.file_id for one in view.attachments_processed],
        "intent_type": command.intent_type,
        "source_url": command.source_url,
    }
    subject = known.record.root_cause.statement if known.record and known.record.root_cause else ""
    decision = decided.decision
    return KeepTurn(
        asked,
        view.turn_number,
        seen.status,
        seen.version,
        command.query.strip() or _implied(view.attachments_processed),
        view.agent_response,
        {key: value for key, value in about.items() if value},
        codec.to_builtins(view),
        {name: value for name, value in codec.to_builtins(view).items() if name != "agent_response"},
        known.case.dialogue,
        # Reading the evidence opened the investigation already.
        replace(decision, status="") if decision.status == seen.status else decision,
        _title(known.case.dialogue.statement) or storable(title_of(subject)),
    )


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {key: _storable(below) for key, below in value.items()}
    return [_storable(below) for below in value] if isinstance(value, list | tuple) else value


def _title(statement: str) -> str:
    """A title made of a statement, if it says what it is about: `What is wrong?` does not."""
    return title_of(statement) if understood(statement).names else ""


def _check(command: TakeTurn, attachments: Sequence[Attachment]) -> None:
    checked("query", command.query, most=MOST_QUERY)
    checked("pasted_content", command.pasted_content.replace("\0", ""), most=MOST_PASTED)
    checked("source_url", command.source_url, most=MOST_URL)
    checked("intent_type", command.intent_type, most=64)
    given = (command.query.strip(), command.pasted_content.strip(), attachments, command.intent_type)
    if not any(given):
        raise InvalidInputError("Say something, or attach a file.", fields={"query": "empty"})


def _require_open(case: CaseView, command: TakeTurn, attachments: Sequence[Attachment]) -> None:
    """An ended case answers questions, and nothing more."""
    brings = attachments or command.pasted_content.strip()
    if case.status in model.TERMINAL and (brings or command.intent_type == "status_transition"):
        raise PreconditionFailedError(f"{case.case_id} is {case.status}: ask about it, or open a new case for more.")


def _digest(command: TakeTurn, attachments: Sequence[Attachment]) -> str:
    return hashlib.sha256(codec.canonical((command, [one.name for one in attachments]))).hexdigest()


def _says_nothing(question: Question) -> bool:
    return question.topic in {Topic.GENERAL, Topic.GREETING, Topic.EVIDENCE, Topic.YES, Topic.NO}


def _implied(attached: Sequence[AttachmentView]) -> str:
    """What a turn without words says."""
    names = ", ".join(code(one.filename) for one in attached)
    return f"I attached {names}." if names else "(a click)"
