"""Job rows: written by units of work, claimed and ended by runners."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, delete, insert, or_, select, update

from faultmaven_adapters.sql.engine import SqlDatabase
from faultmaven_adapters.sql.outbox import CollectingOutbox
from faultmaven_adapters.sql.rows import job_of
from faultmaven_adapters.sql.tables import JOB
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_core.jobs.model import Job, JobState
from faultmaven_core.jobs.ports import JobStore
from faultmaven_core.ports.job_queue import JobRequest, QueuedJob, checked_payload
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import NotFoundError
from faultmaven_core.shared.ids import Ids, OrganizationId

_OPEN = ("queued", "waiting", "running")

_DUE = case((JOB.c.state == "running", JOB.c.lease_until), else_=JOB.c.run_at)
"""When a runner may take an open job."""


class SqlJobOutbox(CollectingOutbox):
    """See the port. `asked` are the unit's new jobs, to tell the transport of."""

    def __init__(self, transaction: SqlTransaction, clock: Clock, ids: Ids) -> None:
        self._run, self._clock, self._ids = transaction, clock, ids
        self.asked: list[QueuedJob] = []

    async def add(self, request: JobRequest) -> UUID:
        payload = checked_payload(request)
        if request.dedupe_key:
            twin = await self._run.first(
                select(JOB.c.id).where(
                    JOB.c.organization_id == self._run.organization,
                    JOB.c.dedupe_key == request.dedupe_key,
                    JOB.c.state.in_(_OPEN),
                )
            )
            if twin is not None:
                found: UUID = twin.id
                return found
        job_id = self._ids.new()
        row: dict[str, Any] = {"organization_id": self._run.organization, "id": job_id, "user_id": request.caller.user}
        row |= {"operation": request.operation, "payload": payload, "dedupe_key": request.dedupe_key}
        row |= {"state": "queued", "attempts": 0, "run_at": request.run_at or self._clock.now(), "error": ""}
        await self._run.run(insert(JOB).values(row))
        self.asked.append(QueuedJob(job_id, request.queue))
        return job_id


class SqlJobStore(JobStore):
    """See the port."""

    def __init__(self, database: SqlDatabase, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def claim(self, now: datetime, lease_until: datetime, token: UUID) -> Job | None:
        due = (JOB.c.state.in_(_OPEN), now >= _DUE)
        # Looking first spares programs that find nothing to do the wait for the write lock.
        async with self._transaction(read_only=True) as run:
            if await run.first(select(JOB.c.id).where(*due).limit(1)) is None:
                return None
        async with self._transaction() as run:
            row = await run.first(select(JOB).where(*due).order_by(_DUE, JOB.c.id).limit(1))
            if row is None:
                return None
            claimed = {"state": "running", "attempts": row.attempts + 1, "token": token, "lease_until": lease_until}
            await run.run(update(JOB).where(*_is(row.organization_id, row.id)).values(claimed))
            taken = await run.first(select(JOB).where(*_is(row.organization_id, row.id)))
            await run.commit()
        return job_of(taken)

    async def finish(self, job: Job, state: JobState, *, error: str = "", run_at: datetime | None = None) -> bool:
        ended = self._clock.now() if state in (JobState.SUCCEEDED, JobState.DEAD) else None
        values = {"state": str(state), "error": error, "run_at": run_at or job.run_at, "finished_at": ended}
        async with self._transaction() as run:
            current = and_(*_is(job.caller.organization, job.id), JOB.c.token == job.token, JOB.c.state == "running")
            done = await run.run(update(JOB).where(current).values(values | {"token": None, "lease_until": None}))
            await run.commit()
        return done.rowcount == 1

    async def get(self, job_id: UUID) -> Job:
        async with self._transaction(read_only=True) as run:
            row = await run.first(select(JOB).where(JOB.c.id == job_id))
        if row is None:
            raise NotFoundError(f"There is no job {job_id}.")
        return job_of(row)

    async def sweep(self, before: datetime) -> int:
        async with self._transaction() as run:
            ended = and_(or_(JOB.c.state == "succeeded", JOB.c.state == "dead"), JOB.c.finished_at < before)
            done = await run.run(delete(JOB).where(ended))
            await run.commit()
        return done.rowcount

    @asynccontextmanager
    async def _transaction(self, *, read_only: bool = False) -> AsyncIterator[SqlTransaction]:
        # Jobs are claimed across organizations: each then runs as the caller who asked for it.
        transaction = SqlTransaction(self._database, OrganizationId(""), read_only=read_only, runner=True)
        await transaction.begin()
        try:
            yield transaction
        finally:
            await transaction.end()


def _is(organization: str, job_id: UUID) -> Sequence[ColumnElement[bool]]:
    return JOB.c.organization_id == organization, JOB.c.id == job_id
