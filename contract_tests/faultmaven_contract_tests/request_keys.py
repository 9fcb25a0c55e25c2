"""What commands over any storage promise of request keys and of lost races."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.samples import ACME, OTHER, START, Storage, case, key, record
from faultmaven_core.cases import commands as c
from faultmaven_core.cases import turn_commands as t
from faultmaven_core.cases.operations import OPERATIONS
from faultmaven_core.cases.ports import CaseQuery, CaseUnitOfWork
from faultmaven_core.cases.service import CaseService
from faultmaven_core.ports.writes import KEEP_ANSWERS, RequestKeyReusedError, Writes
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import (
    AmbiguousError,
    BackendUnavailableError,
    ConflictError,
    PreconditionFailedError,
    StaleVersionError,
)
from faultmaven_core.shared.ids import OrganizationId, RandomIds, UserId

ANN = Caller(ACME, UserId("ann"))
KEYED = Caller(ACME, UserId("ann"), "5f0c")

Command = Callable[[CaseService, str, Caller], Coroutine[Any, Any, Any]]


async def _deleted(cases: CaseService, name: str, caller: Caller) -> str:
    """The case, deleted; under a key of its own, so that a repeated command finds it as the first one did."""
    await cases.delete(c.DeleteCase(name), caller.step("delete"))
    return name


async def _restored(cases: CaseService, name: str, caller: Caller) -> c.CaseView:
    return await cases.restore(c.RestoreCase(await _deleted(cases, name, caller)), caller)


async def _purged(cases: CaseService, name: str, caller: Caller) -> c.CaseDeleted:
    return await cases.purge(c.PurgeCase(await _deleted(cases, name, caller), START), caller)


async def _unarchived(cases: CaseService, name: str, caller: Caller) -> c.CaseView:
    await cases.archive(c.ArchiveCase(name), caller.step("archive"))
    return await cases.unarchive(c.UnarchiveCase(name), caller)


def _turn(name: str) -> t.KeepTurn:
    return t.KeepTurn(t.Asked(name, "digest"), 1, "investigating", 3, "why?", "I do not know.")


COMMANDS: dict[str, Command] = {
    "case.open": lambda cases, _, caller: cases.open(c.OpenCase("why?"), caller),
    "case.begin": lambda cases, name, caller: cases.begin(c.BeginInvestigation(name, "really?"), caller),
    "case.store": lambda cases, name, caller: cases.store(c.StoreRecord(name, record(), b"{}"), caller),
    "case.confirm": lambda cases, name, caller: cases.confirm(c.ConfirmCause(name, "seen"), caller),
    "case.reject": lambda cases, name, caller: cases.reject(c.RejectCause(name, "the other one"), caller),
    "case.close": lambda cases, name, caller: cases.close(c.CloseCase(name, "escalated"), caller),
    "case.delete": lambda cases, name, caller: cases.delete(c.DeleteCase(name), caller),
    "case.delete for ever": lambda cases, name, caller: cases.delete(c.DeleteCase(name, forever=True), caller),
    "case.restore": _restored,
    "case.purge": _purged,
    "case.archive": lambda cases, name, caller: cases.archive(c.ArchiveCase(name), caller),
    "case.unarchive": _unarchived,
    "case.update": lambda cases, name, caller: cases.update(c.UpdateCase(name, "new"), caller),
    "case.title": lambda cases, name, caller: cases.title(c.TitleCase(name, hint="the shop is down"), caller),
    "case.keep_turn": lambda cases, name, caller: cases.keep_turn(_turn(name), caller),
    "case.notify": lambda cases, name, caller: cases.notify(t.AddNotice(name, "An investigation ended."), caller),
    "case.prune": lambda cases, _, caller: cases.prune(c.PruneCases(START + timedelta(days=9)), caller),
    "case.note": lambda cases, name, caller: cases.note(c.NoteEvent(name, str(key(9)), "seen", {"a": "b"}), caller),
}
"""Every command that changes cases; `begin`, `store`, `keep_turn` and `notify` are steps of another context's operations."""

READING = {"case.list", "case.browse", "case.show", "case.journal", "case.messages"}


def service(storage: Storage, clock: FixedClock | None = None) -> CaseService:
    """Cases over a storage."""
    clock = clock or FixedClock(START)
    return CaseService(storage.cases, clock, RandomIds(clock))


async def investigated(cases: CaseService) -> str:
    """A case with a root cause, and an ended one besides; the id of the first."""
    for question in ("ended", "open"):
        name = (await cases.open(c.OpenCase(question), ANN)).case_id
        await cases.begin(c.BeginInvestigation(name), ANN)
        await cases.store(c.StoreRecord(name, record(), b"{}"), ANN)
        if question == "ended":
            await cases.close(c.CloseCase(name), ANN)
    return name


async def everything(storage: Storage) -> list[Any]:
    """All cases of the organization with their journals."""
    found: list[Any] = []
    async with storage.cases(ACME, read_only=True) as unit:
        for one in (await unit.cases.page(CaseQuery(), after=None, limit=1000)).items:
            found += [one, list(await unit.journal.read(one.id, after=0, limit=1000))]
    return found


class BreaksAtCommit:
    """Units of a storage, the first of which breaks in its commit: after it happened, or before."""

    def __init__(self, storage: Storage, *, happens: bool) -> None:
        self._storage, self._happens, self.broken = storage, happens, 0

    def __call__(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> CaseUnitOfWork:
        """See UnitOfWorkFactory."""
        unit = self._storage.cases(organization, read_only=read_only)
        if not read_only and not self.broken:
            commit = unit.commit

            async def broken() -> None:
                self.broken += 1
                if self._happens:
                    await commit()
                raise AmbiguousError("The connection broke.")

            unit.commit = broken  # type: ignore[method-assign]  # the fault
        return unit


class RequestKeyContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty storage."""

    def test_every_command_over_cases_is_looked_at(self, subject: Storage) -> None:
        """A new one that is in no list makes this fail."""
        assert {operation.name for operation in OPERATIONS} <= COMMANDS.keys() | READING

    @pytest.mark.parametrize("name", sorted(COMMANDS))
    async def test_the_same_command_under_the_same_key_takes_effect_once(self, subject: Storage, name: str) -> None:
        """And gives the same answer, also when things have moved on since."""
        cases = service(subject)
        case_id = await investigated(cases)
        answer = await COMMANDS[name](cases, case_id, KEYED)
        after = await everything(subject)
        assert await COMMANDS[name](cases, case_id, KEYED) == answer
        await cases.open(c.OpenCase("something else"), ANN)
        assert await COMMANDS[name](cases, case_id, KEYED) == answer
        assert (await everything(subject))[2:] == after

    async def test_another_command_under_the_same_key_is_refused(self, subject: Storage) -> None:
        """Of another kind, or of the same with other words; nothing of it happens."""
        cases = service(subject)
        case_id = await investigated(cases)
        await cases.open(c.OpenCase("why?"), KEYED)
        before = await everything(subject)
        for other in (cases.open(c.OpenCase("why not?"), KEYED), cases.close(c.CloseCase(case_id), KEYED)):
            with pytest.raises(ConflictError, match="used for another command") as caught:
                await other
            assert type(caught.value) is RequestKeyReusedError
        assert await everything(subject) == before

    async def test_a_key_is_one_users_of_one_organization(self, subject: Storage) -> None:
        """Others may happen to use the same."""
        cases = service(subject)
        callers = [KEYED, replace(KEYED, user=UserId("bob")), replace(KEYED, organization=OTHER)]
        answers = [await cases.open(c.OpenCase("why?"), caller) for caller in callers]
        assert len({answer.case_id for answer in answers}) == 3

    async def test_a_command_without_a_key_takes_effect_each_time(self, subject: Storage) -> None:
        """Nothing is guessed from its words."""
        cases = service(subject)
        assert len({(await cases.open(c.OpenCase("why?"), ANN)).case_id for _ in range(3)}) == 3

    async def test_a_command_that_failed_may_be_repeated_under_its_key(self, subject: Storage) -> None:
        """It had no effect, so there is nothing to keep."""
        cases = service(subject)
        case_id = (await cases.open(c.OpenCase("why?"), ANN)).case_id
        with pytest.raises(PreconditionFailedError):
            await cases.close(c.CloseCase(case_id, "resolved"), KEYED)
        await cases.begin(c.BeginInvestigation(case_id), ANN)
        assert (await cases.close(c.CloseCase(case_id, "resolved"), KEYED)).status == "resolved"

    async def test_a_key_is_forgotten_after_seven_days(self, subject: Storage) -> None:
        """Swept by later commands; not before."""
        clock = FixedClock(START)
        cases = service(subject, clock)
        first = await cases.open(c.OpenCase("why?"), KEYED)
        clock.advance(KEEP_ANSWERS)
        await cases.open(c.OpenCase("else"), replace(KEYED, request_key="other"))
        assert await cases.open(c.OpenCase("why?"), KEYED) == first
        clock.advance(timedelta(seconds=1))
        await cases.open(c.OpenCase("else"), replace(KEYED, request_key="another"))
        assert await cases.open(c.OpenCase("why?"), KEYED) != first

    async def test_sweeping_leaves_other_organizations_alone(self, subject: Storage) -> None:
        """And what is younger."""
        clock = FixedClock(START)
        cases = service(subject, clock)
        foreign = await cases.open(c.OpenCase("why?"), replace(KEYED, organization=OTHER))
        await cases.open(c.OpenCase("why?"), KEYED)
        async with subject.cases(ACME) as unit:
            assert await unit.answers.sweep(START) == 0
            assert await unit.answers.sweep(START + timedelta(seconds=1)) == 1
            await unit.commit()
        assert await cases.open(c.OpenCase("why?"), replace(KEYED, organization=OTHER)) == foreign

    async def test_ten_at_once_under_one_key_have_one_effect(self, subject: Storage) -> None:
        """And all the same answer."""
        cases = service(subject)
        answers = await asyncio.gather(*(cases.open(c.OpenCase("why?"), KEYED) for _ in range(10)))
        assert all(answer == answers[0] for answer in answers)
        assert len(await everything(subject)) == 2

    @pytest.mark.parametrize("happens", [True, False])
    async def test_a_commit_that_broke_is_found_out_by_its_key(self, subject: Storage, *, happens: bool) -> None:
        """The repeated command finds its answer, or takes effect now: once in any case."""
        units = BreaksAtCommit(subject, happens=happens)
        clock = FixedClock(START)
        cases = CaseService(units, clock, RandomIds(clock))
        answer = await cases.open(c.OpenCase("why?"), KEYED)
        assert units.broken == 1
        assert [one.id for one in (await everything(subject))[::2]] == [answer.case_id]

    async def test_a_commit_that_broke_without_a_key_is_said_to_be_unknown(self, subject: Storage) -> None:
        """To repeat it blindly could do it twice."""
        units = BreaksAtCommit(subject, happens=True)
        clock = FixedClock(START)
        with pytest.raises(AmbiguousError):
            await CaseService(units, clock, RandomIds(clock)).open(c.OpenCase("why?"), ANN)
        assert len(await everything(subject)) == 2

    async def test_ten_increments_at_once_end_at_ten(self, subject: Storage) -> None:
        """Who lost a race begins again, and the caller never hears of it."""
        async with subject.cases(ACME) as unit:
            await unit.cases.add(case(records=0))
            await unit.commit()
        write = Writes(subject.cases, FixedClock(START))

        async def increment(unit: CaseUnitOfWork) -> int:
            found = await unit.cases.get(case().id)
            await asyncio.sleep(0)
            await unit.cases.save(replace(found, records=found.records + 1))
            return found.records + 1

        answers = await asyncio.gather(*(write("increment", ANN, int, increment) for _ in range(10)))
        assert sorted(answers) == list(range(1, 11))
        async with subject.cases(ACME, read_only=True) as unit:
            assert (await unit.cases.get(case().id)).records == 10

    async def test_events_of_many_at_once_all_come_into_the_journal(self, subject: Storage) -> None:
        """Numbers that two wanted at once are given to one after the other."""
        cases = service(subject)
        name = (await cases.open(c.OpenCase("why?"), ANN)).case_id
        events = [c.NoteEvent(name, str(key(number)), "seen", {}) for number in range(8)]
        await asyncio.gather(*(cases.note(event, ANN) for event in events))
        page = await cases.journal(c.ReadJournal(name), ANN)
        assert page.intact
        assert len(page.entries) == 9

    async def test_a_race_that_is_always_lost_is_given_up(self, subject: Storage) -> None:
        """With the error that says so, after waits that grow; other errors are not repeated."""
        waits: list[float] = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)

        write = Writes(subject.cases, FixedClock(START), chance=lambda: 1.0, sleep=sleep)
        for error, tries in ((StaleVersionError, 10), (BackendUnavailableError, 10), (PreconditionFailedError, 1)):
            calls: list[int] = []
            waits.clear()

            async def lose(_: CaseUnitOfWork, calls: list[int] = calls, error: type[Exception] = error) -> int:
                calls.append(1)
                raise error("always")

            with pytest.raises(error):
                await write("command", ANN, int, lose)
            assert len(calls) == tries
            assert waits == sorted(waits)
            assert len(waits) == tries - 1
