"""A runner over memory, whose handler does as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from faultmaven_adapters.jobs.embedded import EmbeddedJobs
from faultmaven_adapters.sql.memory import MemoryStorage
from faultmaven_core.jobs.context import JobContext
from faultmaven_core.jobs.model import Job, JobState
from faultmaven_core.jobs.runner import JobRunner, RunnerOptions
from faultmaven_core.jobs.service import JobService
from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.ids import OrganizationId, SequentialIds, UserId

ANN = Caller(OrganizationId("acme"), UserId("ann"))
START = datetime(2026, 1, 1, tzinfo=UTC)

OPTIONS = RunnerOptions(beat=timedelta(milliseconds=10))

Work = Callable[[JobContext], Awaitable[object]]


async def nothing(_: JobContext) -> object:
    """A job without work."""
    return None


class Bench:
    """One database in memory, one runner, one transport that is not started."""

    def __init__(self) -> None:
        self.clock = FixedClock(START)
        self.transport = EmbeddedJobs(drain_seconds=5)
        self.ids = SequentialIds()
        self.storage = MemoryStorage("", self.clock, self.ids, self.transport.notify)
        self.ran: list[tuple[bytes, JobContext]] = []
        self.work: Work = nothing
        self.runner = self.another()
        self.service = JobService(self.storage.job_units, self.storage.jobs, self.clock)

    def another(self, **more: Any) -> JobRunner:
        """One more runner over the same rows."""
        more = {"options": OPTIONS} | more
        return JobRunner(self.storage.jobs, {"do": self.handle}, self.clock, self.ids, lambda: 1.0, **more)

    async def handle(self, payload: bytes, context: JobContext) -> object:
        """The operation `do`."""
        self.ran.append((payload, context))
        return await self.work(context)

    async def ask(self, operation: str = "do", **more: Any) -> UUID:
        """Ask for a job and commit."""
        async with self.storage.cases(ANN.organization) as unit:
            job = await unit.outbox.add(JobRequest(operation, b"{}", ANN, **more))
            await unit.commit()
        return job

    async def job(self, job_id: UUID) -> Job:
        """The row."""
        async with self.storage.job_units(ANN.organization, read_only=True) as unit:
            return await unit.jobs.get(job_id)

    async def state(self, job_id: UUID) -> JobState:
        """The row's state."""
        return (await self.job(job_id)).state

    async def began(self, attempts: int) -> None:
        """Wait until the handler was called that often."""
        async with asyncio.timeout(60):
            while len(self.ran) < attempts:  # noqa: ASYNC110 - as below
                await asyncio.sleep(0.001)

    async def becomes(self, job_id: UUID, state: JobState) -> None:
        """Wait until the row has a state."""
        async with asyncio.timeout(60):
            while await self.state(job_id) is not state:  # noqa: ASYNC110 - the store has no event to wait for
                await asyncio.sleep(0.001)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A fresh one, closed at the end."""
    made = Bench()
    yield made
    await made.transport.aclose()
