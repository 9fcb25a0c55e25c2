"""A turn of a case's conversation, answered by the analysis alone. Nothing is kept here between turns."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from faultmaven_core import codec
from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.analysis.redaction.redact_record import redact_record
from faultmaven_core.analysis.redaction.redactor import Redactor
from faultmaven_core.cases import model
from faultmaven_core.cases.commands import CaseView, ReadReport, ShowCase
from faultmaven_core.cases.dialogue import MessageRole
from faultmaven_core.cases.milestones import milestones
from faultmaven_core.cases.model import CaseStatus, Judgement
from faultmaven_core.cases.titles import title_of
from faultmaven_core.cases.turn_commands import Asked, ReadMessages, TurnKept
from faultmaven_core.evidence.commands import ClassifyEvidence
from faultmaven_core.investigation import keeping, receiving
from faultmaven_core.investigation.answering import Answers, received
from faultmaven_core.investigation.answers.known import Known
from faultmaven_core.investigation.attachments import Attached, AttachmentDesk
from faultmaven_core.investigation.commands import Investigate
from faultmaven_core.investigation.handshakes import STATEMENT_WORDS, Move, move
from faultmaven_core.investigation.ports import CaseBook, EvidenceReader, Watch
from faultmaven_core.investigation.progress import assurance, transparency
from faultmaven_core.investigation.questions import Question, Topic, understood
from faultmaven_core.investigation.screen import Screens
from faultmaven_core.investigation.screen_views import CaseScreen, ReadScreen
from faultmaven_core.investigation.service import InvestigationService, unwatched
from faultmaven_core.investigation.suggesting import suggestions
from faultmaven_core.investigation.turn_commands import (
    Attachment,
    AttachmentView,
    FinishTurn,
    TakeTurn,
    TurnPlace,
    TurnView,
)
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import (
    FaultMavenError,
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
)

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
    """Takes turns. One that is refused leaves neither message nor evidence.

    Where a backend fails, the work is cut off or may succeed later, no message is left either; evidence stays, and the same
    turn, sent again, finds it. It stays too where the case has ended meanwhile, which then changes no more.
    """

    def __init__(self, cases: CaseBook, evidence: EvidenceReader, investigation: InvestigationService) -> None:
        self._cases, self._evidence, self._investigation = cases, evidence, investigation
        self._desk = AttachmentDesk(cases, evidence)
        self._answers, self._screens = Answers(evidence, investigation), Screens(cases, evidence)

    async def take(
        self, command: TakeTurn, caller: Caller, attachments: Sequence[Attachment] = (), progress: Watch = unwatched
    ) -> TurnView:
        """Answer a turn, and keep question and answer. Under a request key that was used, the answer of then.

        Raises InvalidInputError where nothing is said, PreconditionFailedError where an ended case is given evidence or is to
        change, CaseChangedError where another turn came first, RequestKeyReusedError.
        """
        begun = await self.begin(command, caller, attachments)
        return begun if isinstance(begun, TurnView) else keeping.view_of(await self.answer(begun, caller, progress))

    async def begin(
        self, command: TakeTurn, caller: Caller, attachments: Sequence[Attachment] = ()
    ) -> FinishTurn | TurnView:
        """Make evidence of all that comes with a turn: what is left to be done; or the answer, where that was given before.

        Raises as `take` does.
        """
        receiving.check(command, attachments)
        case = await self._cases.show(ShowCase(command.case_id), caller)
        request = receiving.digest(command, attachments)
        kept = await self._cases.answered(Asked(case.case_id, request), caller.step("turn"))
        if kept is not None:
            return keeping.view_of(kept)
        receiving.require_open(case, command, attachments)
        _, pasted = receiving.said(case, command)
        brought = replace(command, pasted_content=pasted + command.pasted_content)
        taken = await self._desk.take(case, brought, attachments, caller)
        return FinishTurn(replace(command, pasted_content=""), request, caller.request_key, taken)

    async def answer(self, begun: FinishTurn, caller: Caller, progress: Watch = unwatched) -> TurnKept:
        """Answer a turn that was begun, and keep both. Raises as `take` does; one that is refused has brought nothing."""
        keyed = replace(caller, request_key=begun.key)
        try:
            return await self._answer(begun, keyed, progress)
        except FaultMavenError as error:
            if receiving.refused(error):
                await self.give_back(begun, caller)
            raise  # tried again, one that was not finds its files

    async def give_back(self, begun: FinishTurn, caller: Caller) -> None:
        """Take off the case what came with a turn that will not be answered."""
        await self._desk.give_back(begun.turn.case_id, begun.brought, replace(caller, request_key=begun.key))

    async def finish(self, command: FinishTurn, caller: Caller, progress: Watch = unwatched) -> TurnPlace:
        """The same for a job, which may come to it again when it is done."""
        keyed = replace(caller, request_key=command.key).step("turn")
        kept = await self._cases.answered(Asked(command.turn.case_id, command.request), keyed)
        if kept is None:
            kept = await self.answer(command, caller, progress)
        return keeping.place_of(kept)

    async def taken(self, place: TurnPlace, caller: Caller) -> TurnView:
        """The answer that stands at a place. Raises NotFoundError."""
        page = await self._cases.messages(ReadMessages(place.case_id, place.message - 1, 1), caller)
        for message in page.messages:
            if message.turn_number == place.turn_number and message.role == MessageRole.ASSISTANT:
                return codec.restored(TurnView, {**message.metadata, "agent_response": message.content})
        raise NotFoundError(f"There is no such answer in {place.case_id}.")

    async def _answer(self, begun: FinishTurn, caller: Caller, progress: Watch) -> TurnKept:
        if begun.cut:
            raise PreconditionFailedError("This turn broke off, and its text was too long to be kept: send it again.")
        command = begun.turn
        case = await self._cases.show(ShowCase(command.case_id), caller)
        said, pasted = receiving.said(case, command)
        taken = await self._desk.brought(case, begun.brought, caller)
        question = understood(said or (command.query if not pasted else ""))
        found = await self._investigated(case, replace(command, query=said), taken, caller, progress)
        decided = move(found.case, found.record, command, question)
        found = await self._opened(found, decided, caller, progress)
        view, known = await self._answered(found, decided, question, caller)
        keep = keeping.kept(Asked(case.case_id, begun.request), found.case, command, known, decided, view)
        return await self._cases.keep_turn(keep, caller.step("turn"))

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
        return begun and await self._left(case, caller)

    async def _left(self, case: CaseView, caller: Caller) -> bool:
        """Whether there is evidence that nobody is at."""
        held = await self._desk.held(case.case_id, caller)
        # Asked last: of two turns at once, the second sees that the first is at it.
        return bool(held) and not self._investigation.under_way(case.case_id, caller)

    async def _opened(self, found: _Found, decided: Move, caller: Caller, progress: Watch) -> _Found:
        """Where a person opened the investigation, read what is there already."""
        opening = decided.decision.status == CaseStatus.INVESTIGATING
        if not opening or found.record is not None or not await self._left(found.case, caller):
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
        try:
            await self._evidence.classify(ClassifyEvidence(case.case_id, named, kind), replace(caller, request_key=""))
        except NotFoundError as error:
            # Not as such: to clients that means that the case is gone.
            raise InvalidInputError(
                f"There is no file {named[:64]} in this case.", fields={"intent_data": "unknown file"}
            ) from error
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
        return keeping.shown(view), known


def _says_nothing(question: Question) -> bool:
    return question.topic in {Topic.GENERAL, Topic.GREETING, Topic.EVIDENCE, Topic.YES, Topic.NO}
