"""Use cases over cases. Each is one unit of work, committed once, and begun again where it lost a race."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from faultmaven_core import codec
from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.cases import commands as c
from faultmaven_core.cases import events as e
from faultmaven_core.cases import journal, model
from faultmaven_core.cases import turn_commands as t
from faultmaven_core.cases.conversation import Conversations
from faultmaven_core.cases.editing import MOST_DESCRIPTION, MOST_TITLE, Editing
from faultmaven_core.cases.journal_writer import JournalWriter
from faultmaven_core.cases.metadata import checked_metadata
from faultmaven_core.cases.model import Case, CaseStatus, ClosureReason, Judgement, Priority
from faultmaven_core.cases.ports import CaseQuery, CaseUnitOfWork, CaseUnits, StoredRecord
from faultmaven_core.cases.removal import Removal, discard, is_gone
from faultmaven_core.cases.views import view
from faultmaven_core.ports.writes import Writes
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import CorruptDataError, InvalidInputError, NotFoundError
from faultmaven_core.shared.events import Event
from faultmaven_core.shared.ids import CaseId, Ids, case_id
from faultmaven_core.shared.page import MOST_PASSED, Place, cursor, limited, passed_over, place
from faultmaven_core.shared.text import checked, choice

MOST_QUESTION = 20_000
MOST_NOTE = 2_000
MOST_SOURCE = 32
MOST_TEAM = 64

EMPTY_FOR = timedelta(minutes=10)
"""How long a case without a turn is shown where empty ones are not wanted."""

_OfCase = c.BeginInvestigation | c.ConfirmCause | c.RejectCause | c.CloseCase


class CaseService:
    """Opens, shows, judges and ends cases of the caller's organization. Other organizations' look like none."""

    def __init__(self, units: CaseUnits, clock: Clock, ids: Ids) -> None:
        self._units, self._clock, self._ids = units, clock, ids
        self._write, self._tell = Writes(units, clock), JournalWriter(clock, ids)
        self._editing, self._removal = Editing(units, clock, ids), Removal(units, clock, ids)
        self._conversations = Conversations(units, clock, ids)

    async def open(self, command: c.OpenCase, caller: Caller) -> c.CaseView:
        """Open a case in inquiry. Raises InvalidInputError where a text cannot be stored."""
        question = checked("question", command.question, most=MOST_QUESTION)
        given = checked("title", command.title, most=MOST_TITLE).strip() or " ".join(question.split())[:MOST_TITLE]
        description = checked("description", command.description, most=MOST_DESCRIPTION)
        priority = choice(Priority, "priority", command.priority)
        source, metadata = checked("source", command.source, most=MOST_SOURCE), checked_metadata(command.metadata)

        async def work(unit: CaseUnitOfWork) -> c.CaseView:
            key, now = self._ids.new(), self._clock.now()
            case = Case(
                key,
                case_id(key),
                caller.organization,
                caller.user,
                given or await _placeholder(unit, now),
                question,
                now,
                now,
                description=description,
                priority=priority,
                source=source,
                metadata=metadata,
            )
            await unit.cases.add(case)
            await self._tell(unit, case.id, e.CaseOpened(case.title, question), caller)
            return view(case)

        return await self._write(command, caller, c.CaseView, work)

    async def list(self, command: c.ListCases, caller: Caller) -> c.CasePage:
        """A page of cases, newest first."""
        status = (choice(CaseStatus, "status", command.status),) if command.status else tuple(CaseStatus)
        judgement = choice(Judgement, "judgement", command.judgement) if command.judgement else None
        words = model.words(checked("text", command.text, most=MOST_QUESTION))
        query = CaseQuery(status, words, judgement=judgement, archived=command.archived)
        async with self._units(caller.organization, may_lag=True) as unit:
            page = await unit.cases.page(query, after=cursor(command.after), limit=limited(command.limit))
        return c.CasePage(tuple(view(case) for case in page.items), page.next.hex if page.next else None)

    async def browse(self, command: c.BrowseCases, caller: Caller) -> c.CaseList:
        """Cases, the last changed first."""
        passed_over(command.offset)
        query = CaseQuery(
            (choice(CaseStatus, "status", command.status),) if command.status else tuple(CaseStatus),
            model.words(checked("text", command.text, most=MOST_QUESTION)),
            source=checked("source", command.source, most=MOST_SOURCE),
            priority=choice(Priority, "priority", command.priority) if command.priority else None,
            opened_from=_zoned("since", command.since),
            opened_before=_zoned("until", command.until),
            no_empty_before=None if command.include_empty else self._clock.now() - EMPTY_FOR,
            team=checked("team", command.team, most=MOST_TEAM),
            archived=command.include_archived,
        )
        async with self._units(caller.organization, read_only=True) as unit:
            found = await unit.cases.browse(
                query, offset=command.offset, limit=limited(command.limit), after=place(command.cursor)
            )
        last = found.items[-1] if found.more and found.items else None
        return c.CaseList(
            tuple(view(case) for case in found.items),
            found.total,
            command.offset,
            command.limit,
            str(Place(last.updated_at, last.key)) if last else None,
        )

    async def show(self, command: c.ShowCase, caller: Caller) -> c.CaseView:
        """One case. Raises NotFoundError."""
        async with self._units(caller.organization, read_only=True) as unit:
            return view(await unit.cases.get(CaseId(command.case_id)))

    async def require(self, case_id: str, caller: Caller) -> None:
        """Raises NotFoundError where there is no such case."""
        await self.show(c.ShowCase(case_id), caller)

    async def require_open(self, case_id: str, caller: Caller) -> None:
        """As `require`; raises PreconditionFailedError where the case has ended."""
        async with self._units(caller.organization, read_only=True) as unit:
            model.require_open(await unit.cases.get(CaseId(case_id)))

    async def is_gone(self, case_id: str, caller: Caller) -> bool:
        """Whether there is no such case, not even a deleted one that may come back."""
        async with self._units(caller.organization, read_only=True) as unit:
            return await is_gone(unit, CaseId(case_id))

    async def begin(self, command: c.BeginInvestigation, caller: Caller) -> c.CaseView:
        """Start or resume the investigation. Raises PreconditionFailedError on an ended case."""
        question = checked("question", command.question, most=MOST_QUESTION)
        return await self._change(
            command,
            caller,
            lambda case, now: model.begin(case, question, now, caller.user),
            lambda case: e.InvestigationBegun(case.question),
        )

    async def store(self, command: c.StoreRecord, caller: Caller) -> c.CaseView:
        """Keep a record as the conclusion of a case under investigation."""
        body = codec.encode(command.record)
        digest = hashlib.sha256(body).hexdigest()

        async def work(unit: CaseUnitOfWork) -> c.CaseView:
            case = await unit.cases.get(CaseId(command.case_id))
            changed = model.conclude(case, command.record, self._clock.now())
            await unit.cases.save(changed)
            await unit.records.add(case.id, changed.records, StoredRecord(body, digest, command.exhibits))
            event = e.RecordStored(changed.records, digest, str(command.record.verdict), changed.cause)
            await self._tell(unit, case.id, event, caller)
            return view(changed, 1)

        return await self._write(command, caller, c.CaseView, work)

    async def report(self, command: c.ReadReport, caller: Caller) -> c.StoredReport:
        """The last record, as a person's judgement leaves it.

        Raises NotFoundError before the first one, CorruptDataError where the bytes are not those that were stored.
        """
        async with self._units(caller.organization, read_only=True) as unit:
            case = await unit.cases.get(CaseId(command.case_id))
            if not case.records:
                raise NotFoundError(f"{case.id} has no record yet; investigate it first.")
            stored = await unit.records.last(case.id)
        if hashlib.sha256(stored.body).hexdigest() != stored.sha256:
            raise CorruptDataError(f"The stored record of {case.id} was changed after it was stored.")
        found = codec.restore(RcaRecord, stored.body)
        return c.StoredReport(model.judged(found, case.judgement, case.actual_cause), stored.exhibits, found)

    async def confirm(self, command: c.ConfirmCause, caller: Caller) -> c.CaseView:
        """Record that a person found the cause right."""
        note = checked("note", command.note, most=MOST_NOTE)
        return await self._change(command, caller, model.confirm, lambda case: e.CauseConfirmed(case.cause, note))

    async def reject(self, command: c.RejectCause, caller: Caller) -> c.CaseView:
        """Record that a person found the cause wrong, and what it really was."""
        actual = checked("cause", command.cause, most=MOST_NOTE)
        note = checked("note", command.note, most=MOST_NOTE)
        return await self._change(
            command,
            caller,
            lambda case, now: model.reject(case, actual, now),
            lambda case: e.CauseRejected(case.cause, actual, note),
        )

    async def close(self, command: c.CloseCase, caller: Caller) -> c.CaseView:
        """End the case."""
        reason = choice(ClosureReason, "reason", command.reason)
        note = checked("note", command.note, most=MOST_NOTE)
        return await self._change(
            command,
            caller,
            lambda case, now: model.close(case, reason, note, now, caller.user),
            lambda _: e.CaseClosed(str(reason), note),
        )

    async def delete(self, command: c.DeleteCase, caller: Caller) -> c.CaseDeleted:
        """Take the case away, or remove it for ever."""
        return await self._removal.delete(command, caller)

    async def restore(self, command: c.RestoreCase, caller: Caller) -> c.CaseView:
        """Bring a deleted case back. Raises NotFoundError where there is none."""
        return await self._removal.restore(command, caller)

    async def purge(self, command: c.PurgeCase, caller: Caller) -> c.CaseDeleted:
        """Remove a case that nobody restored."""
        return await self._removal.purge(command, caller)

    async def prune(self, command: c.PruneCases, caller: Caller) -> c.CasesPruned:
        """Remove ended cases that nothing has changed since a moment."""
        return await self._removal.prune(command, caller)

    async def update(self, command: c.UpdateCase, caller: Caller) -> c.CaseView:
        """Change title, description, priority or metadata."""
        return await self._editing.update(command, caller)

    async def archive(self, command: c.ArchiveCase, caller: Caller) -> c.CaseView:
        """Leave the case out of lists."""
        return await self._editing.archive(command, caller)

    async def unarchive(self, command: c.UnarchiveCase, caller: Caller) -> c.CaseView:
        """Have it in lists again."""
        return await self._editing.unarchive(command, caller)

    async def title(self, command: c.TitleCase, caller: Caller) -> c.CaseTitled:
        """Name a case that has no name of its own."""
        return await self._editing.title(command, caller)

    async def messages(self, command: t.ReadMessages, caller: Caller) -> t.MessagePage:
        """What was said, oldest first."""
        return await self._conversations.read(command, caller)

    async def answered(self, asked: t.Asked, caller: Caller) -> t.TurnKept | None:
        """The turn that was kept under the caller's request key before."""
        return await self._conversations.answered(asked, caller)

    async def keep_turn(self, command: t.KeepTurn, caller: Caller) -> t.TurnKept:
        """Keep a question and its answer."""
        return await self._conversations.keep(command, caller)

    async def notify(self, command: t.AddNotice, caller: Caller) -> t.MessageView:
        """Add a message of the system."""
        return await self._conversations.notify(command, caller)

    async def journal(self, command: c.ReadJournal, caller: Caller) -> c.JournalPage:
        """What happened to a case, with whether the chain of digests holds. Raises InvalidInputError for impossible numbers."""
        limit = limited(command.limit)
        if not 0 <= command.after <= MOST_PASSED:
            raise InvalidInputError("`after` is the number of an entry.", fields={"after": "out of range"})
        async with self._units(caller.organization, read_only=True) as unit:
            case = await unit.cases.get(CaseId(command.case_id))
            # One entry more on both sides: the one before proves the link, the one after that there is a next page.
            start = max(command.after - 1, 0)
            entries = list(await unit.journal.read(case.id, after=start, limit=limit + 2))
        before = entries.pop(0) if entries and entries[0].sequence <= command.after else None
        whole = journal.intact(entries[:limit], before)
        views = tuple(
            c.JournalEntryView(x.sequence, x.at, x.actor, x.kind, x.detail, x.digest) for x in entries[:limit]
        )
        return c.JournalPage(views, views[-1].sequence if len(entries) > limit else None, whole)

    async def note(self, command: c.NoteEvent, caller: Caller) -> c.Noted:
        """Write another context's event into the journal, once.

        Where the case is gone, its evidence goes too: somebody deleted the case while the event was on its way.
        """
        key = UUID(command.key)

        async def work(unit: CaseUnitOfWork) -> c.Noted:
            try:
                case = await unit.cases.get(CaseId(command.case_id))
            except NotFoundError:
                if await is_gone(unit, CaseId(command.case_id)):
                    await discard(unit, command.case_id, caller)
                return c.Noted(case_exists=False)
            if not await unit.journal.has(case.id, key):
                last = await unit.journal.last(case.id)
                now = self._clock.now()
                await unit.journal.add(
                    journal.following(last, case.id, key, now, caller.user, command.kind, command.detail)
                )
            return c.Noted(case_exists=True)

        return await self._write(command, caller, c.Noted, work)

    async def _change(
        self,
        command: _OfCase,
        caller: Caller,
        transition: Callable[[Case, datetime], Case],
        event: Callable[[Case], Event],
    ) -> c.CaseView:
        async def work(unit: CaseUnitOfWork) -> c.CaseView:
            changed = transition(await unit.cases.get(CaseId(command.case_id)), self._clock.now())
            await unit.cases.save(changed)
            await self._tell(unit, changed.id, event(changed), caller)
            return view(changed, 1)

        return await self._write(command, caller, c.CaseView, work)


async def _placeholder(unit: CaseUnitOfWork, now: datetime) -> str:
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return model.placeholder(now, await unit.cases.opened_since(day) + 1)


def _zoned(field: str, moment: datetime | None) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise InvalidInputError(f"`{field}` has no time zone.", fields={field: "no time zone"})
    return moment
