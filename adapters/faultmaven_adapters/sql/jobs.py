"""Job rows as units of work see them: asked for, looked at, cancelled and retried, within one organization."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from faultmaven_adapters.sql.outbox import CollectingOutbox
from faultmaven_adapters.sql.rows import job_of, job_row
from faultmaven_adapters.sql.tables import JOB
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_core.jobs.model import Job, asked
from faultmaven_core.jobs.ports import JobQuery, JobRepository
from faultmaven_core.ports.job_queue import JobRequest, QueuedJob, require_storable
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import ConflictError, NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import Ids
from faultmaven_core.shared.page import Page

_TRIES = 3
"""How often a job is asked for whose open twin ended just before we looked for it."""


class SqlJobOutbox(CollectingOutbox):
    """See the port. `asked` are the unit's new jobs, to tell the transport of."""

    def __init__(self, transaction: SqlTransaction, clock: Clock, ids: Ids) -> None:
        self._run, self._clock, self._ids = transaction, clock, ids
        self.asked: list[QueuedJob] = []

    async def add(self, request: JobRequest) -> UUID:
        require_storable(request)
        self._run.own(request.caller.organization)
        job = asked(request, request.id or self._ids.new(), self._clock.now())
        row = job_row(job) | {"dedupe_key": request.dedupe_key, "notified_at": job.created_at}
        for _ in range(_TRIES):
            # SQLite takes PostgreSQL's words here. A twin of another unit is waited for until that unit has ended.
            new = insert(JOB).values(row).on_conflict_do_nothing().returning(JOB.c.id)
            if await self._run.first(new) is not None:
                if job.due_at == job.created_at:
                    self.asked.append(QueuedJob(job.id, job.queue, job.trace))
                return job.id
            twin = await self._run.first(select(JOB.c.id).where(self._twin(request)))
            if twin is not None:
                found: UUID = twin.id
                return found
        raise ConflictError(f"The job {request.operation} cannot be asked for now: its twins begin and end too fast.")

    def _twin(self, request: JobRequest) -> ColumnElement[bool]:
        same_key = and_(JOB.c.dedupe_key == request.dedupe_key, JOB.c.dedupe_key != "", JOB.c.due_at.is_not(None))
        return and_(JOB.c.organization_id == self._run.organization, or_(JOB.c.id == request.id, same_key))


class SqlJobRepository(JobRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def get(self, job_id: UUID) -> Job:
        row = await self._run.first(select(JOB).where(*self._is(job_id)))
        if row is None:
            raise NotFoundError(f"There is no job {job_id}.")
        return job_of(row)

    async def page(self, query: JobQuery, *, after: UUID | None, limit: int) -> Page[Job]:
        wanted = [JOB.c.organization_id == self._run.organization, JOB.c.state.in_([str(x) for x in query.states])]
        wanted += [JOB.c.operation == query.operation] if query.operation else []
        wanted += [JOB.c.queue == query.queue] if query.queue else []
        wanted += [JOB.c.id < after] if after else []
        found = await self._run.run(select(JOB).where(*wanted).order_by(JOB.c.id.desc()).limit(limit + 1))
        rows = list(found)
        return Page(tuple(job_of(row) for row in rows[:limit]), rows[limit - 1].id if len(rows) > limit else None)

    async def save(self, before: Job, after: Job) -> None:
        unchanged = (JOB.c.state == str(before.state), JOB.c.attempts == before.attempts, JOB.c.token == before.token)
        values: dict[str, object] = {"cancel_requested": after.cancel_requested}
        if after.state is not before.state:
            # Only then: the runner of a running job moves the end of its lease meanwhile.
            values |= {"state": str(after.state), "attempts": after.attempts, "due_at": after.due_at}
            values |= {"error": after.error, "finished_at": after.finished_at}
        done = await self._run.run(update(JOB).where(*self._is(before.id), *unchanged).values(values))
        if done.rowcount != 1:
            raise StaleVersionError(f"The job {before.id} changed meanwhile.")

    def _is(self, job_id: UUID) -> tuple[ColumnElement[bool], ...]:
        return JOB.c.organization_id == self._run.organization, JOB.c.id == job_id
