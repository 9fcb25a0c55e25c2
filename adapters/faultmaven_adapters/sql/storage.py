"""Everything that is stored in one SQL database."""

from __future__ import annotations

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_adapters.sql.cases import SqlCaseRepository, SqlJournalRepository, SqlRecordRepository
from faultmaven_adapters.sql.engine import SqlDatabase
from faultmaven_adapters.sql.evidence import SqlEvidenceRepository
from faultmaven_adapters.sql.jobs import SqlJobOutbox, SqlJobStore
from faultmaven_adapters.sql.migrate import migrate
from faultmaven_adapters.sql.unit import SqlTransaction, SqlUnitOfWork
from faultmaven_core.cases.ports import CaseUnitOfWork
from faultmaven_core.evidence.ports import EvidenceUnitOfWork
from faultmaven_core.jobs.ports import JobStore
from faultmaven_core.ports.health import Pingable
from faultmaven_core.ports.job_queue import Notify
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.ids import Ids, OrganizationId


class SqlCaseUnit(SqlUnitOfWork, CaseUnitOfWork):
    """A transaction over cases."""

    def __init__(self, transaction: SqlTransaction, outbox: SqlJobOutbox, notify: Notify) -> None:
        super().__init__(transaction, outbox, notify)
        self.cases = SqlCaseRepository(transaction)
        self.records = SqlRecordRepository(transaction)
        self.journal = SqlJournalRepository(transaction)


class SqlEvidenceUnit(SqlUnitOfWork, EvidenceUnitOfWork):
    """A transaction over evidence."""

    def __init__(self, transaction: SqlTransaction, outbox: SqlJobOutbox, notify: Notify) -> None:
        super().__init__(transaction, outbox, notify)
        self.evidence = SqlEvidenceRepository(transaction)


class SqlStorage(Pingable):
    """One database file: units of work for each context, and the job rows.

    `notify` is told after every commit which jobs it asked for. Nothing is opened before `start`.
    """

    def __init__(self, path: str, clock: Clock, ids: Ids, notify: Notify) -> None:
        self._database = SqlDatabase(path)
        self._clock, self._ids, self._notify = clock, ids, notify
        self.jobs: JobStore = SqlJobStore(self._database, clock)

    async def start(self) -> None:
        """Make the file, or bring its schema up to date. Errors are those of `migrate`."""
        calls = BlockingCalls("migration", 1)
        try:
            await calls(migrate, self._database.place)
        finally:
            calls.close()

    async def ping(self) -> None:
        await self._database.ping()

    def pool(self) -> str:
        """How many connections there are and how many are in use, in words."""
        return self._database.engine.pool.status()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._database.aclose()

    def cases(self, organization: OrganizationId, *, read_only: bool = False) -> CaseUnitOfWork:
        """A unit over cases."""
        return SqlCaseUnit(*self._parts(organization, read_only=read_only), self._notify)

    def evidence(self, organization: OrganizationId, *, read_only: bool = False) -> EvidenceUnitOfWork:
        """A unit over evidence."""
        return SqlEvidenceUnit(*self._parts(organization, read_only=read_only), self._notify)

    def _parts(self, organization: OrganizationId, *, read_only: bool) -> tuple[SqlTransaction, SqlJobOutbox]:
        transaction = SqlTransaction(self._database, organization, read_only=read_only)
        return transaction, SqlJobOutbox(transaction, self._clock, self._ids)


Storage = SqlStorage
"""What composition opens for this scheme."""
