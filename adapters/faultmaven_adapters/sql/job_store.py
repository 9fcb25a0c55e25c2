"""Job rows as runners see them: across organizations, each call a transaction of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update

from faultmaven_adapters.sql.engine import SqlDatabase
from faultmaven_adapters.sql.rows import job_of, progress_row
from faultmaven_adapters.sql.tables import JOB
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_core.jobs.model import Claim, Ending, Job, JobState, Lease, Progress
from faultmaven_core.jobs.ports import JobStore, QueueDepth
from faultmaven_core.ports.job_queue import QueuedJob
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.ids import OrganizationId

_NOBODY = OrganizationId("")
_SINCE = func.coalesce(JOB.c.due_at, JOB.c.finished_at)


class SqlJobStore(JobStore):
    """See the port."""

    def __init__(self, database: SqlDatabase, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def claim(self, claim: Claim) -> Job | None:
        due = _due(claim)
        if claim.job_id is None and not await self._any(*due):
            return None
        # PostgreSQL: of many runners at one row, one has it and the others pass on to the next. SQLite has one writer.
        oldest = select(JOB.c.id).where(*due).order_by(JOB.c.due_at, JOB.c.id).limit(1)
        values = {"state": str(JobState.RUNNING), "attempts": JOB.c.attempts + 1, "token": claim.token}
        values |= {"due_at": claim.until, "worker": claim.worker, "started_at": claim.now} | progress_row(Progress())
        taken = update(JOB).where(JOB.c.id == oldest.with_for_update(skip_locked=True).scalar_subquery())
        async with self._transaction() as run:
            row = await run.first(taken.values(values).returning(*JOB.c))
            await run.commit()
        return None if row is None else job_of(row)

    async def renew(self, job: Job, until: datetime, progress: Progress) -> Lease:
        held = update(JOB).where(*_held(job)).values({"due_at": until} | progress_row(progress))
        async with self._transaction() as run:
            row = await run.first(held.returning(JOB.c.cancel_requested))
            await run.commit()
        if row is None:
            return Lease.LOST
        return Lease.CANCELLED if row.cancel_requested else Lease.HELD

    async def finish(self, job: Job, ending: Ending) -> bool:
        values: dict[str, Any] = {
            "state": str(ending.state),
            "error": ending.error,
            "result": ending.result,
            "token": None,
        }
        values |= {"due_at": ending.due_at, "finished_at": None if ending.due_at else self._clock.now()}
        values |= progress_row(ending.progress) | {"attempts": JOB.c.attempts - (0 if ending.counted else 1)}
        async with self._transaction() as run:
            done = await run.run(update(JOB).where(*_held(job)).values(values))
            await run.commit()
        return done.rowcount == 1

    async def unclaimed(self, now: datetime, patience: timedelta, limit: int) -> Sequence[QueuedJob]:
        untold = or_(JOB.c.notified_at < JOB.c.due_at, JOB.c.notified_at <= now - patience)
        wanted = (JOB.c.due_at <= now, untold)
        if not await self._any(*wanted):
            return []
        oldest = select(JOB.c.id).where(*wanted).order_by(JOB.c.due_at, JOB.c.id).limit(limit)
        # By name, not in place: PostgreSQL may run a subquery in place for each row, and then the limit is none.
        picked = oldest.with_for_update(skip_locked=True).cte("picked")
        told = update(JOB).where(JOB.c.id.in_(select(picked.c.id))).values(notified_at=now)
        async with self._transaction() as run:
            found = await run.run(told.returning(JOB.c.id, JOB.c.queue, JOB.c.trace))
            await run.commit()
        return [QueuedJob(row.id, row.queue, row.trace) for row in found]

    async def depths(self) -> Sequence[QueueDepth]:
        counted = select(JOB.c.queue, JOB.c.state, func.count().label("jobs"), func.min(_SINCE).label("oldest"))
        wanted = or_(JOB.c.due_at.is_not(None), JOB.c.state == str(JobState.DEAD))
        grouped = counted.where(wanted).group_by(JOB.c.queue, JOB.c.state).order_by(JOB.c.queue, JOB.c.state)
        async with self._transaction(read_only=True) as run:
            found = await run.run(grouped)
        return [QueueDepth(row.queue, JobState(row.state), row.jobs, row.oldest) for row in found]

    async def sweep(self, before: datetime) -> int:
        async with self._transaction() as run:
            done = await run.run(delete(JOB).where(JOB.c.finished_at < before))
            await run.commit()
        return done.rowcount

    async def _any(self, *wanted: ColumnElement[bool]) -> bool:
        """Looking first spares programs that find nothing to do the wait for the write lock."""
        async with self._transaction(read_only=True) as run:
            return await run.first(select(JOB.c.id).where(*wanted).limit(1)) is not None

    @asynccontextmanager
    async def _transaction(self, *, read_only: bool = False) -> AsyncIterator[SqlTransaction]:
        transaction = SqlTransaction(self._database, _NOBODY, read_only=read_only, runner=True)
        await transaction.begin()
        try:
            yield transaction
        finally:
            await transaction.end()


def _due(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    """Jobs that may be taken: their time has come, or their lease ended; `due_at` is either."""
    if claim.job_id is not None:
        return JOB.c.due_at <= claim.now, JOB.c.id == claim.job_id
    if claim.queues:
        return JOB.c.due_at <= claim.now, JOB.c.queue.in_(claim.queues)
    return (JOB.c.due_at <= claim.now,)


def _held(job: Job) -> tuple[ColumnElement[bool], ...]:
    return JOB.c.organization_id == job.caller.organization, JOB.c.id == job.id, JOB.c.token == job.token
