"""What running jobs promises, whatever transport tells the runners."""

from __future__ import annotations

import asyncio
import json
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any, Protocol
from uuid import UUID

import pytest

from faultmaven_contract_tests.harness import Contract, requires
from faultmaven_contract_tests.job_probes import Effects
from faultmaven_contract_tests.samples import ACME, OTHER, Storage, case, key
from faultmaven_core.jobs.commands import CancelJob, ShowJob, SweepJobs
from faultmaven_core.jobs.model import OPEN, Claim, Ending, Job, JobState
from faultmaven_core.jobs.runner import RunnerOptions
from faultmaven_core.jobs.scheduler import Scheduler
from faultmaven_core.jobs.service import KEEP, JobService
from faultmaven_core.ports.job_queue import MOST_PAYLOAD, JobRequest, QueuedJob
from faultmaven_core.shared.backoff import delay
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock, FixedClock
from faultmaven_core.shared.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
    TooLargeError,
)
from faultmaven_core.shared.ids import OrganizationId, UserId
from faultmaven_core.shared.schedule import Missed, Schedule

ANN = Caller(ACME, UserId("ann"))
SECONDS = 60
"""How long anything may take before a clause fails; a busy machine is no failure."""


class Installation(Protocol):
    """One installation: rows, a transport, and runners that know the operations of `job_probes`. At first none runs.

    `options` are its runners' times, short enough to wait for. Commits of `storage` tell the transport.
    """

    capabilities: frozenset[str]
    storage: Storage
    clock: Clock
    options: RunnerOptions
    effects: Effects
    told: list[QueuedJob]
    """What the transport was told of, in that order."""

    @abstractmethod
    async def start(self, runners: int = 1, *, concurrency: int = 2, killable: bool = False) -> None:
        """Start runners, each for so many jobs at once. Raises UnsupportedError where they are to be killable and cannot."""

    @abstractmethod
    async def stop(self) -> None:
        """End all runners as one does for a new version; they have their grace for what is at work."""

    @abstractmethod
    async def kill(self) -> None:
        """End all killable runners as a power cut would."""

    @abstractmethod
    async def wait(self, time: timedelta) -> None:
        """Let so much of the installation's time pass."""

    @abstractmethod
    def tell(self, jobs: Sequence[QueuedJob]) -> None:
        """Tell the transport of jobs, as commits do."""

    @abstractmethod
    async def cut(self) -> None:
        """From now on nothing reaches the other side of the transport."""

    @abstractmethod
    async def mend(self) -> None:
        """It does again."""

    @abstractmethod
    async def failover(self) -> None:
        """Kill what the transport speaks to, where another one takes its place. Raises UnsupportedError where none does."""


def request(operation: str = "probe.note", payload: object = None, **more: Any) -> JobRequest:
    """A job of a probe."""
    return replace(JobRequest(operation, json.dumps(payload or {}).encode(), ANN), **more)


async def ask(subject: Installation, *wanted: JobRequest) -> list[UUID]:
    """Ask for jobs in one unit and commit."""
    async with subject.storage.cases(wanted[0].caller.organization) as unit:
        asked = [await unit.outbox.add(one) for one in wanted]
        await unit.commit()
    return asked


async def job_of(subject: Installation, job_id: UUID, organization: OrganizationId = ACME) -> Job:
    """The row."""
    async with subject.storage.job_units(organization, read_only=True) as unit:
        return await unit.jobs.get(job_id)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when it is so."""
    async with asyncio.timeout(SECONDS):
        while not await condition():  # noqa: ASYNC110 - what is waited for may happen in another process
            await asyncio.sleep(0.02)


async def ended(subject: Installation, *job_ids: UUID, organization: OrganizationId = ACME) -> list[Job]:
    """The rows, when all have ended."""

    async def over() -> bool:
        return all([(await job_of(subject, job_id, organization)).state not in OPEN for job_id in job_ids])

    await until(over)
    return [await job_of(subject, job_id, organization) for job_id in job_ids]


async def began(subject: Installation, job_id: UUID, times: int = 1) -> None:
    """Return when a job's operation was called so often."""

    async def called() -> bool:
        return len(subject.effects.seen(job_id, "began")) >= times

    await until(called)


class JobRunContract(Contract):
    """Jobs from their commit to their end. A binding gives the fixture `subject`, an empty installation."""

    async def test_a_job_runs_once_after_its_commit(self, subject: Installation) -> None:
        """Not before."""
        await subject.start()
        async with subject.storage.cases(ACME) as unit:
            job_id = await unit.outbox.add(request())
            await asyncio.sleep(0.1)
            assert subject.effects.seen() == []
            await unit.commit()
        (job,) = await ended(subject, job_id)
        assert (job.state, job.attempts) == (JobState.SUCCEEDED, 1)
        assert [effect.what for effect in subject.effects.seen(job_id)] == ["began"]

    async def test_a_job_of_a_unit_that_rolled_back_never_runs(self, subject: Installation) -> None:
        """One that was asked for later has run by then."""
        await subject.start()
        async with subject.storage.cases(ACME) as unit:
            dropped = await unit.outbox.add(request())
        (later,) = await ask(subject, request())
        await ended(subject, later)
        assert subject.effects.seen(dropped) == []

    async def test_the_transport_is_told_after_the_commit_and_of_nothing_that_was_rolled_back(
        self, subject: Installation
    ) -> None:
        """Nor of a twin that is there already, nor of what is due later: its time tells."""
        async with subject.storage.cases(ACME) as unit:
            job_id = await unit.outbox.add(request(trace="t", dedupe_key="k"))
            assert await unit.outbox.add(request(dedupe_key="k")) == job_id
            await unit.outbox.add(request(run_at=subject.clock.now() + timedelta(hours=1)))
            assert subject.told == []
            await unit.commit()
        assert subject.told == [QueuedJob(job_id, "default", "t")]
        dropped = subject.storage.cases(ACME)
        async with dropped:
            await dropped.outbox.add(request())
        with pytest.raises(ConflictError):
            await dropped.commit()
        assert len(subject.told) == 1

    async def test_what_the_transport_lost_runs_after_it_is_back(self, subject: Installation) -> None:
        """The commit neither failed nor waited; nothing is doubled by telling again."""
        await subject.start()
        await subject.cut()
        async with asyncio.timeout(5):
            asked = await ask(subject, *(request() for _ in range(3)))
        await subject.mend()
        await subject.wait(subject.options.patience)
        jobs = await ended(subject, *asked)
        assert {(job.state, job.attempts) for job in jobs} == {(JobState.SUCCEEDED, 1)}
        assert len(subject.effects.seen()) == 3

    async def test_a_job_that_is_told_of_twice_and_out_of_order_takes_effect_once(self, subject: Installation) -> None:
        """Before, while and after it runs."""
        asked = await ask(subject, *(request("probe.sleep", {"seconds": 0.2}) for _ in range(3)))
        told = [QueuedJob(job_id, "default") for job_id in reversed(asked)]
        subject.tell(told)
        await subject.start(2)
        subject.tell(told)
        await began(subject, asked[0])
        subject.tell(told)
        await ended(subject, *asked)
        subject.tell(told)
        (last,) = await ask(subject, request())
        await ended(subject, last)
        assert [len(subject.effects.seen(job_id, "done")) for job_id in asked] == [1, 1, 1]
        assert {job.attempts for job in await ended(subject, *asked)} == {1}

    async def test_one_job_is_open_for_a_key(self, subject: Installation) -> None:
        """However many ask at once; a new one after it ended."""
        twins = await asyncio.gather(*(ask(subject, request(dedupe_key="k")) for _ in range(4)))
        first = twins[0][0]
        assert twins == [[first]] * 4
        await subject.start()
        await ended(subject, first)
        (second,) = await ask(subject, request(dedupe_key="k"))
        assert second != first
        await ended(subject, second)
        assert [effect.job for effect in subject.effects.seen()] == [first, second]

    async def test_what_may_pass_is_tried_again_within_its_delays_and_then_given_up(
        self, subject: Installation
    ) -> None:
        """Each wait is between half and all of twice the one before, up to the longest."""
        await subject.start()
        (job_id,) = await ask(subject, request("probe.fail", {"error": "unavailable"}, max_attempts=3))
        for attempt in (1, 2, 3):
            await began(subject, job_id, attempt)
            await subject.wait(subject.options.longest_delay)
        (job,) = await ended(subject, job_id)
        assert (job.state, job.attempts, job.error) == (JobState.DEAD, 3, "unavailable: The probe is away.")
        starts = [effect.started for effect in subject.effects.seen(job_id, "began")]
        first, longest = (x.total_seconds() for x in (subject.options.first_delay, subject.options.longest_delay))
        for tries, (before, after) in enumerate(pairwise(starts), 1):
            least = delay(tries, base=first, cap=longest, chance=lambda: 0.0)
            assert least <= (after - before).total_seconds() <= longest + SECONDS

    async def test_who_asks_for_patience_gets_it(self, subject: Installation) -> None:
        """A wait that the failure itself named, here three seconds, is kept."""
        await subject.start()
        (job_id,) = await ask(subject, request("probe.fail", {"error": "rate_limited", "times": 1}))
        await began(subject, job_id)
        await subject.wait(timedelta(seconds=3))
        (job,) = await ended(subject, job_id)
        assert job.state is JobState.SUCCEEDED
        first, second = (effect.started for effect in subject.effects.seen(job_id, "began"))
        assert second - first >= timedelta(seconds=3)

    async def test_what_cannot_pass_is_given_up_at_once(self, subject: Installation) -> None:
        """With the last error."""
        await subject.start()
        (job_id,) = await ask(subject, request("probe.fail", {"error": "invalid_input"}))
        (job,) = await ended(subject, job_id)
        assert (job.state, job.attempts, job.error) == (JobState.DEAD, 1, "invalid_input: The probe is wrong.")

    async def test_an_unknown_operation_is_given_up_and_the_runner_lives(self, subject: Installation) -> None:
        """What comes after it runs."""
        await subject.start()
        unknown, known = await ask(subject, request("probe.unknown"), request())
        jobs = await ended(subject, unknown, known)
        assert [job.state for job in jobs] == [JobState.DEAD, JobState.SUCCEEDED]
        assert jobs[0].error == "fault: There is no operation probe.unknown."

    async def test_a_job_begins_not_before_its_time_and_within_five_seconds_of_it(self, subject: Installation) -> None:
        """Its time is kept in its row, not by the transport."""
        await subject.start()
        run_at = subject.clock.now() + timedelta(seconds=2)
        (job_id,) = await ask(subject, request(run_at=run_at))
        await asyncio.sleep(0.5)
        assert subject.effects.seen(job_id) == []
        await subject.wait(timedelta(seconds=2))
        (job,) = await ended(subject, job_id)
        assert job.started_at is not None
        assert timedelta(0) <= job.started_at - run_at <= timedelta(seconds=5)

    async def test_each_of_two_hundred_jobs_runs_once_on_two_runners(self, subject: Installation) -> None:
        """None is lost, none is doubled."""
        await subject.start(2)
        asked: list[UUID] = []
        for _ in range(8):
            asked += await ask(subject, *(request() for _ in range(25)))

        async def none_open() -> bool:
            return all(depth.state not in OPEN for depth in await subject.storage.jobs.depths())

        await until(none_open)
        effects = subject.effects.seen()
        assert sorted(effect.job for effect in effects) == sorted(asked)
        assert {effect.attempt for effect in effects} == {1}

    async def test_no_more_jobs_run_at_once_than_allowed(self, subject: Installation) -> None:
        """And that many do."""
        await subject.start(1, concurrency=2)
        asked = await ask(subject, *(request("probe.sleep", {"seconds": 0.4}) for _ in range(6)))
        await ended(subject, *asked)
        steps = sorted((effect.at, 1 if effect.what == "began" else -1) for effect in subject.effects.seen())
        running, most = 0, 0
        for _, step in steps:
            running += step
            most = max(most, running)
        assert most == 2

    async def test_telling_never_blocks_the_loop(self, subject: Installation) -> None:
        """Not even while nobody listens on the other side."""
        await subject.cut()
        worst, stop = 0.0, asyncio.Event()

        async def clockwork() -> None:
            nonlocal worst
            loop = asyncio.get_running_loop()
            while not stop.is_set():
                before = loop.time()
                await asyncio.sleep(0.01)
                worst = max(worst, loop.time() - before)

        ticking = asyncio.create_task(clockwork())
        await asyncio.sleep(0)
        (job_id,) = await ask(subject, request())
        for _ in range(200):
            subject.tell([QueuedJob(job_id, "default")] * 5)
        await asyncio.sleep(0.5)
        stop.set()
        await ticking
        await subject.mend()
        assert worst < 1.0

    async def test_open_jobs_wait_for_runners_to_start(self, subject: Installation) -> None:
        """Whoever asked for them long before."""
        asked = await ask(subject, request(), request("probe.sleep", {"seconds": 0.1}))
        await subject.start()
        await subject.stop()
        states = [(await job_of(subject, job_id)).state for job_id in asked]
        assert JobState.RUNNING not in states
        await subject.start()
        await subject.wait(subject.options.patience)
        assert {job.state for job in await ended(subject, *asked)} == {JobState.SUCCEEDED}


class JobLeaseContract(Contract):
    """Runners that die, hang, are stopped or are too late. The fixture is that of JobRunContract."""

    @requires("survives_restart")
    async def test_a_job_whose_process_was_killed_is_run_again(self, subject: Installation) -> None:
        """By another runner, when the lease has ended."""
        await subject.start(killable=True)
        (job_id,) = await ask(subject, request("probe.hang", {"times": 1}))
        await began(subject, job_id)
        await subject.kill()
        await subject.start()
        await subject.wait(subject.options.lease)
        (job,) = await ended(subject, job_id)
        assert (job.state, job.attempts) == (JobState.SUCCEEDED, 2)
        assert [effect.what for effect in subject.effects.seen(job_id)] == ["began", "began", "done"]

    @requires("survives_restart")
    async def test_a_job_that_kills_its_process_each_time_is_given_up(self, subject: Installation) -> None:
        """After its attempts; others run."""
        (job_id,) = await ask(subject, request("probe.die", max_attempts=2))
        for attempt in (1, 2):
            await subject.start(killable=True)
            await began(subject, job_id, attempt)
            await subject.wait(subject.options.lease)
        await subject.kill()
        await subject.start()
        (job,) = await ended(subject, job_id)
        assert (job.state, job.error) == (JobState.DEAD, "given up: its runner never came back")
        assert len(subject.effects.seen(job_id, "began")) == 2
        (other,) = await ask(subject, request())
        await ended(subject, other)

    async def test_the_result_of_a_runner_that_lost_its_lease_is_refused(self, subject: Installation) -> None:
        """It goes on as if nothing had happened; what another wrote stays."""
        (job_id,) = await ask(subject, request(payload={"by": "the second"}))
        now = subject.clock.now()
        slow = await subject.storage.jobs.claim(Claim(now, now + subject.options.lease, key(1), job_id=job_id))
        assert slow is not None
        await subject.start()
        await subject.wait(subject.options.lease)
        (job,) = await ended(subject, job_id)
        assert (job.attempts, job.result) == (2, b'{"by":"the second"}')
        assert not await subject.storage.jobs.finish(slow, Ending(JobState.DEAD, "the first"))
        assert await job_of(subject, job_id) == job

    async def test_a_job_that_takes_longer_than_a_lease_stays_its_runners(self, subject: Installation) -> None:
        """It is renewed while the work goes on."""
        await subject.start(2)
        seconds = subject.options.lease.total_seconds() * 2
        (job_id,) = await ask(subject, request("probe.sleep", {"seconds": seconds}))
        (job,) = await ended(subject, job_id)
        assert (job.state, job.attempts) == (JobState.SUCCEEDED, 1)
        assert len(subject.effects.seen(job_id, "began")) == 1

    async def test_an_attempt_that_takes_too_long_has_failed(self, subject: Installation) -> None:
        """By its own limit."""
        await subject.start()
        wanted = request("probe.hang", time_limit=timedelta(seconds=0.3), max_attempts=1)
        (job,) = await ended(subject, *await ask(subject, wanted))
        assert job.state is JobState.DEAD
        assert job.error == "deadline_exceeded: The attempt took longer than its time limit of 0.3 s."

    async def test_runners_that_are_stopped_finish_or_hand_back(self, subject: Installation) -> None:
        """Nothing is lost, nothing is left running, no attempt is wasted."""
        await subject.start()
        hangs, *short = await ask(
            subject,
            request("probe.hang", {"times": 1}, max_attempts=1),
            *(request("probe.sleep", {"seconds": 0.2}) for _ in range(3)),
        )
        await began(subject, hangs)
        await subject.stop()
        states = [(await job_of(subject, job_id)).state for job_id in (hangs, *short)]
        assert states[0] is JobState.QUEUED
        assert set(states[1:]) <= {JobState.QUEUED, JobState.SUCCEEDED}
        await subject.start()
        await subject.wait(subject.options.patience)
        jobs = await ended(subject, hangs, *short)
        assert {(job.state, job.attempts) for job in jobs} == {(JobState.SUCCEEDED, 1)}

    @requires("failover")
    async def test_a_failover_under_load_loses_and_doubles_nothing(self, subject: Installation) -> None:
        """What the transport forgot is told again."""
        await subject.start(2)
        asked: list[UUID] = []
        for batch in range(10):
            if batch == 4:
                await subject.failover()
            asked += await ask(subject, *(request("probe.sleep", {"seconds": 0.02}) for _ in range(10)))
        await subject.wait(subject.options.patience)
        jobs = await ended(subject, *asked)
        assert {job.state for job in jobs} == {JobState.SUCCEEDED}
        assert sorted(effect.job for effect in subject.effects.seen(what="done")) == sorted(asked)


class JobViewContract(Contract):
    """What people and operations see of jobs. The fixture is that of JobRunContract."""

    async def test_a_job_that_is_cancelled_before_it_runs_never_does(self, subject: Installation) -> None:
        """Though runners were told of it."""
        (job_id,) = await ask(subject, request())
        assert (await _service(subject).cancel(CancelJob(str(job_id)), ANN)).state == "cancelled"
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
            await _service(subject).cancel(CancelJob(str(job_id)), ANN)
        jobs = await ended(subject, *asked)
        assert {(job.state, job.attempts) for job in jobs} == {(JobState.CANCELLED, 1)}

    async def test_an_ended_job_cannot_be_cancelled(self, subject: Installation) -> None:
        """What it did stays done."""
        await subject.start()
        (job,) = await ended(subject, *await ask(subject, request()))
        with pytest.raises(PreconditionFailedError):
            await _service(subject).cancel(CancelJob(str(job.id)), ANN)
        assert await job_of(subject, job.id) == job

    async def test_progress_is_seen_while_the_job_runs(self, subject: Installation) -> None:
        """How much of how much, and a sentence."""
        await subject.start()
        (job_id,) = await ask(subject, request("probe.steps", {"steps": 100_000}))

        async def moved() -> bool:
            return (await job_of(subject, job_id)).progress.done > 0

        await until(moved)
        view = (await _service(subject).show(ShowJob(str(job_id)), ANN)).job
        assert (view.state, view.total, view.doing) == ("running", 100_000, f"Step {view.done}")
        await _service(subject).cancel(CancelJob(str(job_id)), ANN)
        await ended(subject, job_id)

    async def test_the_result_can_be_read_until_it_expires(self, subject: Installation) -> None:
        """With its job, a week later."""
        await subject.start()
        (job,) = await ended(subject, *await ask(subject, request(payload={"é": [1, None]})))
        assert (await _service(subject).show(ShowJob(str(job.id)), ANN)).result == {"é": [1, None]}
        assert job.finished_at is not None
        for late, gone in ((KEEP, 0), (KEEP + timedelta(microseconds=1), 1)):
            later = JobService(subject.storage.job_units, subject.storage.jobs, FixedClock(job.finished_at + late))
            assert (await later.sweep(SweepJobs(), ANN)).jobs == gone
        with pytest.raises(NotFoundError):
            await _service(subject).show(ShowJob(str(job.id)), ANN)

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
                await until(_none_open(subject))
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
        await until(_none_open(subject))
        late.advance(timedelta(hours=17))
        assert await scheduler.tick() == 2
        await until(_none_open(subject))
        assert len(subject.effects.seen()) == 3


def _service(subject: Installation) -> JobService:
    return JobService(subject.storage.job_units, subject.storage.jobs, subject.clock)


def _none_open(subject: Installation) -> Callable[[], Awaitable[bool]]:
    async def none_open() -> bool:
        return all(depth.state not in OPEN for depth in await subject.storage.jobs.depths())

    return none_open
