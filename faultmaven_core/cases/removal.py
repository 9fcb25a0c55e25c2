"""Takes cases away: so that they can be brought back, or for ever with everything that belongs to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from faultmaven_core import codec
from faultmaven_core.cases import commands as c
from faultmaven_core.cases import events as e
from faultmaven_core.cases import model
from faultmaven_core.cases.journal_writer import JournalWriter
from faultmaven_core.cases.model import Case
from faultmaven_core.cases.ports import CaseQuery, CaseUnitOfWork, CaseUnits
from faultmaven_core.cases.views import view
from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.ports.writes import Writes
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError
from faultmaven_core.shared.ids import CaseId, Ids

DISCARDS = ("evidence.discard", "knowledge.discard_case")
"""Operations, of other contexts, that a removed case leaves behind as jobs."""

SWEEP = "evidence.sweep"
"""As above: pruning is also the moment to look for copies that a crash left behind."""

PURGE = "case.purge"
"""The operation that removes a deleted case once nobody restored it."""

KEEP_DELETED = timedelta(days=30)

_PRUNED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class _Pruned:
    """What one unit removed, and the key of the case after which the next one goes on."""

    case_ids: tuple[str, ...]
    next: UUID | None


class Removal:
    """Deletes, restores, purges and prunes."""

    def __init__(self, units: CaseUnits, clock: Clock, ids: Ids) -> None:
        self._units, self._clock = units, clock
        self._write, self._tell = Writes(units, clock), JournalWriter(clock, ids)

    async def delete(self, command: c.DeleteCase, caller: Caller) -> c.CaseDeleted:
        """Take a case away, or remove it now; copies of its evidence then go by a job right after."""

        async def work(unit: CaseUnitOfWork) -> c.CaseDeleted:
            if command.forever:
                case = await _get(unit, CaseId(command.case_id))
                await _remove(unit, case, caller)
                return c.CaseDeleted(case.id)
            case = await unit.cases.get(CaseId(command.case_id))
            now = self._clock.now()
            await unit.cases.save(replace(case, deleted_at=now))
            await self._tell(unit, case.id, e.CaseTakenAway(), caller)
            payload = codec.encode(c.PurgeCase(case.id, now))
            await unit.outbox.add(JobRequest(PURGE, payload, caller, run_at=now + KEEP_DELETED))
            return c.CaseDeleted(case.id)

        return await self._write(command, caller, c.CaseDeleted, work)

    async def restore(self, command: c.RestoreCase, caller: Caller) -> c.CaseView:
        """Bring a deleted case back. Raises NotFoundError where there is none."""

        async def work(unit: CaseUnitOfWork) -> c.CaseView:
            case = replace(await unit.cases.get(CaseId(command.case_id), deleted=True), deleted_at=None)
            await unit.cases.save(case)
            await self._tell(unit, case.id, e.CaseRestored(), caller)
            return view(case, 1)

        return await self._write(command, caller, c.CaseView, work)

    async def purge(self, command: c.PurgeCase, caller: Caller) -> c.CaseDeleted:
        """Remove a case that is still deleted since that moment; any other stays."""

        async def work(unit: CaseUnitOfWork) -> c.CaseDeleted:
            try:
                case = await unit.cases.get(CaseId(command.case_id), deleted=True)
            except NotFoundError:
                return c.CaseDeleted(command.case_id)
            if case.deleted_at == command.deleted_at:
                await _remove(unit, case, caller)
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
                await _remove(unit, case, caller)
            await unit.outbox.add(JobRequest(SWEEP, b"{}", caller, dedupe_key=SWEEP))
            return _Pruned(tuple(case.id for case in page.items), page.next)

        return await self._write(command, caller, _Pruned, work)


async def discard(unit: CaseUnitOfWork, name: str, caller: Caller) -> None:
    """Ask for what belongs to a case that is gone to be removed."""
    for operation in DISCARDS:
        payload = codec.encode({"case_id": name})
        await unit.outbox.add(JobRequest(operation, payload, caller, dedupe_key=f"{operation} {name}"))


async def is_gone(unit: CaseUnitOfWork, name: CaseId) -> bool:
    """Whether a case is not there, not even as a deleted one that may come back."""
    try:
        await _get(unit, name)
    except NotFoundError:
        return True
    return False


async def _get(unit: CaseUnitOfWork, name: CaseId) -> Case:
    """The case, deleted or not."""
    try:
        return await unit.cases.get(name)
    except NotFoundError:
        return await unit.cases.get(name, deleted=True)


async def _remove(unit: CaseUnitOfWork, case: Case, caller: Caller) -> None:
    await unit.cases.remove(case.id, case.version)
    await discard(unit, case.id, caller)
