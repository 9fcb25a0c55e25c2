"""What every store of job rows promises."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.samples import ACME, OTHER, START, Storage, key, request
from faultmaven_core.jobs.model import Job, JobState
from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.shared.errors import NotFoundError

LATER = START + timedelta(hours=1)
LEASE = LATER + timedelta(minutes=1)


async def ask(storage: Storage, wanted: JobRequest) -> UUID:
    """Ask for a job and commit."""
    async with storage.cases(wanted.caller.organization) as unit:
        job_id = await unit.outbox.add(wanted)
        await unit.commit()
    return job_id


async def claim(storage: Storage, token: int = 1, now: datetime = LATER) -> Job | None:
    """Claim at a moment, for a minute."""
    return await storage.jobs.claim(now, now + timedelta(minutes=1), key(token))


class JobStoreContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty storage whose clock stands at START."""

    async def test_a_job_is_claimed_once_as_its_caller(self, subject: Storage) -> None:
        """And counts its attempt before the work begins."""
        job_id = await ask(subject, request())
        job = await claim(subject)
        assert job is not None
        assert (job.id, job.state, job.attempts, job.token) == (job_id, JobState.RUNNING, 1, key(1))
        assert job.caller == request().caller
        assert await claim(subject, 2) is None

    async def test_of_many_runners_each_job_has_one(self, subject: Storage) -> None:
        """Eight at once, for twenty jobs."""
        wanted = {await ask(subject, request()) for _ in range(20)}
        taken: list[UUID] = []

        async def runner(number: int) -> None:
            while job := await claim(subject, number):
                taken.append(job.id)
                await subject.jobs.finish(job, JobState.SUCCEEDED)

        await asyncio.gather(*(runner(number) for number in range(8)))
        assert len(taken) == 20
        assert set(taken) == wanted

    async def test_the_oldest_due_job_comes_first_and_none_too_early(self, subject: Storage) -> None:
        """Over all organizations."""
        late = await ask(subject, request(run_at=LATER + timedelta(hours=1)))
        second = await ask(subject, request(run_at=START + timedelta(minutes=2)))
        first = await ask(subject, request(OTHER, run_at=START + timedelta(minutes=1)))
        order = [await claim(subject, number) for number in (1, 2, 3)]
        assert [job.id if job else None for job in order] == [first, second, None]
        job = await claim(subject, 4, LATER + timedelta(hours=2))
        assert job is not None
        # The leases of the others ended meanwhile, and they were due earlier.
        assert job.id != late

    async def test_a_runner_that_never_comes_back_loses_its_job(self, subject: Storage) -> None:
        """And its late result is not taken."""
        job_id = await ask(subject, request())
        lost = await claim(subject, 1)
        assert lost is not None
        again = await claim(subject, 2, LEASE + timedelta(seconds=1))
        assert again is not None
        assert (again.id, again.attempts) == (job_id, 2)
        assert not await subject.jobs.finish(lost, JobState.SUCCEEDED)
        assert await subject.jobs.finish(again, JobState.DEAD, error="no")
        ended = await subject.jobs.get(job_id)
        assert (ended.state, ended.error, ended.token) == (JobState.DEAD, "no", None)
        assert not await subject.jobs.finish(again, JobState.SUCCEEDED)

    async def test_a_job_waits_for_its_next_attempt(self, subject: Storage) -> None:
        """In its row, not in anybody's memory."""
        job_id = await ask(subject, request())
        job = await claim(subject)
        assert job is not None
        await subject.jobs.finish(job, JobState.WAITING, error="away", run_at=LATER + timedelta(minutes=5))
        assert await claim(subject, 2) is None
        job = await claim(subject, 3, LATER + timedelta(minutes=6))
        assert job is not None
        assert (job.id, job.attempts, job.error) == (job_id, 2, "away")

    async def test_a_key_is_free_again_after_its_job_ended(self, subject: Storage) -> None:
        """But not while it runs or waits; other organizations have keys of their own."""
        first = await ask(subject, request(dedupe_key="k"))
        assert await ask(subject, request(OTHER, dedupe_key="k", run_at=LATER + timedelta(days=1))) != first
        job = await claim(subject)
        assert job is not None
        assert await ask(subject, request(dedupe_key="k")) == first
        await subject.jobs.finish(job, JobState.SUCCEEDED)
        assert await ask(subject, request(dedupe_key="k")) != first

    async def test_sweeping_removes_what_ended_long_ago(self, subject: Storage) -> None:
        """And nothing that is open. Ends are stamped by the storage's clock."""
        done, kept = await ask(subject, request(run_at=START)), await ask(subject, request(run_at=LATER))
        job = await claim(subject)
        assert job is not None
        assert job.id == done
        await subject.jobs.finish(job, JobState.SUCCEEDED)
        assert await subject.jobs.sweep(START) == 0
        assert await subject.jobs.sweep(START + timedelta(seconds=1)) == 1
        assert (await subject.jobs.get(kept)).state is JobState.QUEUED
        with pytest.raises(NotFoundError):
            await subject.jobs.get(done)

    async def test_a_job_that_nobody_asked_for_is_not_found(self, subject: Storage) -> None:
        """Nor can it be ended."""
        with pytest.raises(NotFoundError):
            await subject.jobs.get(key(99))
        await ask(subject, request(ACME))
        job = await claim(subject)
        assert job is not None
        assert not await subject.jobs.finish(replace(job, id=key(99)), JobState.SUCCEEDED)
