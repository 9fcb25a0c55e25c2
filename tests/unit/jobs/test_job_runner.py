"""Jobs run after the commit that asked for them, at least once, and give up in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from faultmaven_adapters.jobs.embedded import EmbeddedJobs
from faultmaven_adapters.sql.memory import MemoryStorage
from faultmaven_core.jobs.model import JobState
from faultmaven_core.jobs.runner import FIRST_DELAY, LEASE, MOST_ATTEMPTS, JobRunner
from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import BackendUnavailableError, NotFoundError
from faultmaven_core.shared.ids import OrganizationId, SequentialIds, UserId

ANN = Caller(OrganizationId("acme"), UserId("ann"))


class Bench:
    """A runner over memory, with a handler that does as it is told."""

    def __init__(self) -> None:
        self.clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.transport = EmbeddedJobs()
        self.storage = MemoryStorage("", self.clock, SequentialIds(), self.transport.notify)
        self.ran: list[tuple[bytes, Caller]] = []
        self.failure: Exception | None = None
        handlers = {"do": self.handle}
        self.runner = JobRunner(self.storage.jobs, handlers, self.clock, SequentialIds(), lambda: 1.0)

    async def handle(self, payload: bytes, caller: Caller) -> None:
        self.ran.append((payload, caller))
        if self.failure:
            raise self.failure

    async def ask(self, operation: str = "do", **more: Any) -> UUID:
        async with self.storage.cases(ANN.organization) as unit:
            job = await unit.outbox.add(JobRequest(operation, b"{}", ANN, **more))
            await unit.commit()
        return job

    async def success(self, job: UUID) -> None:
        while await self.state(job) is not JobState.SUCCEEDED:  # noqa: ASYNC110 - the store has no event to wait for
            await asyncio.sleep(0.001)

    async def state(self, job: UUID) -> JobState:
        return (await self.storage.jobs.get(job)).state


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A fresh one, closed at the end."""
    made = Bench()
    yield made
    await made.transport.aclose()


async def test_a_job_runs_once_as_who_asked_for_it(bench: Bench) -> None:
    """And then never again."""
    job = await bench.ask()
    assert await bench.runner.run_due() == 1
    assert await bench.runner.run_due() == 0
    assert bench.ran == [(b"{}", ANN)]
    assert await bench.state(job) is JobState.SUCCEEDED


async def test_what_may_pass_is_tried_again_later_and_then_given_up(bench: Bench) -> None:
    """Each delay is twice the one before; the row keeps the last error."""
    bench.failure = BackendUnavailableError("The store is away.")
    job = await bench.ask()
    for attempt in range(1, MOST_ATTEMPTS):
        assert await bench.runner.run_due() == 1
        assert await bench.state(job) is JobState.WAITING
        bench.clock.advance(FIRST_DELAY * 2 ** (attempt - 1) - timedelta(milliseconds=1))
        assert await bench.runner.run_due() == 0
        bench.clock.advance(timedelta(milliseconds=1))
    assert await bench.runner.run_due() == 1
    ended = await bench.storage.jobs.get(job)
    assert (ended.state, ended.attempts, ended.error) == (
        JobState.DEAD,
        MOST_ATTEMPTS,
        "unavailable: The store is away.",
    )
    assert len(bench.ran) == MOST_ATTEMPTS


@pytest.mark.parametrize("operation", ["do", "unknown"])
async def test_what_cannot_pass_is_given_up_at_once(bench: Bench, operation: str) -> None:
    """An unknown operation too; the runner lives on."""
    bench.failure = NotFoundError("gone")
    job = await bench.ask(operation)
    behind = await bench.ask()
    bench.clock.advance(timedelta(seconds=1))
    assert await bench.runner.run_due() == 2
    assert await bench.state(job) is JobState.DEAD
    assert await bench.state(behind) is JobState.DEAD


async def test_a_defect_does_not_stop_the_jobs_behind_it(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """The row has the class of the error, the log has the trace; no text of it is stored."""
    bench.failure = ZeroDivisionError("secret")
    job = await bench.ask()
    assert await bench.runner.run_due() == 1
    assert (await bench.storage.jobs.get(job)).error == "ZeroDivisionError"
    assert "ZeroDivisionError" in caplog.text


async def test_a_job_whose_runner_died_is_taken_over_but_not_for_ever(bench: Bench) -> None:
    """One that kills its runner each time is given up."""
    job = await bench.ask()
    for _ in range(MOST_ATTEMPTS):
        claimed = await bench.storage.jobs.claim(bench.clock.now(), bench.clock.now() + LEASE, job)
        assert claimed is not None
        bench.clock.advance(LEASE + timedelta(seconds=1))
    assert await bench.runner.run_one()
    assert await bench.state(job) is JobState.DEAD
    assert bench.ran == []


async def test_the_embedded_transport_runs_jobs_soon_after_their_commit(bench: Bench) -> None:
    """Those of earlier runs at its start, and the rest before it closes."""
    first = await bench.ask()
    await bench.transport.start(bench.runner.run_due)
    async with asyncio.timeout(5):
        await bench.success(first)
        second = await bench.ask()
        await bench.success(second)
    third = await bench.ask()
    await bench.transport.aclose()
    assert await bench.state(third) is JobState.SUCCEEDED
    await bench.transport.aclose()


async def test_a_database_that_is_away_does_not_end_the_transport(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """It says so and looks again."""
    calls, called = 0, asyncio.Event()

    async def run_due() -> int:
        nonlocal calls
        calls += 1
        called.set()
        if calls == 1:
            raise BackendUnavailableError("The database is away.")
        return 0

    await bench.transport.start(run_due)
    async with asyncio.timeout(5):
        await called.wait()
        called.clear()
        bench.transport.notify(())
        await called.wait()
    assert "The database is away." in caplog.text


async def test_a_job_that_takes_too_long_is_left_for_the_next_start(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Closing waits for a bounded time only."""
    monkeypatch.setattr("faultmaven_adapters.jobs.embedded.DRAIN_SECONDS", 0.05)

    async def run_due() -> int:
        await asyncio.sleep(60)
        return 1

    await bench.transport.start(run_due)
    await asyncio.sleep(0.01)
    async with asyncio.timeout(5):
        await bench.transport.aclose()
    assert "left for the next start" in caplog.text
