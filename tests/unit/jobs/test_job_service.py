"""Jobs as people see them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from faultmaven_adapters.sql.memory_jobs import MemoryJobRepository
from faultmaven_core.jobs import commands as c
from faultmaven_core.jobs.model import JobState
from faultmaven_core.jobs.service import KEEP
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import (
    AlreadyExistsError,
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
    StaleVersionError,
)
from faultmaven_core.shared.ids import OrganizationId, UserId
from tests.unit.jobs.conftest import ANN, START, Bench

BOB = Caller(OrganizationId("other"), UserId("bob"))


async def test_a_job_is_shown_whole(bench: Bench) -> None:
    """From the moment that it was asked for."""
    job_id = await bench.ask(queue="q", trace="t", run_at=START + timedelta(hours=1))
    assert await bench.service.show(c.ShowJob(str(job_id)), ANN) == c.JobDetail(
        c.JobView(
            str(job_id),
            "do",
            "queued",
            "q",
            0,
            5,
            0,
            0,
            "",
            "",
            False,
            "ann",
            START,
            START + timedelta(hours=1),
            None,
            None,
        ),
        "",
        "t",
        None,
    )


async def test_jobs_are_listed_in_pages(bench: Bench) -> None:
    """Newest first; the dead ones have a list of their own."""
    ids = [str(await bench.ask()) for _ in range(5)]
    page = await bench.service.list(c.ListJobs(limit=3), ANN)
    rest = await bench.service.list(c.ListJobs(after=page.next, limit=3), ANN)
    assert [job.job_id for job in page.jobs + rest.jobs] == ids[::-1]
    assert rest.next is None
    lost = str(await bench.ask("unknown"))
    await bench.runner.run_due()
    dead = await bench.service.dead(c.ListDeadJobs(), ANN)
    assert [(job.job_id, job.state) for job in dead.jobs] == [(lost, "dead")]


async def test_wrong_questions_are_refused(bench: Bench) -> None:
    """With the field that is wrong."""
    for command in (c.ListJobs(state="done"), c.ListJobs(limit=0), c.ListJobs(after="x"), c.ListJobs(queue="\0")):
        with pytest.raises(InvalidInputError):
            await bench.service.list(command, ANN)


async def test_other_organizations_see_nothing(bench: Bench) -> None:
    """Neither here nor there; what is no id looks the same."""
    job = str(await bench.ask())
    assert (await bench.service.list(c.ListJobs(), BOB)).jobs == ()
    calls: list[Any] = [
        lambda name: bench.service.show(c.ShowJob(name), BOB),
        lambda name: bench.service.cancel(c.CancelJob(name), BOB),
        lambda name: bench.service.retry(c.RetryJob(name), BOB),
    ]
    for call in calls:
        for name in (job, "nonsense"):
            with pytest.raises(NotFoundError, match=f"There is no job {name}"):
                await call(name)


async def test_a_job_is_cancelled_twice_with_one_answer(bench: Bench) -> None:
    """Asking again changes nothing."""
    job = str(await bench.ask())
    first = await bench.service.cancel(c.CancelJob(job), ANN)
    bench.clock.advance(timedelta(hours=1))
    assert await bench.service.cancel(c.CancelJob(job), ANN) == first
    assert (first.state, first.finished_at) == ("cancelled", START)


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.SUCCEEDED])
async def test_only_what_was_given_up_or_cancelled_is_retried(bench: Bench, state: JobState) -> None:
    """Everything else says what it is."""
    job = await bench.ask()
    if state is JobState.SUCCEEDED:
        await bench.runner.run_due()
    with pytest.raises(PreconditionFailedError, match=f"is {state}"):
        await bench.service.retry(c.RetryJob(str(job)), ANN)


async def test_a_retry_beside_an_open_twin_is_refused(bench: Bench) -> None:
    """It is done by the twin already."""
    job = await bench.ask("unknown", dedupe_key="k")
    await bench.runner.run_due()
    await bench.ask(dedupe_key="k")
    with pytest.raises(AlreadyExistsError):
        await bench.service.retry(c.RetryJob(str(job)), ANN)


async def test_a_person_who_was_too_slow_tries_again_unseen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runner took the job between reading and writing; then the running one is cancelled."""
    job = await bench.ask()
    real, lost = MemoryJobRepository.save, 0

    async def slow(self: MemoryJobRepository, before: Any, after: Any) -> None:
        nonlocal lost
        lost += 1
        if lost <= 2:
            raise StaleVersionError("A runner was faster.")
        await real(self, before, after)

    monkeypatch.setattr(MemoryJobRepository, "save", slow)
    assert (await bench.service.cancel(c.CancelJob(str(job)), ANN)).state == "cancelled"
    assert lost == 3
    lost = -10
    other = await bench.ask()
    with pytest.raises(StaleVersionError):
        await bench.service.cancel(c.CancelJob(str(other)), ANN)


async def test_ended_jobs_are_swept_after_a_week(bench: Bench) -> None:
    """Of all organizations; open ones are not."""
    await bench.ask()
    await bench.runner.run_due()
    open_one = await bench.ask(run_at=START + timedelta(days=365))
    bench.clock.advance(KEEP + timedelta(seconds=1))
    swept = await asyncio.gather(*(bench.service.sweep(c.SweepJobs(), ANN) for _ in range(2)))
    assert sum(one.jobs for one in swept) == 1
    assert await bench.state(open_one) is JobState.QUEUED
