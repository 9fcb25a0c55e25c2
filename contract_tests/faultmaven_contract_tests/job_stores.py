"""What every store of job rows promises."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.samples import ACME, OTHER, START, Storage, key, request
from faultmaven_core.jobs import model
from faultmaven_core.jobs.model import Claim, Ending, Job, JobState, Lease, Progress
from faultmaven_core.ports.job_queue import JobRequest, QueuedJob
from faultmaven_core.shared.errors import (
    NotFoundError,
)
from faultmaven_core.shared.ids import OrganizationId

LATER = START + timedelta(hours=1)
LEASE = LATER + timedelta(minutes=1)
MINUTE = timedelta(minutes=1)
DONE = Ending(JobState.SUCCEEDED)


async def ask(storage: Storage, wanted: JobRequest) -> UUID:
    """Ask for a job and commit."""
    async with storage.cases(wanted.caller.organization) as unit:
        job_id = await unit.outbox.add(wanted)
        await unit.commit()
    return job_id


async def claim(
    storage: Storage, token: int = 1, now: datetime = LATER, queues: tuple[str, ...] = (), job_id: UUID | None = None
) -> Job | None:
    """Claim at a moment, for a minute."""
    return await storage.jobs.claim(Claim(now, now + MINUTE, key(token), f"w{token}", queues, job_id))


async def claimed(storage: Storage, token: int = 1, now: datetime = LATER) -> Job:
    """Claim where there must be something."""
    job = await claim(storage, token, now)
    assert job is not None
    return job


async def stored(storage: Storage, job_id: UUID, organization: OrganizationId = ACME) -> Job:
    """The row."""
    async with storage.job_units(organization, read_only=True) as unit:
        return await unit.jobs.get(job_id)


async def save(storage: Storage, before: Job, after: Job) -> None:
    """Keep a change and commit."""
    async with storage.job_units(before.caller.organization) as unit:
        await unit.jobs.save(before, after)
        await unit.commit()


class JobClaimContract(Contract):
    """Runners. A binding gives the fixture `subject`, a fresh and empty storage whose clock stands at START."""

    async def test_every_field_of_a_job_is_kept(self, subject: Storage) -> None:
        """From the wish to the end; times to the microsecond."""
        wanted = request(
            run_at=START + timedelta(microseconds=1),
            queue="slow-1",
            max_attempts=7,
            time_limit=timedelta(milliseconds=1500),
            trace="00-ab-cd-01",
        )
        job_id = await ask(subject, wanted)
        expected = replace(model.asked(wanted, job_id, START), caller=wanted.caller)
        assert await stored(subject, job_id) == expected
        taken = await claimed(subject)
        assert taken == model.claimed(expected, Claim(LATER, LEASE, key(1), "w1"))
        assert taken == await stored(subject, job_id)
        await subject.jobs.renew(taken, LEASE + MINUTE, Progress(1, 3, "Reading 🪵 é"))
        assert await stored(subject, job_id) == replace(
            taken, due_at=LEASE + MINUTE, progress=Progress(1, 3, "Reading 🪵 é")
        )
        ending = Ending(JobState.SUCCEEDED, "", b'{"a":[1,null]}', progress=Progress(3, 3, "Done"))
        assert await subject.jobs.finish(taken, ending)
        assert await stored(subject, job_id) == model.ended(taken, ending, START)

    async def test_a_job_is_claimed_once_as_its_caller(self, subject: Storage) -> None:
        """And counts its attempt before the work begins."""
        job_id = await ask(subject, request())
        job = await claimed(subject)
        assert (job.id, job.state, job.attempts, job.token) == (job_id, JobState.RUNNING, 1, key(1))
        assert job.caller == request().caller
        assert await claim(subject, 2) is None
        assert await claim(subject, 2, job_id=job_id) is None

    async def test_of_many_runners_each_job_has_one(self, subject: Storage) -> None:
        """Eight at once, for twenty jobs."""
        wanted = {await ask(subject, request()) for _ in range(20)}
        taken: list[UUID] = []

        async def runner(number: int) -> None:
            while job := await claim(subject, number):
                taken.append(job.id)
                await subject.jobs.finish(job, DONE)

        await asyncio.gather(*(runner(number) for number in range(8)))
        assert len(taken) == 20
        assert set(taken) == wanted

    async def test_of_many_runners_at_one_job_one_has_it(self, subject: Storage) -> None:
        """By its id, eight times at once."""
        job_id = await ask(subject, request())
        found = await asyncio.gather(*(claim(subject, number, job_id=job_id) for number in range(8)))
        assert len([job for job in found if job]) == 1

    async def test_the_oldest_due_job_comes_first_and_none_too_early(self, subject: Storage) -> None:
        """Over all organizations."""
        late = await ask(subject, request(run_at=LATER + timedelta(hours=1)))
        second = await ask(subject, request(run_at=START + timedelta(minutes=2)))
        first = await ask(subject, request(OTHER, run_at=START + timedelta(minutes=1)))
        order = [await claim(subject, number) for number in (1, 2, 3)]
        assert [job.id if job else None for job in order] == [first, second, None]
        assert await claim(subject, 4, job_id=late) is None
        job = await claim(subject, 5, LATER + timedelta(hours=1), job_id=late)
        assert job is not None

    async def test_a_runner_takes_jobs_of_its_queues_only(self, subject: Storage) -> None:
        """But any by its id: then somebody has told it of that one."""
        slow, fast = await ask(subject, request(queue="slow")), await ask(subject, request(queue="fast"))
        job = await claim(subject, queues=("fast", "other"))
        assert job is not None
        assert job.id == fast
        assert await claim(subject, 2, queues=("fast",)) is None
        job = await claim(subject, 3, queues=("fast",), job_id=slow)
        assert job is not None

    async def test_a_runner_that_never_comes_back_loses_its_job(self, subject: Storage) -> None:
        """And neither its heartbeat nor its late result is taken, nor any in the name of another organization."""
        job_id = await ask(subject, request())
        lost = await claimed(subject, 1)
        again = await claimed(subject, 2, LEASE)
        assert (again.id, again.attempts) == (job_id, 2)
        assert await subject.jobs.renew(lost, LEASE + timedelta(days=1), Progress(9, 9)) is Lease.LOST
        assert not await subject.jobs.finish(lost, DONE)
        foreign = replace(again, caller=replace(again.caller, organization=OTHER))
        assert await subject.jobs.renew(foreign, LEASE + timedelta(days=1), Progress(9, 9)) is Lease.LOST
        assert not await subject.jobs.finish(foreign, DONE)
        assert await stored(subject, job_id) == again
        assert await subject.jobs.finish(again, Ending(JobState.DEAD, "no"))
        ended = await stored(subject, job_id)
        assert (ended.state, ended.error, ended.token, ended.due_at) == (JobState.DEAD, "no", None, None)
        assert not await subject.jobs.finish(again, DONE)
        assert await subject.jobs.renew(again, LEASE + MINUTE, Progress()) is Lease.LOST

    async def test_a_heartbeat_keeps_the_job(self, subject: Storage) -> None:
        """Beyond the end of its first lease."""
        await ask(subject, request())
        job = await claimed(subject)
        assert await subject.jobs.renew(job, LEASE + MINUTE, Progress()) is Lease.HELD
        assert await claim(subject, 2, LEASE + timedelta(seconds=1)) is None
        assert await claim(subject, 2, LEASE + MINUTE) is not None

    async def test_a_heartbeat_hears_of_a_cancellation(self, subject: Storage) -> None:
        """And still holds its lease: ending is the runner's to do."""
        job_id = await ask(subject, request())
        job = await claimed(subject)
        await save(subject, await stored(subject, job_id), model.cancelled(job, START))
        assert await subject.jobs.renew(job, LEASE + MINUTE, Progress()) is Lease.CANCELLED
        assert await subject.jobs.finish(job, Ending(JobState.CANCELLED))
        assert (await stored(subject, job_id)).state is JobState.CANCELLED

    async def test_a_job_waits_for_its_next_attempt(self, subject: Storage) -> None:
        """In its row, not in anybody's memory."""
        job_id = await ask(subject, request())
        job = await claimed(subject)
        due = LATER + timedelta(minutes=5)
        await subject.jobs.finish(job, Ending(JobState.WAITING, "away", due_at=due))
        assert await claim(subject, 2, due - timedelta(microseconds=1)) is None
        job = await claimed(subject, 3, due)
        assert (job.id, job.attempts, job.error) == (job_id, 2, "away")

    async def test_an_attempt_that_is_handed_back_does_not_count(self, subject: Storage) -> None:
        """It is due at once again."""
        await ask(subject, request())
        job = await claimed(subject)
        assert await subject.jobs.finish(job, Ending(JobState.QUEUED, due_at=LATER, counted=False))
        assert (await claimed(subject, 2)).attempts == 1

    async def test_a_cancelled_claim_takes_a_job_whole_or_not_at_all(self, subject: Storage) -> None:
        """At every step of it: what is taken has a lease that ends, what is not is there for the next."""
        for turns in range(12):
            job_id = await ask(subject, request())
            task = asyncio.create_task(claim(subject, job_id=job_id))
            for _ in range(turns):
                await asyncio.sleep(0.0003)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            job = await stored(subject, job_id)
            untouched = (job.state, job.attempts, job.token) == (JobState.QUEUED, 0, None)
            taken = (job.state, job.attempts, job.token, job.due_at) == (JobState.RUNNING, 1, key(1), LEASE)
            assert untouched or taken
            assert await claim(subject, 2, LEASE, job_id=job_id) is not None


class JobRelayContract(Contract):
    """What keeps jobs going, and figures about them. The fixture is that of JobClaimContract."""

    async def test_a_job_that_nobody_claims_is_told_of_again(self, subject: Storage) -> None:
        """After the patience is over, and then not again before it is over once more."""
        job_id = await ask(subject, request(queue="q", trace="t"))
        jobs = subject.jobs
        assert await jobs.unclaimed(START + MINUTE - timedelta(microseconds=1), MINUTE, 10) == []
        assert await jobs.unclaimed(START + MINUTE, MINUTE, 10) == [QueuedJob(job_id, "q", "t")]
        assert await jobs.unclaimed(START + MINUTE, MINUTE, 10) == []
        assert await jobs.unclaimed(START + 2 * MINUTE, MINUTE, 10) == [QueuedJob(job_id, "q", "t")]

    async def test_a_job_whose_time_came_is_told_of_at_once(self, subject: Storage) -> None:
        """The first time, another attempt, or after its runner died."""
        job_id = await ask(subject, request(run_at=LATER))
        jobs = subject.jobs
        assert await jobs.unclaimed(LATER - timedelta(microseconds=1), MINUTE, 10) == []
        assert [job.id for job in await jobs.unclaimed(LATER, MINUTE, 10)] == [job_id]
        job = await claimed(subject)
        assert await jobs.unclaimed(LEASE - timedelta(microseconds=1), MINUTE, 10) == []
        assert [job.id for job in await jobs.unclaimed(LEASE, MINUTE, 10)] == [job_id]
        await jobs.finish(job, Ending(JobState.WAITING, due_at=LEASE + timedelta(seconds=1)))
        assert await jobs.unclaimed(LEASE, MINUTE, 10) == []
        assert [job.id for job in await jobs.unclaimed(LEASE + timedelta(seconds=1), MINUTE, 10)] == [job_id]

    async def test_ended_jobs_are_not_told_of(self, subject: Storage) -> None:
        """However long ago."""
        await ask(subject, request())
        await subject.jobs.finish(await claimed(subject), DONE)
        assert await subject.jobs.unclaimed(LATER + timedelta(days=1), MINUTE, 10) == []

    async def test_two_relays_at_once_share_the_jobs(self, subject: Storage) -> None:
        """Each job goes through one of them; a limit is kept, the oldest first."""
        wanted = [await ask(subject, request(run_at=START + timedelta(seconds=number))) for number in range(12)]
        first = await subject.jobs.unclaimed(LATER, MINUTE, 4)
        assert {job.id for job in first} == set(wanted[:4])
        parts = await asyncio.gather(*(subject.jobs.unclaimed(LATER, MINUTE, 10) for _ in range(3)))
        told = [job.id for part in parts for job in part]
        assert sorted(told) == sorted(wanted[4:])

    async def test_depths_count_what_waits_runs_and_was_given_up(self, subject: Storage) -> None:
        """By queue and state, with the moment since when the oldest is due."""
        assert list(await subject.jobs.depths()) == []
        for seconds in (5, 3):
            await ask(subject, request(queue="b", run_at=START + timedelta(seconds=seconds)))
        await ask(subject, request(OTHER, queue="a", run_at=START + timedelta(seconds=1)))
        await ask(subject, request(queue="a", run_at=START))
        await subject.jobs.finish(await claimed(subject), Ending(JobState.DEAD, "no"))
        await claimed(subject, 2)
        await ask(subject, request(queue="b", run_at=START - MINUTE))
        await subject.jobs.finish(await claimed(subject, 3), DONE)
        found = [(depth.queue, str(depth.state), depth.jobs, depth.oldest) for depth in await subject.jobs.depths()]
        assert found == [
            ("a", "dead", 1, START),
            ("a", "running", 1, LEASE),
            ("b", "queued", 2, START + timedelta(seconds=3)),
        ]

    async def test_sweeping_removes_what_ended_long_ago(self, subject: Storage) -> None:
        """And nothing that is open. Ends are stamped by the storage's clock."""
        done, kept = await ask(subject, request(run_at=START)), await ask(subject, request(run_at=LATER))
        job = await claimed(subject)
        assert job.id == done
        await subject.jobs.finish(job, DONE)
        assert await subject.jobs.sweep(START) == 0
        assert await subject.jobs.sweep(START + timedelta(seconds=1)) == 1
        assert (await stored(subject, kept)).state is JobState.QUEUED
        with pytest.raises(NotFoundError):
            await stored(subject, done)
