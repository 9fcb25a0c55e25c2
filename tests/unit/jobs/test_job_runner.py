"""Jobs run after the commit that asked for them, at least once, and give up in the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from faultmaven_core.jobs.commands import CancelJob
from faultmaven_core.jobs.context import JobContext
from faultmaven_core.jobs.model import MOST_RESULT, JobState, Lease, Progress
from faultmaven_core.jobs.runner import RunnerOptions
from faultmaven_core.shared.errors import (
    BackendUnavailableError,
    FaultMavenError,
    NotFoundError,
    RateLimitedError,
    StaleVersionError,
)
from tests.unit.jobs.conftest import ANN, OPTIONS, Bench, Work

FIRST_DELAY, LEASE = OPTIONS.first_delay, OPTIONS.lease
INSTANT = timedelta(milliseconds=1)


def failing(error: Exception) -> Work:
    """Work that fails."""

    async def work(_: JobContext) -> object:
        raise error

    return work


async def sleeping(_: JobContext) -> object:
    """Work that never ends by itself."""
    await asyncio.Event().wait()
    return None


async def test_a_job_runs_once_as_who_asked_for_it(bench: Bench) -> None:
    """And then never again. Its caller's key is the job, so that a command takes effect once however often it is tried."""
    job = await bench.ask(trace="00-ab")
    assert await bench.runner.run_due() == 1
    assert await bench.runner.run_due() == 0
    ((payload, context),) = bench.ran
    assert payload == b"{}"
    assert context.caller == replace(ANN, request_key=f"job-{job}")
    assert (context.job_id, context.attempt, context.trace) == (job, 1, "00-ab")
    assert await bench.state(job) is JobState.SUCCEEDED


async def test_a_runner_that_is_given_an_id_runs_that_job_only(bench: Bench) -> None:
    """And it does nothing where the job is not there to be taken."""
    first, second = await bench.ask(), await bench.ask()
    assert await bench.runner.run(second)
    assert not await bench.runner.run(second)
    assert [context.job_id for _, context in bench.ran] == [second]
    assert await bench.state(first) is JobState.QUEUED


async def test_a_runner_of_some_queues_leaves_the_others_alone(bench: Bench) -> None:
    """So that slow work does not stand before quick work."""
    slow, quick = await bench.ask(queue="slow"), await bench.ask(queue="quick")
    assert await bench.another(queues=["quick"]).run_due() == 1
    assert await bench.state(slow) is JobState.QUEUED
    assert await bench.state(quick) is JobState.SUCCEEDED


async def test_the_answer_is_kept_with_the_job(bench: Bench) -> None:
    """As JSON, with the last progress."""

    async def work(context: JobContext) -> object:
        context.progress(2, 2, "All read")
        return Progress(1, 2, "x")

    bench.work = work
    job = await bench.job(await bench.ask())
    await bench.another(worker="me").run_due()
    job = await bench.job(job.id)
    assert (job.result, job.progress) == (b'{"done":1,"total":2,"sentence":"x"}', Progress(2, 2, "All read"))
    assert (job.worker, job.started_at, job.finished_at) == ("me", bench.clock.now(), bench.clock.now())


@pytest.mark.parametrize(("size", "kept"), [(MOST_RESULT - 2, True), (MOST_RESULT - 1, False)])
async def test_an_answer_that_is_too_large_is_not_kept_and_it_is_said(bench: Bench, size: int, *, kept: bool) -> None:
    """The work is done all the same."""

    async def work(_: JobContext) -> object:
        return "x" * size

    bench.work = work
    job_id = await bench.ask()
    await bench.runner.run_due()
    job = await bench.job(job_id)
    assert job.state is JobState.SUCCEEDED
    assert bool(job.result) is kept
    assert job.error == ("" if kept else "too_large: The result has 65537 bytes, 65536 are kept.")


async def test_what_may_pass_is_tried_again_later_and_then_given_up(bench: Bench) -> None:
    """Each delay is twice the one before; the row keeps the last error."""
    bench.work = failing(BackendUnavailableError("The store is away."))
    job_id = await bench.ask(max_attempts=4)
    for attempt in range(1, 4):
        assert await bench.runner.run_due() == 1
        assert await bench.state(job_id) is JobState.WAITING
        bench.clock.advance(FIRST_DELAY * 2 ** (attempt - 1) - INSTANT)
        assert await bench.runner.run_due() == 0
        bench.clock.advance(INSTANT)
    assert await bench.runner.run_due() == 1
    job = await bench.job(job_id)
    assert (job.state, job.attempts, job.error) == (JobState.DEAD, 4, "unavailable: The store is away.")
    assert len(bench.ran) == 4


@pytest.mark.parametrize(("after", "waited"), [(0.5, FIRST_DELAY), (90, timedelta(seconds=90))])
async def test_who_asks_for_patience_gets_it(bench: Bench, after: float, waited: timedelta) -> None:
    """A limit's own wait counts where it is longer than ours."""
    bench.work = failing(RateLimitedError("Too many.", retry_after=after))
    job = await bench.ask()
    await bench.runner.run_due()
    assert (await bench.job(job)).due_at == bench.clock.now() + waited


async def test_a_lost_race_is_tried_again(bench: Bench) -> None:
    """A job reads anew what somebody else changed."""
    bench.work = failing(StaleVersionError("Somebody was faster."))
    job = await bench.ask()
    await bench.runner.run_due()
    assert await bench.state(job) is JobState.WAITING


@pytest.mark.parametrize("operation", ["do", "unknown"])
async def test_what_cannot_pass_is_given_up_at_once(bench: Bench, operation: str) -> None:
    """An unknown operation too; the runner lives on."""
    bench.work = failing(NotFoundError("gone"))
    job = await bench.ask(operation)
    behind = await bench.ask()
    assert await bench.runner.run_due() == 2
    assert await bench.state(job) is JobState.DEAD
    assert await bench.state(behind) is JobState.DEAD


async def test_a_defect_does_not_stop_the_jobs_behind_it(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """The row has the class of the error, the log has the trace; no text of it is stored."""
    bench.work = failing(ZeroDivisionError("secret"))
    job = await bench.ask()
    assert await bench.runner.run_due() == 1
    assert (await bench.job(job)).error == "ZeroDivisionError"
    assert "ZeroDivisionError" in caplog.text


async def test_an_error_is_kept_whatever_its_text_is(bench: Bench) -> None:
    """Text that a database refuses must not keep the job from ending."""
    bench.work = failing(FaultMavenError("a\0b\ud800" + "x" * 5000))
    job = await bench.ask()
    await bench.runner.run_due()
    error = (await bench.job(job)).error
    assert error.startswith("fault: a b?x")
    assert len(error) == 2000


async def test_a_job_whose_runner_died_is_taken_over_but_not_for_ever(bench: Bench) -> None:
    """One that kills its runner each time is given up: its attempts were counted before the work."""
    job = await bench.ask(max_attempts=3)
    bench.work = sleeping
    for attempt in (1, 2, 3):
        dies = asyncio.create_task(bench.runner.run_one())
        await bench.began(attempt)
        await _killed(bench, dies)
        bench.clock.advance(LEASE)
    assert await bench.runner.run_one()
    assert (await bench.job(job)).error == "given up: its runner never came back"
    assert await bench.state(job) is JobState.DEAD
    assert len(bench.ran) == 3


async def _killed(bench: Bench, runner: asyncio.Task[bool]) -> None:
    """End a runner without letting it say a word to the database."""
    store, bench.storage.jobs.finish = bench.storage.jobs.finish, _deaf  # type: ignore[method-assign,assignment]  # dead men tell no tales
    runner.cancel()
    await asyncio.gather(runner, return_exceptions=True)
    bench.storage.jobs.finish = store  # type: ignore[method-assign]  # as above


async def _deaf(*_: object) -> bool:
    return False


async def test_a_runner_that_is_stopped_hands_its_job_back(bench: Bench) -> None:
    """At once, without waiting for the lease, and the attempt does not count."""
    bench.work = sleeping
    job_id = await bench.ask()
    runner = asyncio.create_task(bench.runner.run_one())
    await bench.becomes(job_id, JobState.RUNNING)
    runner.cancel()
    with pytest.raises(asyncio.CancelledError):
        await runner
    job = await bench.job(job_id)
    assert (job.state, job.attempts, job.token, job.due_at) == (JobState.QUEUED, 0, None, bench.clock.now())


async def test_a_heartbeat_keeps_the_job_and_its_progress(bench: Bench) -> None:
    """For as long as the work takes."""
    said = asyncio.Event()

    async def work(context: JobContext) -> object:
        context.progress(1, 4, "Reading a.log")
        said.set()
        await asyncio.Event().wait()
        return None

    bench.work = work
    job_id = await bench.ask()
    runner = asyncio.create_task(bench.runner.run_one())
    await said.wait()
    bench.clock.advance(LEASE - INSTANT)
    async with asyncio.timeout(60):
        while (await bench.job(job_id)).progress.done != 1:  # noqa: ASYNC110 - the store has no event to wait for
            await asyncio.sleep(0.001)
    bench.clock.advance(LEASE - INSTANT)
    assert not await bench.another().run(job_id)
    runner.cancel()
    await asyncio.gather(runner, return_exceptions=True)


async def test_a_runner_whose_job_is_anothers_by_now_stops_working(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """Its result is not taken."""
    bench.work = sleeping
    job = await bench.ask()
    first = asyncio.create_task(bench.another(options=RunnerOptions(beat=timedelta(seconds=0.05))).run_one())
    await bench.becomes(job, JobState.RUNNING)
    bench.clock.advance(LEASE)
    second = asyncio.create_task(bench.runner.run_one())
    async with asyncio.timeout(60):
        assert await first
    assert "its result is not taken" in caplog.text
    assert (await bench.state(job), (await bench.job(job)).attempts) == (JobState.RUNNING, 2)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)


async def test_a_heartbeat_that_fails_does_not_end_the_work(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """The database is away for a moment."""
    renew, failures = bench.storage.jobs.renew, 3
    done = asyncio.Event()

    async def shaky(*arguments: object) -> Lease:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise BackendUnavailableError("The database is away.")
        done.set()
        return await renew(*arguments)  # type: ignore[arg-type]  # handed through

    async def work(_: JobContext) -> object:
        await done.wait()
        return None

    bench.storage.jobs.renew = shaky  # type: ignore[method-assign,assignment]  # fails thrice
    bench.work = work
    job = await bench.ask()
    async with asyncio.timeout(60):
        assert await bench.runner.run_one()
    assert await bench.state(job) is JobState.SUCCEEDED
    assert "cannot be renewed now: The database is away." in caplog.text


@pytest.mark.parametrize("asks", [True, False])
async def test_a_running_job_ends_when_it_is_cancelled(bench: Bench, *, asks: bool) -> None:
    """Whether it asks or only waits; it is not tried again."""

    async def asking(context: JobContext) -> object:
        for step in range(100_000):
            context.progress(step, 100_000)
            await asyncio.sleep(0.001)
        return None

    bench.work = asking if asks else sleeping
    job = await bench.ask()
    runner = asyncio.create_task(bench.runner.run_one())
    await bench.becomes(job, JobState.RUNNING)
    view = await bench.service.cancel(CancelJob(str(job)), ANN)
    assert (view.state, view.cancel_requested) == ("running", True)
    async with asyncio.timeout(60):
        assert await runner
    assert await bench.state(job) is JobState.CANCELLED
    assert await bench.runner.run_due() == 0


async def test_a_cancelled_job_whose_runner_died_is_not_begun_again(bench: Bench) -> None:
    """The next runner only writes the end down."""
    bench.work = sleeping
    job = await bench.ask()
    runner = asyncio.create_task(bench.runner.run_one())
    await bench.becomes(job, JobState.RUNNING)
    await _killed(bench, runner)
    await bench.service.cancel(CancelJob(str(job)), ANN)
    bench.clock.advance(LEASE)
    assert await bench.runner.run_one()
    assert await bench.state(job) is JobState.CANCELLED
    assert len(bench.ran) == 1


async def test_an_attempt_that_takes_too_long_has_failed(bench: Bench) -> None:
    """It is tried again, as often as any other; a time-out inside of the work is no such thing."""
    bench.work = sleeping
    job_id = await bench.ask(time_limit=timedelta(milliseconds=20), max_attempts=2)
    assert await bench.runner.run_one()
    assert await bench.state(job_id) is JobState.WAITING
    bench.clock.advance(FIRST_DELAY)
    assert await bench.runner.run_one()
    job = await bench.job(job_id)
    assert job.state is JobState.DEAD
    assert job.error == "deadline_exceeded: The attempt took longer than its time limit of 0.02 s."
    bench.work = failing(TimeoutError())
    job_id = await bench.ask(max_attempts=1)
    await bench.runner.run_one()
    assert (await bench.job(job_id)).error == "TimeoutError"


async def test_no_attempt_takes_longer_than_its_runner_allows(bench: Bench) -> None:
    """Whatever the job asked for; a job that asked for less gets less."""
    bench.work = sleeping
    job_id = await bench.ask(max_attempts=1)
    strict = bench.another(options=RunnerOptions(time_limit=timedelta(milliseconds=30)))
    assert await strict.run_one()
    job = await bench.job(job_id)
    assert (job.state, job.error[-10:]) == (JobState.DEAD, "of 0.03 s.")
    job_id = await bench.ask(max_attempts=1, time_limit=timedelta(milliseconds=20))
    assert await strict.run_one()
    assert (await bench.job(job_id)).error.endswith("of 0.02 s.")


async def test_work_that_cancels_itself_has_failed(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody stopped the runner, so the runner goes on."""
    caplog.set_level(logging.CRITICAL)
    bench.work = failing(asyncio.CancelledError())  # type: ignore[arg-type]  # it is no Exception, and that is the point
    job = await bench.ask(max_attempts=1)
    assert await bench.runner.run_one()
    assert (await bench.job(job)).error == "RuntimeError"


async def test_what_was_lost_on_the_way_is_told_of_again(bench: Bench) -> None:
    """After the patience is over; what just became due at once."""
    first = await bench.ask(queue="q", trace="t")
    second = await bench.ask(run_at=bench.clock.now() + timedelta(seconds=5))
    bench.clock.advance(timedelta(seconds=5))
    assert [job.id for job in await bench.runner.relay()] == [second]
    bench.clock.advance(timedelta(seconds=55))
    assert [(job.id, job.queue, job.trace) for job in await bench.runner.relay()] == [(first, "q", "t")]


async def test_only_due_jobs_are_told_of_at_their_commit(bench: Bench) -> None:
    """Those of later are told of when their time has come."""
    told: list[object] = []

    def notify(jobs: Sequence[object]) -> None:
        told.extend(jobs)

    bench.storage._notify = notify
    job = await bench.ask(queue="q", trace="t")
    await bench.ask(run_at=bench.clock.now() + timedelta(hours=1))
    assert [str(item) for item in told] == [f"QueuedJob(id={job!r}, queue='q', trace='t')"]


async def test_depths_are_reported(bench: Bench) -> None:
    """For whoever scales runners."""
    await bench.ask(queue="q")
    (depth,) = await bench.runner.depths()
    assert (depth.queue, depth.state, depth.jobs, depth.oldest) == ("q", JobState.QUEUED, 1, bench.clock.now())
