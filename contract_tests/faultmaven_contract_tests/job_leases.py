"""What is promised of runners that die, hang, are stopped or are too late."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from faultmaven_contract_tests.harness import Contract, requires
from faultmaven_contract_tests.job_installation import (
    Installation,
    ask,
    began,
    ended,
    job_of,
    request,
)
from faultmaven_contract_tests.samples import key
from faultmaven_core.jobs.model import Claim, Ending, JobState


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
