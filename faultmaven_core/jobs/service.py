"""Use cases over jobs, for people. What runs them is the runner."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from faultmaven_core import codec
from faultmaven_core.jobs import commands as c
from faultmaven_core.jobs import model
from faultmaven_core.jobs.model import Job, JobState
from faultmaven_core.jobs.ports import JobQuery, JobStore, JobUnits
from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import NotFoundError, StaleVersionError
from faultmaven_core.shared.page import cursor, limited
from faultmaven_core.shared.text import checked, choice

KEEP = timedelta(days=7)
"""How long ended jobs and their results can be looked at."""

_TRIES = 3
"""How often a change is tried that a runner was faster than."""


class JobService:
    """Shows, cancels and retries jobs of the caller's organization. Other organizations' look like none."""

    def __init__(self, units: JobUnits, store: JobStore, clock: Clock) -> None:
        self._units, self._store, self._clock = units, store, clock

    async def list(self, command: c.ListJobs, caller: Caller) -> c.JobPage:
        """A page of jobs, newest first."""
        states = (choice(JobState, "state", command.state),) if command.state else tuple(JobState)
        operation = checked("operation", command.operation, most=64)
        query = JobQuery(states, operation, checked("queue", command.queue, most=64))
        return await self._page(query, command.after, command.limit, caller)

    async def dead(self, command: c.ListDeadJobs, caller: Caller) -> c.JobPage:
        """A page of jobs that were given up, newest first."""
        return await self._page(JobQuery((JobState.DEAD,)), command.after, command.limit, caller)

    async def show(self, command: c.ShowJob, caller: Caller) -> c.JobDetail:
        """One job. Raises NotFoundError."""
        async with self._units(caller.organization, read_only=True) as unit:
            job = await unit.jobs.get(_id(command.job_id))
        result = codec.restore(object, job.result) if job.result else None
        return c.JobDetail(_view(job), job.worker, job.trace, result)

    async def ask(self, request: JobRequest) -> c.JobView:
        """Ask for a job; the one that is open already where it has the same key or id."""
        async with self._units(request.caller.organization) as unit:
            job_id = await unit.outbox.add(request)
            await unit.commit()
        async with self._units(request.caller.organization, read_only=True) as unit:
            return _view(await unit.jobs.get(job_id))

    async def cancel(self, command: c.CancelJob, caller: Caller) -> c.JobView:
        """End a job. Raises NotFoundError, or PreconditionFailedError where it succeeded or was given up."""
        return await self._change(command.job_id, caller, model.cancelled)

    async def retry(self, command: c.RetryJob, caller: Caller) -> c.JobView:
        """Begin a job anew. Raises NotFoundError, or PreconditionFailedError where it is neither dead nor cancelled."""
        return await self._change(command.job_id, caller, model.retried)

    async def sweep(self, command: c.SweepJobs, caller: Caller) -> c.JobsSwept:  # noqa: ARG002 - the shape of all use cases
        """Remove jobs that ended long ago, of all organizations."""
        return c.JobsSwept(await self._store.sweep(self._clock.now() - KEEP))

    async def _page(self, query: JobQuery, after: str | None, limit: int, caller: Caller) -> c.JobPage:
        async with self._units(caller.organization, read_only=True) as unit:
            page = await unit.jobs.page(query, after=cursor(after), limit=limited(limit))
        return c.JobPage(tuple(_view(job) for job in page.items), page.next.hex if page.next else None)

    async def _change(self, job_id: str, caller: Caller, change: Callable[[Job, datetime], Job]) -> c.JobView:
        for left in reversed(range(_TRIES)):
            async with self._units(caller.organization) as unit:
                before = await unit.jobs.get(_id(job_id))
                after = change(before, self._clock.now())
                try:
                    await unit.jobs.save(before, after)
                    await unit.commit()
                except StaleVersionError:
                    if not left:
                        raise
                    continue
            break
        return _view(after)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFoundError(f"There is no job {text}.") from error


def _view(job: Job) -> c.JobView:
    return c.JobView(
        str(job.id),
        job.operation,
        str(job.state),
        job.queue,
        job.attempts,
        job.max_attempts,
        job.progress.done,
        job.progress.total,
        job.progress.sentence,
        job.error,
        job.cancel_requested,
        job.caller.user,
        job.created_at,
        job.due_at,
        job.started_at,
        job.finished_at,
    )
