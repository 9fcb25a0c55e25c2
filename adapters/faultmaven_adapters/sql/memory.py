"""Everything that is stored, in memory: for tests and for programs that keep nothing."""

from __future__ import annotations

from faultmaven_adapters.sql.memory_contexts import (
    MemoryCaseRepository,
    MemoryEvidenceRepository,
    MemoryJournalRepository,
    MemoryMessageRepository,
    MemoryRecordRepository,
)
from faultmaven_adapters.sql.memory_credentials import (
    MemoryAccountDirectory,
    MemoryApiKeyRepository,
    MemoryAuditRepository,
    MemoryGrantRepository,
    MemoryInvitationRepository,
    MemoryRefreshTokenRepository,
)
from faultmaven_adapters.sql.memory_identity import (
    MemoryOrganizationRepository,
    MemoryRoleRepository,
    MemoryTeamRepository,
    MemoryUserRepository,
)
from faultmaven_adapters.sql.memory_jobs import MemoryJobOutbox, MemoryJobRepository, MemoryJobStore
from faultmaven_adapters.sql.memory_knowledge import MemoryKnowledgeRepository
from faultmaven_adapters.sql.memory_tables import (
    MemoryDatabase,
    MemoryTransaction,
    MemoryUnitOfWork,
)
from faultmaven_adapters.sql.memory_uploads import MemoryUploadRepository
from faultmaven_core.archives.ports import ArchiveUnitOfWork
from faultmaven_core.cases.model import Case
from faultmaven_core.cases.ports import CaseUnitOfWork
from faultmaven_core.evidence.ports import EvidenceUnitOfWork
from faultmaven_core.identity.ports import AccountDirectory, IdentityUnitOfWork
from faultmaven_core.jobs.ports import JobStore, JobUnitOfWork
from faultmaven_core.knowledge.ports import KnowledgeUnitOfWork
from faultmaven_core.ports.health import Pingable
from faultmaven_core.ports.job_queue import Notify
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.ids import CaseId, Ids, OrganizationId


class MemoryCaseUnit(MemoryUnitOfWork, CaseUnitOfWork):
    """A transaction over cases."""

    def __init__(
        self, run: MemoryTransaction, outbox: MemoryJobOutbox, notify: Notify, organization: OrganizationId
    ) -> None:
        super().__init__(run, outbox, notify, organization)
        self.cases = MemoryCaseRepository(run, organization)
        self.records = MemoryRecordRepository(run, organization)
        self.journal = MemoryJournalRepository(run, organization)
        self.messages = MemoryMessageRepository(run, organization)


class MemoryEvidenceUnit(MemoryUnitOfWork, EvidenceUnitOfWork):
    """A transaction over evidence."""

    def __init__(
        self, run: MemoryTransaction, outbox: MemoryJobOutbox, notify: Notify, organization: OrganizationId
    ) -> None:
        super().__init__(run, outbox, notify, organization)
        self.evidence = MemoryEvidenceRepository(run, organization)
        self.uploads = MemoryUploadRepository(run, organization)


class MemoryArchiveUnit(MemoryCaseUnit, MemoryEvidenceUnit, ArchiveUnitOfWork):
    """A transaction over cases and their evidence."""

    async def overview(self, case_id: CaseId) -> tuple[Case, int]:
        return await self.cases.get(case_id), await self.evidence.count(case_id)


class MemoryJobUnit(MemoryUnitOfWork, JobUnitOfWork):
    """A transaction over jobs."""

    def __init__(
        self, run: MemoryTransaction, outbox: MemoryJobOutbox, notify: Notify, organization: OrganizationId
    ) -> None:
        super().__init__(run, outbox, notify, organization)
        self.jobs = MemoryJobRepository(run, organization)


class MemoryKnowledgeUnit(MemoryUnitOfWork, KnowledgeUnitOfWork):
    """A transaction over knowledge."""

    def __init__(
        self, run: MemoryTransaction, outbox: MemoryJobOutbox, notify: Notify, organization: OrganizationId
    ) -> None:
        super().__init__(run, outbox, notify, organization)
        self.knowledge = MemoryKnowledgeRepository(run, organization)


class MemoryIdentityUnit(MemoryUnitOfWork, IdentityUnitOfWork):
    """A transaction over the people of an organization."""

    def __init__(
        self, run: MemoryTransaction, outbox: MemoryJobOutbox, notify: Notify, organization: OrganizationId
    ) -> None:
        super().__init__(run, outbox, notify, organization)
        self.organizations = MemoryOrganizationRepository(run, organization)
        self.users = MemoryUserRepository(run, organization)
        self.roles = MemoryRoleRepository(run, organization)
        self.teams = MemoryTeamRepository(run, organization)
        self.invitations = MemoryInvitationRepository(run, organization)
        self.refresh_tokens = MemoryRefreshTokenRepository(run, organization)
        self.api_keys = MemoryApiKeyRepository(run, organization)
        self.grants = MemoryGrantRepository(run, organization)
        self.audit = MemoryAuditRepository(run, organization)


class MemoryStorage(Pingable):
    """See SqlStorage: the same promises, but for durability. `path` means nothing here."""

    def __init__(self, path: str, clock: Clock, ids: Ids, notify: Notify) -> None:
        self._database = MemoryDatabase()
        self._clock, self._ids, self._notify = clock, ids, notify
        self.jobs: JobStore = MemoryJobStore(self._database, clock)
        self.accounts: AccountDirectory = MemoryAccountDirectory(self._database)

    async def start(self) -> None:
        """Nothing is to be opened."""

    async def ping(self) -> None:
        self._database.tables.copy()

    async def aclose(self) -> None:
        """Nothing is to be closed."""

    def cases(self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False) -> CaseUnitOfWork:
        """A unit over cases."""
        run, outbox = self._parts(organization, read_only=read_only or may_lag)
        return MemoryCaseUnit(run, outbox, self._notify, organization)

    def evidence(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> EvidenceUnitOfWork:
        """A unit over evidence."""
        run, outbox = self._parts(organization, read_only=read_only or may_lag)
        return MemoryEvidenceUnit(run, outbox, self._notify, organization)

    def archives(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> ArchiveUnitOfWork:
        """A unit over cases and their evidence."""
        run, outbox = self._parts(organization, read_only=read_only or may_lag)
        return MemoryArchiveUnit(run, outbox, self._notify, organization)

    def job_units(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> JobUnitOfWork:
        """A unit over jobs."""
        run, outbox = self._parts(organization, read_only=read_only or may_lag)
        return MemoryJobUnit(run, outbox, self._notify, organization)

    def knowledge(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> KnowledgeUnitOfWork:
        """A unit over knowledge."""
        run, outbox = self._parts(organization, read_only=read_only or may_lag)
        return MemoryKnowledgeUnit(run, outbox, self._notify, organization)

    def identity(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> IdentityUnitOfWork:
        """A unit over the people of an organization."""
        run, outbox = self._parts(organization, read_only=read_only or may_lag)
        return MemoryIdentityUnit(run, outbox, self._notify, organization)

    def _parts(self, organization: OrganizationId, *, read_only: bool) -> tuple[MemoryTransaction, MemoryJobOutbox]:
        run = MemoryTransaction(self._database, read_only=read_only)
        return run, MemoryJobOutbox(run, organization, self._clock, self._ids)


Storage = MemoryStorage
"""What composition opens for this scheme."""
