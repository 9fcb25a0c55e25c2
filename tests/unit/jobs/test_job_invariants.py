"""Whatever runners and people do at the same time, a job has one owner, and what has ended stays so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven_adapters.sql.memory import MemoryStorage
from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_core.jobs.commands import CancelJob, RetryJob
from faultmaven_core.jobs.model import OPEN, Claim, Ending, Job, JobState, Lease, Progress
from faultmaven_core.jobs.service import JobService
from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import PreconditionFailedError
from faultmaven_core.shared.ids import RandomIds, SequentialIds
from tests.unit.jobs.conftest import ANN, START

LEASE = timedelta(seconds=60)
RUNNERS = 3
ENDINGS = (JobState.SUCCEEDED, JobState.DEAD, JobState.CANCELLED, JobState.WAITING, JobState.QUEUED)

Storage = MemoryStorage | SqlStorage
Step = tuple[str, int, int]

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("claim"), st.integers(0, RUNNERS - 1), st.just(0)),
        st.tuples(st.just("renew"), st.integers(0, RUNNERS - 1), st.just(0)),
        st.tuples(st.just("finish"), st.integers(0, RUNNERS - 1), st.integers(0, len(ENDINGS) - 1)),
        st.tuples(st.sampled_from(["cancel", "retry"]), st.just(0), st.just(0)),
        st.tuples(st.just("pass"), st.just(0), st.sampled_from([1, 30, 61])),
    ),
    max_size=40,
)


@dataclass
class World:
    """One job, some runners who remember the last job that they got, and what must be so."""

    storage: Storage
    clock: FixedClock
    job_id: UUID
    held: dict[int, Job] = field(default_factory=dict)
    owner: UUID | None = None
    accepted: list[UUID] = field(default_factory=list)
    tokens: int = 0

    async def row(self) -> Job:
        """The job as it is stored."""
        async with self.storage.job_units(ANN.organization, read_only=True) as unit:
            return await unit.jobs.get(self.job_id)

    async def claim(self, runner: int, _: int) -> None:
        """Only what is open and due is given; its attempt counts."""
        before, now = await self.row(), self.clock.now()
        self.tokens += 1
        job = await self.storage.jobs.claim(Claim(now, now + LEASE, UUID(int=self.tokens), job_id=self.job_id))
        due = before.due_at is not None and before.due_at <= now
        assert (job is not None) == (due and before.state in OPEN)
        if job is not None:
            assert job.attempts == before.attempts + 1
            self.held[runner], self.owner = job, job.token

    async def renew(self, runner: int, _: int) -> None:
        """Only the owner's lease is held."""
        if job := self.held.get(runner):
            lease = await self.storage.jobs.renew(job, self.clock.now() + LEASE, Progress())
            assert (lease is not Lease.LOST) == (job.token == self.owner)
            if lease is not Lease.LOST:
                assert (lease is Lease.CANCELLED) == (await self.row()).cancel_requested

    async def finish(self, runner: int, choice: int) -> None:
        """Only the owner's end is taken, and of each attempt one."""
        if job := self.held.get(runner):
            state = ENDINGS[choice]
            due_at = self.clock.now() + timedelta(seconds=5) if state in OPEN else None
            handed_back = state is JobState.QUEUED
            taken = await self.storage.jobs.finish(job, Ending(state, due_at=due_at, counted=not handed_back))
            assert taken == (job.token == self.owner)
            if taken and job.token is not None:
                self.accepted.append(job.token)
                self.owner = None
                assert (await self.row()).state is state

    async def cancel(self, *_: int) -> None:
        """A person."""
        before = await self.row()
        await self._ask(
            lambda service: service.cancel(CancelJob(str(self.job_id)), ANN), allowed=before.state in _CANCELLABLE
        )

    async def retry(self, *_: int) -> None:
        """A person."""
        before = await self.row()
        await self._ask(
            lambda service: service.retry(RetryJob(str(self.job_id)), ANN), allowed=before.state in _RETRIABLE
        )

    async def _ask(self, call: Callable[[JobService], Awaitable[object]], *, allowed: bool) -> None:
        service = JobService(self.storage.job_units, self.storage.jobs, self.clock)
        try:
            await call(service)
        except PreconditionFailedError:
            assert not allowed
        else:
            assert allowed

    def check(self, step: str, before: Job, after: Job) -> None:
        """What must be so after every step."""
        assert len(set(self.accepted)) == len(self.accepted)
        assert (after.state is JobState.RUNNING) == (after.token is not None)
        assert after.token == self.owner
        assert (after.due_at is None) == (after.state not in OPEN)
        assert (after.finished_at is None) == (after.state in OPEN)
        if before.state not in OPEN and step != "retry":
            assert after == before


_CANCELLABLE = (*OPEN, JobState.CANCELLED)
_RETRIABLE = (JobState.DEAD, JobState.CANCELLED)


async def _play(storage: Storage, clock: FixedClock, steps: list[Step]) -> None:
    async with storage.cases(ANN.organization) as unit:
        job_id = await unit.outbox.add(JobRequest("do", b"{}", ANN))
        await unit.commit()
    world = World(storage, clock, job_id)
    for step, first, second in steps:
        before = await world.row()
        if step == "pass":
            clock.advance(timedelta(seconds=second))
        else:
            await getattr(world, step)(first, second)
        world.check(step, before, await world.row())


@settings(max_examples=150)
@given(steps=STEPS)
def test_one_owner_and_no_second_end_in_memory(steps: list[Step]) -> None:
    """Any order of claims, heartbeats, ends, cancellations, retries and time."""
    clock = FixedClock(START)
    asyncio.run(_play(MemoryStorage("", clock, SequentialIds(), lambda _: None), clock, steps))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file for all examples: each has a job of its own."""
    return tmp_path_factory.mktemp("jobs") / "fm.db"


@settings(max_examples=15)
@given(steps=STEPS)
def test_one_owner_and_no_second_end_in_sqlite(steps: list[Step], database: Path) -> None:
    """The same in rows that survive."""
    clock = FixedClock(START)

    async def work() -> None:
        storage = SqlStorage(str(database), clock, RandomIds(clock), lambda _: None)
        await storage.start()
        try:
            await _play(storage, clock, steps)
        finally:
            await storage.aclose()

    asyncio.run(work())
