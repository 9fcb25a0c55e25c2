"""The transport that runs jobs in the program's own loop."""

from __future__ import annotations

import asyncio

import pytest

from faultmaven_adapters.jobs.embedded import CONCURRENCY, EmbeddedJobs
from faultmaven_core.jobs.context import JobContext
from faultmaven_core.jobs.model import JobState
from faultmaven_core.shared.errors import BackendUnavailableError
from tests.unit.jobs.conftest import Bench


async def test_jobs_run_soon_after_their_commit(bench: Bench) -> None:
    """Those of earlier runs at its start, and the rest before it closes."""
    first = await bench.ask()
    await bench.transport.start(bench.runner.run_one)
    await bench.becomes(first, JobState.SUCCEEDED)
    second = await bench.ask()
    await bench.becomes(second, JobState.SUCCEEDED)
    third = await bench.ask()
    await bench.transport.aclose()
    assert await bench.state(third) is JobState.SUCCEEDED
    await bench.transport.aclose()


async def test_no_more_jobs_run_at_once_than_allowed(bench: Bench) -> None:
    """And that many do."""
    running, most = 0, 0
    full = asyncio.Event()

    async def work(_: JobContext) -> object:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == CONCURRENCY:
            full.set()
        await full.wait()
        await asyncio.sleep(0.002)
        running -= 1
        return None

    bench.work = work
    jobs = [await bench.ask() for _ in range(CONCURRENCY * 3)]
    await bench.transport.start(bench.runner.run_one)
    for job in jobs:
        await bench.becomes(job, JobState.SUCCEEDED)
    assert most == CONCURRENCY


async def test_a_long_job_does_not_hold_up_the_others(bench: Bench) -> None:
    """What is asked for while it runs begins at once."""
    release = asyncio.Event()

    async def work(_: JobContext) -> object:
        if len(bench.ran) == 1:
            await release.wait()
        return None

    bench.work = work
    long = await bench.ask()
    await bench.transport.start(bench.runner.run_one)
    await bench.becomes(long, JobState.RUNNING)
    await bench.becomes(await bench.ask(), JobState.SUCCEEDED)
    release.set()
    await bench.becomes(long, JobState.SUCCEEDED)


async def test_a_database_that_is_away_does_not_end_the_transport(caplog: pytest.LogCaptureFixture) -> None:
    """It says so and looks again."""
    calls, called = 0, asyncio.Event()

    async def run_one() -> bool:
        nonlocal calls
        calls += 1
        called.set()
        if calls == 1:
            raise BackendUnavailableError("The database is away.")
        return False

    transport = EmbeddedJobs(concurrency=1)
    await transport.start(run_one)
    async with asyncio.timeout(60):
        await called.wait()
        called.clear()
        transport.notify(())
        await called.wait()
    assert "The database is away." in caplog.text
    await transport.aclose()


async def test_a_job_that_takes_too_long_is_handed_back_for_the_next_start(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Closing waits for a bounded time only; nothing is lost, no attempt is wasted."""

    async def work(_: JobContext) -> object:
        await asyncio.Event().wait()
        return None

    bench.work = work
    bench.transport = EmbeddedJobs(drain_seconds=0.05)
    job = await bench.ask()
    await bench.transport.start(bench.runner.run_one)
    await bench.becomes(job, JobState.RUNNING)
    async with asyncio.timeout(60):
        await bench.transport.aclose()
    assert "handed back" in caplog.text
    assert (await bench.state(job), (await bench.job(job)).attempts) == (JobState.QUEUED, 0)


async def test_schedules_are_looked_at_while_nothing_else_is_to_do(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not at the start, so that short programs do no housekeeping; a failure is said and the next look comes."""
    monkeypatch.setattr("faultmaven_adapters.jobs.embedded.PAUSE_SECONDS", 0.02)
    looks, thrice = 0, asyncio.Event()

    async def run_one() -> bool:
        return False

    async def tick() -> int:
        nonlocal looks
        looks += 1
        if looks == 3:
            thrice.set()
        raise BackendUnavailableError("The database is away.")

    transport = EmbeddedJobs()
    await transport.start(run_one, tick)
    assert looks == 0
    async with asyncio.timeout(60):
        await thrice.wait()
    assert "Schedules cannot be looked at now" in caplog.text
    await transport.aclose()


async def test_a_transport_that_does_not_run_says_so(bench: Bench) -> None:
    """Before its start and after its end."""
    with pytest.raises(BackendUnavailableError):
        await bench.transport.ping()
    await bench.transport.start(bench.runner.run_one)
    await bench.transport.ping()
    await bench.transport.aclose()
    with pytest.raises(BackendUnavailableError):
        await bench.transport.ping()
