"""What people and operations see of jobs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.job_installation import (
    ANN,
    Installation,
    ask,
    began,
    ended,
    job_of,
    none_open,
    request,
    service,
    until,
)
from faultmaven_contract_tests.samples import OTHER, case
from faultmaven_core.jobs.commands import CancelJob, ShowJob, SweepJobs
from faultmaven_core.jobs.model import JobState
from faultmaven_core.jobs.scheduler import Scheduler
from faultmaven_core.jobs.service import KEEP, JobService
from faultmaven_core.ports.job_queue import MOST_PAYLOAD
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import (
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
    TooLargeError,
)
from faultmaven_core.shared.ids import UserId
from faultmaven_core.shared.schedule import Missed, Schedule


class JobViewContract(Contract):
    """What people and operations see of jobs. The fixture is that of JobRunContract."""

    async def test_a_job_that_is_cancelled_before_it_runs_never_does(self, subject: Installation) -> None:
        """Though runners were told of it."""
        (job_id,) = await ask(subject, request())
        assert (await service(subject).cancel(CancelJob(str(job_id)), ANN)).state == "cancelled"
        await subject.start()
        (later,) = await ask(subject, request())
        await ended(subject, later)
        assert subject.effects.seen(job_id) == []

    async def test_a_running_job_ends_soon_after_it_is_cancelled(self, subject: Installation) -> None:
        """Whether it asks or only waits."""
        await subject.start()
        asked = await ask(subject, request("probe.steps", {"steps": 100_000}), request("probe.hang"))
        for job_id in asked:
            await began(subject, job_id)
            await service(subject).cancel(CancelJob(str(job_id)), ANN)
        jobs = await ended(subject, *asked)
        assert {(job.state, job.attempts) for job in jobs} == {(JobState.CANCELLED, 1)}

    async def test_an_ended_job_cannot_be_cancelled(self, subject: Installation) -> None:
        """What it did stays done."""
        await subject.start()
        (job,) = await ended(subject, *await ask(subject, request()))
        with pytest.raises(PreconditionFailedError):
            await service(subject).cancel(CancelJob(str(job.id)), ANN)
        assert await job_of(subject, job.id) == job

    async def test_progress_is_seen_while_the_job_runs(self, subject: Installation) -> None:
        """How much of how much, and a sentence."""
        await subject.start()
        (job_id,) = await ask(subject, request("probe.steps", {"steps": 100_000}))

        async def moved() -> bool:
            return (await job_of(subject, job_id)).progress.done > 0

        await until(moved)
        view = (await service(subject).show(ShowJob(str(job_id)), ANN)).job
        assert (view.state, view.total, view.doing) == ("running", 100_000, f"Step {view.done}")
        await service(subject).cancel(CancelJob(str(job_id)), ANN)
        await ended(subject, job_id)

    async def test_the_result_can_be_read_until_it_expires(self, subject: Installation) -> None:
        """With its job, a week later."""
        await subject.start()
        (job,) = await ended(subject, *await ask(subject, request(payload={"é": [1, None]})))
        assert (await service(subject).show(ShowJob(str(job.id)), ANN)).result == {"é": [1, None]}
        assert job.finished_at is not None
        for late, gone in ((KEEP, 0), (KEEP + timedelta(microseconds=1), 1)):
            later = JobService(subject.storage.job_units, subject.storage.jobs, FixedClock(job.finished_at + late))
            assert (await later.sweep(SweepJobs(), ANN)).jobs == gone
        with pytest.raises(NotFoundError):
            await service(subject).show(ShowJob(str(job.id)), ANN)

    async def test_a_payload_that_cannot_be_kept_is_refused_in_the_unit(self, subject: Installation) -> None:
        """Too large, or no JSON; nothing of it ever runs."""
        await subject.start()
        with pytest.raises(TooLargeError):
            await ask(subject, request(payload="x" * MOST_PAYLOAD))
        with pytest.raises(InvalidInputError):
            await ask(subject, replace(request(), payload=b"{"))
        (job_id,) = await ask(subject, request(payload="x" * (MOST_PAYLOAD - 2)))
        await ended(subject, job_id)
        assert [effect.job for effect in subject.effects.seen()] == [job_id]

    async def test_a_job_runs_as_who_asked_and_sees_only_its_organization(self, subject: Installation) -> None:
        """The same question of two organizations."""
        await subject.start()
        async with subject.storage.cases(OTHER) as unit:
            await unit.cases.add(case(1, OTHER))
            await unit.commit()
        bob = Caller(OTHER, UserId("bob@example.org"))
        look = request("probe.look", {"case_id": case(1).id})
        (ours,) = await ask(subject, look)
        (theirs,) = await ask(subject, replace(look, caller=bob))
        (our,) = await ended(subject, ours)
        (their,) = await ended(subject, theirs, organization=OTHER)
        assert (our.result, their.result) == (b"false", b"true")
        for job_id, caller in ((ours, ANN), (theirs, bob)):
            (effect,) = subject.effects.seen(job_id)
            assert (effect.organization, effect.user) == (caller.organization, caller.user)

    async def test_the_trace_goes_along(self, subject: Installation) -> None:
        """From who asked to who runs it."""
        await subject.start()
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        (job_id,) = await ask(subject, request(trace=trace))
        await ended(subject, job_id)
        assert [effect.trace for effect in subject.effects.seen(job_id)] == [trace]

    async def test_depths_say_how_many_wait_and_since_when(self, subject: Installation) -> None:
        """Until they have run."""
        asked = await ask(subject, *(request() for _ in range(3)))
        oldest = min([(await job_of(subject, job_id)).created_at for job_id in asked])
        (depth,) = await subject.storage.jobs.depths()
        assert (depth.queue, depth.state, depth.jobs, depth.oldest) == ("default", JobState.QUEUED, 3, oldest)
        await subject.start()
        await ended(subject, *asked)
        assert list(await subject.storage.jobs.depths()) == []

    async def test_two_schedulers_make_one_job_of_a_slot(self, subject: Installation) -> None:
        """Also after that job ended; the next slot has its own."""
        await subject.start()
        schedule = Schedule("tidy", "probe.note", every=timedelta(days=1))
        noon = subject.clock.now().replace(hour=12)
        for days in (0, 1):
            clock = FixedClock(noon + timedelta(days=days))
            for _ in range(2):
                pair = [Scheduler(subject.storage.cases, [schedule], ANN, clock) for _ in range(2)]
                await asyncio.gather(*(scheduler.tick() for scheduler in pair))
                await until(none_open(subject))
        assert len(subject.effects.seen()) == 2

    async def test_slots_that_were_missed_follow_their_schedules_policy(self, subject: Installation) -> None:
        """The last one is made up for, or none; never each of them."""
        await subject.start()
        slot = Schedule("late", "probe.note", every=timedelta(days=1)).slot(subject.clock.now())
        late = FixedClock(slot + timedelta(days=5, hours=7))
        schedules = [
            Schedule("late", "probe.note", every=timedelta(days=1), missed=Missed.LATEST),
            Schedule("strict", "probe.note", every=timedelta(days=1), missed=Missed.SKIP),
        ]
        scheduler = Scheduler(subject.storage.cases, schedules, ANN, late)
        assert await scheduler.tick() == 1
        assert await scheduler.tick() == 0
        await until(none_open(subject))
        late.advance(timedelta(hours=17))
        assert await scheduler.tick() == 2
        await until(none_open(subject))
        assert len(subject.effects.seen()) == 3
