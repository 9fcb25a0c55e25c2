"""Keeps what is said about cases: a turn whole or not at all, and never one in the place of another."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any

from faultmaven_core import codec
from faultmaven_core.cases import events as e
from faultmaven_core.cases import model
from faultmaven_core.cases import turn_commands as t
from faultmaven_core.cases.dialogue import Message, MessageRole
from faultmaven_core.cases.journal_writer import JournalWriter
from faultmaven_core.cases.model import Case, CaseStatus, ClosureReason, Judgement
from faultmaven_core.cases.ports import CaseChangedError, CaseUnitOfWork, CaseUnits
from faultmaven_core.cases.views import message_view, view
from faultmaven_core.ports.writes import Writes
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.events import Event
from faultmaven_core.shared.ids import CaseId, Ids, UserId, message_id
from faultmaven_core.shared.page import MOST_PASSED
from faultmaven_core.shared.text import checked, choice

MOST_READ = 100
MOST_QUESTION = 200_000
MOST_ANSWER = 400_000
NOBODY = UserId("")


class Conversations:
    """The messages of cases. Those of other organizations look like none."""

    def __init__(self, units: CaseUnits, clock: Clock, ids: Ids) -> None:
        self._units, self._clock, self._ids = units, clock, ids
        self._write, self._tell = Writes(units, clock), JournalWriter(clock, ids)

    async def read(self, command: t.ReadMessages, caller: Caller) -> t.MessagePage:
        """Some messages, oldest first. Raises NotFoundError without the case."""
        if not 0 <= command.offset <= MOST_PASSED or not 1 <= command.limit <= MOST_READ:
            raise InvalidInputError(
                f"Messages are read by an `offset` from 0 and a `limit` of 1 to {MOST_READ}.",
                fields={"limit" if 0 <= command.offset <= MOST_PASSED else "offset": "out of range"},
            )
        async with self._units(caller.organization, read_only=True) as unit:
            case = await unit.cases.get(CaseId(command.case_id))
            found = await unit.messages.read(case.id, after=command.offset, limit=command.limit)
        return t.MessagePage(tuple(map(message_view, found)), case.messages, command.offset)

    async def answered(self, asked: t.Asked, caller: Caller) -> t.TurnKept | None:
        """The turn that was kept under the caller's request key; None before, and without a key."""
        return await self._write.answered(asked, caller, t.TurnKept)

    async def keep(self, command: t.KeepTurn, caller: Caller) -> t.TurnKept:
        """Keep a turn: one message of the user, one answer, and what was decided.

        Raises CaseChangedError where another turn or another state came first; where the turn judges the cause, where
        anything did, for a person's word is on the cause that they saw.
        """
        question = checked("query", command.question, most=MOST_QUESTION, least=1)
        answer = checked("answer", command.answer, most=MOST_ANSWER, least=1)

        async def work(unit: CaseUnitOfWork) -> t.TurnKept:
            now = self._clock.now()
            case = await unit.cases.get(CaseId(command.asked.case_id))
            overtaken = (case.turns + 1, str(case.status)) != (command.turn, command.status)
            if overtaken or (command.decision.judgement and case.version != command.version):
                raise CaseChangedError(case.id, expected=command.version, actual=case.version)
            changed, events = _decided(case, command, now, caller)
            changed = replace(
                changed,
                title=command.title if command.title and model.is_placeholder(case.title) else case.title,
                dialogue=command.dialogue,
                turns=command.turn,
                messages=case.messages + 2,
                updated_at=now,
            )
            await unit.cases.save(changed)
            user = self._message(changed, -1, MessageRole.USER, caller.user, question, command.about, now)
            reply = self._message(changed, 0, MessageRole.ASSISTANT, NOBODY, answer, command.beside, now)
            await unit.messages.add([user, reply])
            digest = hashlib.sha256(codec.canonical((question, answer))).hexdigest()
            for event in (e.TurnTaken(command.turn, digest), *events):
                await self._tell(unit, changed.id, event, caller)
            return t.TurnKept(view(changed, 1), command.reply)

        return await self._write(command.asked, caller, t.TurnKept, work)

    async def notify(self, command: t.AddNotice, caller: Caller) -> t.MessageView:
        """Add a message of the system, outside of turns."""
        text = checked("text", command.text, most=MOST_ANSWER, least=1)

        async def work(unit: CaseUnitOfWork) -> t.MessageView:
            now = self._clock.now()
            case = await unit.cases.get(CaseId(command.case_id))
            changed = replace(case, messages=case.messages + 1, updated_at=now)
            await unit.cases.save(changed)
            message = self._message(changed, 0, MessageRole.SYSTEM, NOBODY, text, {}, now)
            await unit.messages.add([message])
            return message_view(message)

        return await self._write(command, caller, t.MessageView, work)

    def _message(
        self, case: Case, place: int, role: MessageRole, author: UserId, text: str, about: dict[str, Any], at: datetime
    ) -> Message:
        key = self._ids.new()
        number = case.messages + place
        return Message(key, message_id(key), case.id, number, case.turns, role, author, text, at, about)


def _decided(case: Case, command: t.KeepTurn, at: datetime, caller: Caller) -> tuple[Case, list[Event]]:
    """The case after a person's decision, and what of it the journal is told."""
    decision, events = command.decision, list[Event]()
    if decision.judgement == Judgement.CONFIRMED:
        case = model.confirm(case, at)
        events.append(e.CauseConfirmed(case.cause, ""))
    elif decision.judgement == Judgement.REJECTED:
        case = model.reject(case, decision.cause, at)
        events.append(e.CauseRejected(case.cause, decision.cause, ""))
    if decision.status == CaseStatus.INVESTIGATING:
        case = model.begin(case, case.question or command.dialogue.statement, at, caller.user)
        events.append(e.InvestigationBegun(case.question))
    elif decision.status:
        reason = choice(ClosureReason, "reason", decision.reason)
        case = model.close(case, reason, "", at, caller.user)
        events.append(e.CaseClosed(str(reason), ""))
    return case, events
