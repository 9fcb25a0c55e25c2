"""Job rows in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from faultmaven_adapters.sql.memory_tables import JobRow, MemoryDatabase, MemoryTransaction
from faultmaven_adapters.sql.outbox import CollectingOutbox
from faultmaven_core.jobs.model import OPEN, Claim, Ending, Job, JobState, Lease, Progress, asked, claimed, ended
from faultmaven_core.jobs.ports import JobQuery, JobRepository, JobStore, QueueDepth
from faultmaven_core.ports.job_queue import JobRequest, QueuedJob, require_storable
from faultmaven_core.ports.transactions import own
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import (
    AlreadyExistsError,
    ConflictError,
    NotFoundError,
    StaleVersionError,
)
from faultmaven_core.shared.ids import Ids, OrganizationId
from faultmaven_core.shared.page import Page


class MemoryJobOutbox(CollectingOutbox):
    """See the port. `asked` are the unit's new jobs, to tell the transport of."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId, clock: Clock, ids: Ids) -> None:
        self._run, self._organization, self._clock, self._ids = transaction, organization, clock, ids
        self.asked: list[QueuedJob] = []

    async def add(self, request: JobRequest) -> UUID:
        require_storable(request)
        own(self._organization, request.caller.organization)
        rows = self._run.tables.jobs
        if request.id in rows:
            if rows[request.id].job.caller.organization != self._organization:
                raise ConflictError(f"The job {request.operation} cannot be asked for under this id.")
            return request.id
        for row in rows.values():
            if row.holds_key(self._organization, request.dedupe_key):
                return row.job.id
        job = asked(request, request.id or self._ids.new(), self._clock.now())
        job = replace(job, caller=replace(job.caller, request_key=""))
        rows[job.id] = JobRow(job, request.dedupe_key, job.created_at)
        if job.due_at == job.created_at:
            self.asked.append(QueuedJob(job.id, job.queue, job.trace))
        return job.id


class MemoryJobRepository(JobRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._run, self._organization = transaction, organization

    async def get(self, job_id: UUID) -> Job:
        row = self._run.tables.jobs.get(job_id)
        if row is None or row.job.caller.organization != self._organization:
            raise NotFoundError(f"There is no job {job_id}.")
        return row.job

    async def page(self, query: JobQuery, *, after: UUID | None, limit: int) -> Page[Job]:
        found = [
            row.job
            for row in self._run.tables.jobs.values()
            if row.job.caller.organization == self._organization
            and row.job.state in query.states
            and query.operation in ("", row.job.operation)
            and query.queue in ("", row.job.queue)
            and (after is None or row.job.id < after)
        ]
        found = sorted(found, key=lambda job: job.id, reverse=True)
        return Page(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else None)

    async def save(self, before: Job, after: Job) -> None:
        row = self._run.tables.jobs.get(before.id)
        seen = (before.caller.organization, before.state, before.attempts, before.token)
        if row is None or (self._organization, row.job.state, row.job.attempts, row.job.token) != seen:
            raise self._run.refused(StaleVersionError(f"The job {before.id} changed meanwhile."))
        job = replace(row.job, cancel_requested=after.cancel_requested)
        if after.state is not before.state:
            twins = self._run.tables.jobs.values()
            if after.state in OPEN and any(twin.holds_key(self._organization, row.dedupe_key) for twin in twins):
                raise self._run.refused(AlreadyExistsError("There is an open job with the same key already."))
            job = replace(job, state=after.state, attempts=after.attempts, due_at=after.due_at)
            job = replace(job, error=after.error, finished_at=after.finished_at)
        self._run.tables.jobs[job.id] = replace(row, job=job)


class MemoryJobStore(JobStore):
    """See the port."""

    def __init__(self, database: MemoryDatabase, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def claim(self, claim: Claim) -> Job | None:
        async with self._database.lock:
            rows = self._database.tables.jobs
            due = [
                (row.job.due_at, row.job.id)
                for row in rows.values()
                if row.job.due_at is not None
                and row.job.due_at <= claim.now
                and claim.job_id in (None, row.job.id)
                and (claim.job_id or not claim.queues or row.job.queue in claim.queues)
            ]
            if not due:
                return None
            row = rows[min(due)[1]]
            job = claimed(row.job, claim)
            rows[job.id] = replace(row, job=job)
            return job

    async def renew(self, job: Job, until: datetime, progress: Progress) -> Lease:
        async with self._database.lock:
            row = self._held(job)
            if row is None:
                return Lease.LOST
            self._database.tables.jobs[job.id] = replace(row, job=replace(row.job, due_at=until, progress=progress))
            return Lease.CANCELLED if row.job.cancel_requested else Lease.HELD

    async def finish(self, job: Job, ending: Ending) -> bool:
        async with self._database.lock:
            row = self._held(job)
            if row is None:
                return False
            self._database.tables.jobs[job.id] = replace(row, job=ended(row.job, ending, self._clock.now()))
            return True

    async def unclaimed(self, now: datetime, patience: timedelta, limit: int) -> Sequence[QueuedJob]:
        async with self._database.lock:
            rows = self._database.tables.jobs
            due = [
                row
                for row in rows.values()
                if row.job.due_at is not None
                and row.job.due_at <= now
                and (row.notified_at < row.job.due_at or row.notified_at <= now - patience)
            ]
            told = sorted(due, key=lambda row: (row.job.due_at, row.job.id))[:limit]
            for row in told:
                rows[row.job.id] = replace(row, notified_at=now)
            return [QueuedJob(row.job.id, row.job.queue, row.job.trace) for row in told]

    async def depths(self) -> Sequence[QueueDepth]:
        groups: dict[tuple[str, JobState], list[datetime]] = {}
        for row in self._database.tables.jobs.values():
            since = row.job.due_at or row.job.finished_at
            if since and row.job.state in (*OPEN, JobState.DEAD):
                groups.setdefault((row.job.queue, row.job.state), []).append(since)
        return [QueueDepth(*group, len(since), min(since)) for group, since in sorted(groups.items())]

    async def sweep(self, before: datetime) -> int:
        async with self._database.lock:
            rows = self._database.tables.jobs
            old = [row.job.id for row in rows.values() if row.job.finished_at and row.job.finished_at < before]
            for job_id in old:
                del rows[job_id]
            return len(old)

    def _held(self, job: Job) -> JobRow | None:
        row = self._database.tables.jobs.get(job.id)
        if row is None or row.job.caller.organization != job.caller.organization:
            return None
        return row if row.job.token == job.token is not None else None
