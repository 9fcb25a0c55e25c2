"""Everything that is stored, in memory: for tests and for programs that keep nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from faultmaven_adapters.sql.memory_contexts import (
    MemoryCaseRepository,
    MemoryEvidenceRepository,
    MemoryJournalRepository,
    MemoryRecordRepository,
)
from faultmaven_adapters.sql.memory_tables import (
    JobRow,
    MemoryDatabase,
    MemoryTransaction,
    MemoryUnitOfWork,
)
from faultmaven_adapters.sql.outbox import CollectingOutbox
from faultmaven_core.cases.ports import CaseUnitOfWork
from faultmaven_core.evidence.ports import EvidenceUnitOfWork
from faultmaven_core.jobs.model import Job, JobState
from faultmaven_core.jobs.ports import JobStore
from faultmaven_core.ports.health import Pingable
from faultmaven_core.ports.job_queue import JobRequest, Notify, QueuedJob, checked_payload
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import NotFoundError
from faultmaven_core.shared.ids import Ids, OrganizationId

_OPEN = (JobState.QUEUED, JobState.WAITING, JobState.RUNNING)


class MemoryJobOutbox(CollectingOutbox):
    """See the port. `asked` are the unit's new jobs, to tell the transport of."""

    def __init__(self, transaction: MemoryTransaction, clock: Clock, ids: Ids) -> None:
        self._run, self._clock, self._ids = transaction, clock, ids
        self.asked: list[QueuedJob] = []

    async def add(self, request: JobRequest) -> UUID:
        payload = checked_payload(request)
        rows = self._run.tables.jobs
        for job_id, row in rows.items():
            same = row.dedupe_key and row.dedupe_key == request.dedupe_key
            if same and row.job.state in _OPEN and row.job.caller.organization == request.caller.organization:
                return job_id
        job_id, due = self._ids.new(), request.run_at or self._clock.now()
        job = Job(job_id, replace(request.caller, request_key=""), request.operation, payload, JobState.QUEUED, 0, due)
        rows[job_id] = JobRow(job, request.dedupe_key)
        self.asked.append(QueuedJob(job_id, request.queue))
        return job_id


class MemoryJobStore(JobStore):
    """See the port."""

    def __init__(self, database: MemoryDatabase, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def claim(self, now: datetime, lease_until: datetime, token: UUID) -> Job | None:
        rows = self._database.tables.jobs
        due = sorted((_due(row.job), job_id) for job_id, row in rows.items() if row.job.state in _OPEN)
        if not due or due[0][0] > now:
            return None
        row = rows[due[0][1]]
        attempts = row.job.attempts + 1
        job = replace(row.job, state=JobState.RUNNING, attempts=attempts, token=token, lease_until=lease_until)
        await self._put(replace(row, job=job))
        return job

    async def finish(self, job: Job, state: JobState, *, error: str = "", run_at: datetime | None = None) -> bool:
        row = self._database.tables.jobs.get(job.id)
        if row is None or row.job.token != job.token or row.job.state is not JobState.RUNNING:
            return False
        ended = self._clock.now() if state in (JobState.SUCCEEDED, JobState.DEAD) else None
        done = replace(row.job, state=state, error=error, run_at=run_at or job.run_at, token=None, lease_until=None)
        await self._put(replace(row, job=done, finished_at=ended))
        return True

    async def get(self, job_id: UUID) -> Job:
        row = self._database.tables.jobs.get(job_id)
        if row is None:
            raise NotFoundError(f"There is no job {job_id}.")
        return row.job

    async def sweep(self, before: datetime) -> int:
        rows = self._database.tables.jobs.items()
        old = [job_id for job_id, row in rows if row.finished_at is not None and row.finished_at < before]
        async with self._database.lock:
            for job_id in old:
                self._database.tables.jobs.pop(job_id, None)
        return len(old)

    async def _put(self, row: JobRow) -> None:
        # Under the lock: a unit that commits meanwhile would put its older copy in this row's place.
        async with self._database.lock:
            self._database.tables.jobs[row.job.id] = row


class MemoryCaseUnit(MemoryUnitOfWork, CaseUnitOfWork):
    """A transaction over cases."""

    def __init__(
        self, run: MemoryTransaction, outbox: MemoryJobOutbox, notify: Notify, organization: OrganizationId
    ) -> None:
        super().__init__(run, outbox, notify, organization)
        self.cases = MemoryCaseRepository(run, organization)
        self.records = MemoryRecordRepository(run, organization)
        self.journal = MemoryJournalRepository(run, organization)


class MemoryEvidenceUnit(MemoryUnitOfWork, EvidenceUnitOfWork):
    """A transaction over evidence."""

    def __init__(
        self, run: MemoryTransaction, outbox: MemoryJobOutbox, notify: Notify, organization: OrganizationId
    ) -> None:
        super().__init__(run, outbox, notify, organization)
        self.evidence = MemoryEvidenceRepository(run, organization)


class MemoryStorage(Pingable):
    """See SqlStorage: the same promises, but for durability. `path` means nothing here."""

    def __init__(self, path: str, clock: Clock, ids: Ids, notify: Notify) -> None:
        self._database = MemoryDatabase()
        self._clock, self._ids, self._notify = clock, ids, notify
        self.jobs: JobStore = MemoryJobStore(self._database, clock)

    async def start(self) -> None:
        """Nothing is to be opened."""

    async def ping(self) -> None:
        self._database.tables.copy()

    async def aclose(self) -> None:
        """Nothing is to be closed."""

    def cases(self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False) -> CaseUnitOfWork:
        """A unit over cases."""
        run, outbox = self._parts(read_only=read_only or may_lag)
        return MemoryCaseUnit(run, outbox, self._notify, organization)

    def evidence(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> EvidenceUnitOfWork:
        """A unit over evidence."""
        run, outbox = self._parts(read_only=read_only or may_lag)
        return MemoryEvidenceUnit(run, outbox, self._notify, organization)

    def _parts(self, *, read_only: bool) -> tuple[MemoryTransaction, MemoryJobOutbox]:
        run = MemoryTransaction(self._database, read_only=read_only)
        return run, MemoryJobOutbox(run, self._clock, self._ids)


def _due(job: Job) -> datetime:
    return job.lease_until if job.state is JobState.RUNNING and job.lease_until else job.run_at


Storage = MemoryStorage
"""What composition opens for this scheme."""
