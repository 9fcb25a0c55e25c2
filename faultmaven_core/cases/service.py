"""Use cases over cases. Each is one unit of work, committed once, and begun again where it lost a race."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from faultmaven_core import codec
from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.cases import commands as c
from faultmaven_core.cases import events as e
from faultmaven_core.cases import journal, model
from faultmaven_core.cases.model import Case, CaseStatus, ClosureReason, Judgement
from faultmaven_core.cases.ports import CaseQuery, CaseUnitOfWork, CaseUnits, StoredRecord
from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.ports.writes import Writes
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import CorruptDataError, InvalidInputError, NotFoundError
from faultmaven_core.shared.events import Event
from faultmaven_core.shared.ids import CaseId, Ids, case_id
from faultmaven_core.shared.page import cursor, limited
from faultmaven_core.shared.text import checked, choice

MOST_QUESTION = 20_000
MOST_TITLE = 200
MOST_NOTE = 2_000

DISCARDS = ("evidence.discard", "knowledge.discard_case")
"""The operation, of the evidence context, that a deleted case leaves behind as a job."""


SWEEP = "evidence.sweep"
"""As above: pruning is also the moment to look for copies that a crash left behind."""


_PRUNED_AT_ONCE = 200

_OfCase = c.BeginInvestigation | c.ConfirmCause | c.RejectCause | c.CloseCase


@dataclass(frozen=True, slots=True)
class _Pruned:
    """What one unit removed, and the key of the case after which the next one goes on."""

    case_ids: tuple[str, ...]
    next: UUID | None


class CaseService:
    """Opens, shows, judges and ends cases of the caller's organization. Other organizations' look like none."""

    def __init__(self, units: CaseUnits, clock: Clock, ids: Ids) -> None:
        self._units, self._clock, self._ids = units, clock, ids
        self._write = Writes(units, clock)

    async def open(self, command: c.OpenCase, caller: Caller) -> c.CaseView:
        """Open a case in inquiry. Raises InvalidInputError where a text cannot be stored."""
        question = checked("question", command.question, most=MOST_QUESTION)
        title = checked("title", command.title, most=MOST_TITLE) or " ".join(question.split())[:MOST_TITLE]

        async def work(unit: CaseUnitOfWork) -> c.CaseView:
            key, now = self._ids.new(), self._clock.now()
            case = Case(key, case_id(key), caller.organization, caller.user, title, question, now, now)
            await unit.cases.add(case)
            await self._note(unit, case.id, e.CaseOpened(title, question), caller)
            return _view(case)

        return await self._write(command, caller, c.CaseView, work)

    async def list(self, command: c.ListCases, caller: Caller) -> c.CasePage:
        """A page of cases, newest first."""
        status = (choice(CaseStatus, "status", command.status),) if command.status else tuple(CaseStatus)
        judgement = choice(Judgement, "judgement", command.judgement) if command.judgement else None
        query = CaseQuery(status, model.words(checked("text", command.text, most=MOST_QUESTION)), judgement=judgement)
        async with self._units(caller.organization, may_lag=True) as unit:
            page = await unit.cases.page(query, after=cursor(command.after), limit=limited(command.limit))
        return c.CasePage(tuple(_view(case) for case in page.items), page.next.hex if page.next else None)

    async def show(self, command: c.ShowCase, caller: Caller) -> c.CaseView:
        """One case. Raises NotFoundError."""
        async with self._units(caller.organization, read_only=True) as unit:
            return _view(await unit.cases.get(CaseId(command.case_id)))

    async def require(self, case_id: str, caller: Caller) -> None:
        """Raises NotFoundError where there is no such case."""
        await self.show(c.ShowCase(case_id), caller)

    async def require_open(self, case_id: str, caller: Caller) -> None:
        """As `require`; raises PreconditionFailedError where the case has ended."""
        async with self._units(caller.organization, read_only=True) as unit:
            model.require_open(await unit.cases.get(CaseId(case_id)))

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
            await self._note(unit, case.id, event, caller)
            return _view(changed, 1)

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
        record = model.judged(codec.restore(RcaRecord, stored.body), case.judgement, case.actual_cause)
        return c.StoredReport(record, stored.exhibits)

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
        """Remove the case now, and the copies of its evidence by a job right after."""

        async def work(unit: CaseUnitOfWork) -> c.CaseDeleted:
            case = await unit.cases.get(CaseId(command.case_id))
            await self._remove(unit, case, caller)
            return c.CaseDeleted(case.id)

        return await self._write(command, caller, c.CaseDeleted, work)

    async def prune(self, command: c.PruneCases, caller: Caller) -> c.CasesPruned:
        """Remove ended cases that nothing has changed since a moment. Raises InvalidInputError on a naive time."""
        if command.older_than.tzinfo is None:
            raise InvalidInputError("`older_than` has no time zone.", fields={"older_than": "no time zone"})
        query = CaseQuery(model.TERMINAL, updated_before=command.older_than)
        gone: list[str] = []
        after: UUID | None = None
        while True:
            if command.dry_run:
                async with self._units(caller.organization, read_only=True) as unit:
                    page = await unit.cases.page(query, after=after, limit=_PRUNED_AT_ONCE)
                step = _Pruned(tuple(case.id for case in page.items), page.next)
            else:
                step = await self._prune(command, caller.step(after.hex if after else "first"), query, after)
            gone += step.case_ids
            if step.next is None:
                return c.CasesPruned(tuple(gone))
            after = step.next

    async def _prune(self, command: c.PruneCases, caller: Caller, query: CaseQuery, after: UUID | None) -> _Pruned:
        async def work(unit: CaseUnitOfWork) -> _Pruned:
            page = await unit.cases.page(query, after=after, limit=_PRUNED_AT_ONCE)
            for case in page.items:
                await self._remove(unit, case, caller)
            await unit.outbox.add(JobRequest(SWEEP, b"{}", caller, dedupe_key=SWEEP))
            return _Pruned(tuple(case.id for case in page.items), page.next)

        return await self._write(command, caller, _Pruned, work)

    async def journal(self, command: c.ReadJournal, caller: Caller) -> c.JournalPage:
        """What happened to a case, with whether the chain of digests holds."""
        limit = limited(command.limit)
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
                await _discard(unit, command.case_id, caller)
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
            await self._note(unit, changed.id, event(changed), caller)
            return _view(changed, 1)

        return await self._write(command, caller, c.CaseView, work)

    async def _remove(self, unit: CaseUnitOfWork, case: Case, caller: Caller) -> None:
        await unit.cases.remove(case.id, case.version)
        await _discard(unit, case.id, caller)

    async def _note(self, unit: CaseUnitOfWork, name: CaseId, event: Event, caller: Caller) -> None:
        last = await unit.journal.last(name)
        now = self._clock.now()
        entry = journal.following(last, name, self._ids.new(), now, caller.user, event.kind, event.detail())
        await unit.journal.add(entry)


async def _discard(unit: CaseUnitOfWork, name: str, caller: Caller) -> None:
    for operation in DISCARDS:
        payload = codec.encode({"case_id": name})
        await unit.outbox.add(JobRequest(operation, payload, caller, dedupe_key=f"{operation} {name}"))


def _view(case: Case, grown: int = 0) -> c.CaseView:
    return c.CaseView(
        case.id,
        case.title,
        case.question,
        str(case.status),
        case.verdict,
        case.cause,
        str(case.judgement),
        case.actual_cause,
        case.closure_reason,
        case.owner,
        case.created_at,
        case.updated_at,
        case.closed_at,
        case.version + grown,
        tuple(c.TransitionView(str(t.from_status), str(t.to_status), t.at, t.by, t.reason) for t in case.history),
        case.mechanism,
    )
