"""Everything that is stored in one SQL database."""

from __future__ import annotations

from faultmaven_adapters.sql.cases import (
    SqlCaseRepository,
    SqlJournalRepository,
    SqlMessageRepository,
    SqlRecordRepository,
)
from faultmaven_adapters.sql.engine import open_database
from faultmaven_adapters.sql.evidence import SqlEvidenceRepository
from faultmaven_adapters.sql.identity_audit import SqlAuditRepository
from faultmaven_adapters.sql.identity_credentials import (
    SqlApiKeyRepository,
    SqlGrantRepository,
    SqlInvitationRepository,
    SqlRefreshTokenRepository,
)
from faultmaven_adapters.sql.identity_directory import SqlAccountDirectory
from faultmaven_adapters.sql.identity_people import (
    SqlOrganizationRepository,
    SqlRoleRepository,
    SqlTeamRepository,
    SqlUserRepository,
)
from faultmaven_adapters.sql.job_store import SqlJobStore
from faultmaven_adapters.sql.jobs import SqlJobOutbox, SqlJobRepository
from faultmaven_adapters.sql.knowledge import SqlKnowledgeRepository
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.overview import overview
from faultmaven_adapters.sql.unit import SqlTransaction, SqlUnitOfWork
from faultmaven_adapters.sql.uploads import SqlUploadRepository
from faultmaven_core.archives.ports import ArchiveUnitOfWork
from faultmaven_core.cases.model import Case
from faultmaven_core.cases.ports import CaseUnitOfWork
from faultmaven_core.evidence.ports import EvidenceUnitOfWork
from faultmaven_core.identity.ports import AccountDirectory, IdentityUnitOfWork
from faultmaven_core.jobs.ports import JobStore, JobUnitOfWork
from faultmaven_core.knowledge.ports import KnowledgeUnitOfWork
from faultmaven_core.ports.health import Inspectable, Inspection, Pingable
from faultmaven_core.ports.job_queue import Notify
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.ids import CaseId, Ids, OrganizationId

DEFAULTS = SqlOptions()


class SqlCaseUnit(SqlUnitOfWork, CaseUnitOfWork):
    """A transaction over cases."""

    def __init__(self, transaction: SqlTransaction, outbox: SqlJobOutbox, notify: Notify) -> None:
        super().__init__(transaction, outbox, notify)
        self.cases = SqlCaseRepository(transaction)
        self.records = SqlRecordRepository(transaction)
        self.journal = SqlJournalRepository(transaction)
        self.messages = SqlMessageRepository(transaction)


class SqlEvidenceUnit(SqlUnitOfWork, EvidenceUnitOfWork):
    """A transaction over evidence."""

    def __init__(self, transaction: SqlTransaction, outbox: SqlJobOutbox, notify: Notify) -> None:
        super().__init__(transaction, outbox, notify)
        self.evidence = SqlEvidenceRepository(transaction)
        self.uploads = SqlUploadRepository(transaction)


class SqlArchiveUnit(SqlCaseUnit, SqlEvidenceUnit, ArchiveUnitOfWork):
    """A transaction over cases and their evidence."""

    async def overview(self, case_id: CaseId) -> tuple[Case, int]:
        return await overview(self.transaction, case_id)


class SqlJobUnit(SqlUnitOfWork, JobUnitOfWork):
    """A transaction over jobs."""

    def __init__(self, transaction: SqlTransaction, outbox: SqlJobOutbox, notify: Notify) -> None:
        super().__init__(transaction, outbox, notify)
        self.jobs = SqlJobRepository(transaction)


class SqlKnowledgeUnit(SqlUnitOfWork, KnowledgeUnitOfWork):
    """A transaction over knowledge."""

    def __init__(self, transaction: SqlTransaction, outbox: SqlJobOutbox, notify: Notify) -> None:
        super().__init__(transaction, outbox, notify)
        self.knowledge = SqlKnowledgeRepository(transaction)


class SqlIdentityUnit(SqlUnitOfWork, IdentityUnitOfWork):
    """A transaction over the people of an organization."""

    def __init__(self, transaction: SqlTransaction, outbox: SqlJobOutbox, notify: Notify) -> None:
        super().__init__(transaction, outbox, notify)
        self.organizations = SqlOrganizationRepository(transaction)
        self.users = SqlUserRepository(transaction)
        self.roles = SqlRoleRepository(transaction)
        self.teams = SqlTeamRepository(transaction)
        self.invitations = SqlInvitationRepository(transaction)
        self.refresh_tokens = SqlRefreshTokenRepository(transaction)
        self.api_keys = SqlApiKeyRepository(transaction)
        self.grants = SqlGrantRepository(transaction)
        self.audit = SqlAuditRepository(transaction)


class SqlStorage(Pingable, Inspectable):
    """One database: units of work for each context, the job rows, and the directory of accounts.

    `place` is a path (SQLite) or a `postgresql://user@host:port/database` URL, with `?sslmode=` and `&sslrootcert=` as
    PostgreSQL's own clients have them. `notify` is told after every commit which jobs it asked for. Nothing is opened
    before `start`. Raises MisconfiguredError on a URL that says nothing.
    """

    def __init__(self, place: str, clock: Clock, ids: Ids, notify: Notify, *, options: SqlOptions = DEFAULTS) -> None:
        self._database = open_database(place, options)
        self._clock, self._ids, self._notify = clock, ids, notify
        self.jobs: JobStore = SqlJobStore(self._database, clock)
        self.accounts: AccountDirectory = SqlAccountDirectory(self._database)

    async def start(self) -> None:
        """SQLite: make the file, or bring its schema up to date; errors are those of `migrate`.

        PostgreSQL: wait until the server is up. Raises MisconfiguredError where its schema is behind or ahead, the user is
        refused or the database is missing, BackendUnavailableError where it did not come up in time.
        """
        await self._database.start()

    async def ping(self) -> None:
        await self._database.ping()

    async def inspect(self) -> Inspection:
        return await self._database.inspect()

    def pool(self) -> str:
        """How many connections there are and how many are in use, in words."""
        return self._database.pool()

    async def aclose(self) -> None:
        """Close all connections. Used again, also on another event loop, it opens new ones."""
        await self._database.aclose()

    def cases(self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False) -> CaseUnitOfWork:
        """A unit over cases."""
        return SqlCaseUnit(*self._parts(organization, read_only, may_lag), self._notify)

    def evidence(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> EvidenceUnitOfWork:
        """A unit over evidence."""
        return SqlEvidenceUnit(*self._parts(organization, read_only, may_lag), self._notify)

    def archives(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> ArchiveUnitOfWork:
        """A unit over cases and their evidence."""
        return SqlArchiveUnit(*self._parts(organization, read_only, may_lag), self._notify)

    def job_units(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> JobUnitOfWork:
        """A unit over jobs."""
        return SqlJobUnit(*self._parts(organization, read_only, may_lag), self._notify)

    def knowledge(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> KnowledgeUnitOfWork:
        """A unit over knowledge."""
        return SqlKnowledgeUnit(*self._parts(organization, read_only, may_lag), self._notify)

    def identity(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> IdentityUnitOfWork:
        """A unit over the people of an organization."""
        return SqlIdentityUnit(*self._parts(organization, read_only, may_lag), self._notify)

    def _parts(
        self, organization: OrganizationId, read_only: bool, may_lag: bool
    ) -> tuple[SqlTransaction, SqlJobOutbox]:
        transaction = SqlTransaction(self._database, organization, read_only=read_only or may_lag, may_lag=may_lag)
        return transaction, SqlJobOutbox(transaction, self._clock, self._ids)


Storage = SqlStorage
"""What composition opens for this scheme."""
