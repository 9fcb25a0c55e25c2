"""What happens again and again: slots, their jobs, and the policy for those that were missed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.jobs.model import JobState
from faultmaven_core.jobs.ports import JobQuery
from faultmaven_core.jobs.scheduler import IN_TIME, Scheduler, slot_id
from faultmaven_core.operations import OPERATIONS, SCHEDULES
from faultmaven_core.shared.errors import BackendUnavailableError
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.shared.schedule import Missed, Schedule
from tests.unit.jobs.conftest import ANN, Bench

HOURLY = Schedule("tidy", "do", every=timedelta(hours=1))


def moment(hour: int, minute: int = 0, day: int = 1) -> datetime:
    """On a day of March."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


async def jobs_of(bench: Bench) -> list[JobState]:
    """The states of all jobs, the newest first."""
    async with bench.storage.job_units(ANN.organization, read_only=True) as unit:
        return [job.state for job in (await unit.jobs.page(JobQuery(), after=None, limit=100)).items]


def test_every_schedule_is_declared_once_and_of_an_operation_that_takes_nothing() -> None:
    """A renamed operation is found here and not at three in the morning."""
    names = [schedule.name for schedule in SCHEDULES]
    assert len(set(names)) == len(names)
    for schedule in SCHEDULES:
        operation = OPERATIONS[schedule.operation]
        assert operation.background
        assert operation.command()


@pytest.mark.parametrize("more", [{}, {"every": timedelta(hours=1), "at": time(3)}, {"every": timedelta(0)}])
def test_a_schedule_has_one_rhythm(more: dict[str, object]) -> None:
    """Either every so often, or daily."""
    with pytest.raises(ValueError, match="The schedule x"):
        Schedule("x", "do", **more)  # type: ignore[arg-type]  # wrong on purpose


def test_slots_of_an_interval_do_not_depend_on_who_looks() -> None:
    """They are counted from 1970 on, in UTC."""
    assert HOURLY.slot(moment(9, 59)) == moment(9)
    assert HOURLY.slot(moment(10)) == moment(10)
    east = moment(10, 30).astimezone(datetime.strptime("+0530", "%z").tzinfo)
    assert HOURLY.slot(east) == moment(10)


def test_a_daily_slot_is_todays_or_yesterdays() -> None:
    """By the time in UTC."""
    daily = Schedule("sweep", "do", at=time(3, 15))
    assert daily.slot(moment(3, 15, day=2)) == moment(3, 15, day=2)
    assert daily.slot(moment(3, 14, day=2)) == moment(3, 15, day=1)
    assert daily.slot(moment(23, 59, day=2)) == moment(3, 15, day=2)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), st.integers(1, 10**7))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_a_slot_has_begun_and_the_next_has_not(now: datetime, seconds: int) -> None:
    """Whatever the interval."""
    every = timedelta(seconds=seconds)
    slot = Schedule("x", "do", every=every).slot(now)
    assert slot <= now < slot + every


def test_the_id_of_a_slot_is_the_same_everywhere_and_of_that_slot_alone() -> None:
    """In the order of time, and another one for every organization, name and slot."""
    acme, other = ANN.organization, OrganizationId("other")
    first = slot_id(acme, "tidy", moment(1))
    assert first == slot_id(acme, "tidy", moment(1))
    ids = {first, slot_id(acme, "tidy", moment(2)), slot_id(acme, "tidi", moment(1)), slot_id(other, "tidy", moment(1))}
    assert len(ids) == 4
    assert first < slot_id(acme, "aaa", moment(2))
    assert (first.version, first.variant) == (7, "specified in RFC 4122")


async def test_a_slot_has_one_job_however_often_one_looks(bench: Bench) -> None:
    """By one scheduler or by several, also after the job has ended."""
    schedulers = [Scheduler(bench.storage.cases, [HOURLY], ANN, bench.clock) for _ in range(2)]
    for scheduler in (*schedulers, *schedulers):
        await scheduler.tick()
    assert await bench.runner.run_due() == 1
    fresh = Scheduler(bench.storage.cases, [HOURLY], ANN, bench.clock)
    assert await fresh.tick() == 1
    assert await jobs_of(bench) == [JobState.SUCCEEDED]
    bench.clock.advance(timedelta(hours=1))
    await schedulers[0].tick()
    assert await jobs_of(bench) == [JobState.QUEUED, JobState.SUCCEEDED]


async def test_a_slot_makes_no_second_job_beside_one_that_is_open(bench: Bench) -> None:
    """Where runners are behind, jobs do not pile up."""
    scheduler = Scheduler(bench.storage.cases, [HOURLY], ANN, bench.clock)
    for _ in range(5):
        await scheduler.tick()
        bench.clock.advance(timedelta(hours=1))
    assert await jobs_of(bench) == [JobState.QUEUED]


async def test_missed_slots_are_made_up_for_once_or_not_at_all(bench: Bench) -> None:
    """As the schedule says; a slot that has just begun was not missed."""
    strict = Schedule("strict", "do", every=timedelta(hours=1), missed=Missed.SKIP)
    bench.clock.advance(IN_TIME + timedelta(microseconds=1))
    scheduler = Scheduler(bench.storage.cases, [HOURLY, strict], ANN, bench.clock)
    assert await scheduler.tick() == 1
    bench.clock.advance(timedelta(hours=1) - timedelta(microseconds=1))
    assert await scheduler.tick() == 2
    assert await scheduler.tick() == 0


async def test_what_could_not_be_asked_for_is_asked_for_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slot is not forgotten because the database was away."""
    scheduler = Scheduler(bench.storage.cases, [HOURLY], ANN, bench.clock)

    async def away(_: object) -> None:
        raise BackendUnavailableError("The database is away.")

    with monkeypatch.context() as patch:
        patch.setattr("faultmaven_adapters.sql.memory_tables.MemoryTransaction.begin", away)
        with pytest.raises(BackendUnavailableError):
            await scheduler.tick()
    assert await scheduler.tick() == 1
    assert await jobs_of(bench) == [JobState.QUEUED]
