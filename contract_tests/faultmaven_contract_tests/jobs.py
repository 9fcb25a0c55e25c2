"""What running jobs promises, whatever transport tells the runners: from the commit to the end."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.job_installation import (
    SECONDS,
    Installation,
    ask,
    began,
    ended,
    job_of,
    none_open,
    request,
    until,
)
from faultmaven_contract_tests.samples import ACME
from faultmaven_core.jobs.model import JobState
from faultmaven_core.ports.job_queue import QueuedJob
from faultmaven_core.shared.backoff import delay
from faultmaven_core.shared.errors import (
    ConflictError,
)


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
        """A wait that the failure itself named is kept, though it is longer than any that the runner would choose."""
        patience = timedelta(seconds=1.5)
        assert patience > subject.options.longest_delay
        await subject.start()
        (job_id,) = await ask(subject, request("probe.fail", {"error": "rate_limited", "times": 1}))
        await began(subject, job_id)
        await subject.wait(patience)
        (job,) = await ended(subject, job_id)
        assert job.state is JobState.SUCCEEDED
        first, second = (effect.started for effect in subject.effects.seen(job_id, "began"))
        assert second - first >= patience

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

        await until(none_open(subject))
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
