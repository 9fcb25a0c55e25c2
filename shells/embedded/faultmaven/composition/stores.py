"""The bindings of rows, of copies, and of what tells runners that there is work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from injector import Module, provider, singleton

from faultmaven.composition.lifecycle import Lifecycle
from faultmaven.composition.select import backend
from faultmaven.places import Resource
from faultmaven.tree import Settings
from faultmaven_adapters.telemetry.calls import traced
from faultmaven_core.archives.ports import ArchiveUnitOfWork
from faultmaven_core.cases.ports import CaseUnitOfWork
from faultmaven_core.evidence.ports import EvidenceUnitOfWork
from faultmaven_core.identity.ports import AccountDirectory, IdentityUnitOfWork
from faultmaven_core.jobs.ports import JobStore, JobUnitOfWork
from faultmaven_core.knowledge.ports import KnowledgeUnitOfWork
from faultmaven_core.ports.blobs import BlobStore
from faultmaven_core.ports.health import Pingable
from faultmaven_core.ports.job_queue import JobTransport
from faultmaven_core.ports.telemetry import Telemetry
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.ids import Ids, OrganizationId


class Storage(Pingable, Protocol):
    """Units of work and job rows over one database."""

    jobs: JobStore
    accounts: AccountDirectory

    async def start(self) -> None:
        """Connect; make sure of the schema."""

    async def aclose(self) -> None:
        """Let go of all connections."""

    def cases(self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False) -> CaseUnitOfWork:
        """A unit over cases."""

    def evidence(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> EvidenceUnitOfWork:
        """A unit over evidence."""

    def archives(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> ArchiveUnitOfWork:
        """A unit over cases and their evidence."""

    def knowledge(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> KnowledgeUnitOfWork:
        """A unit over knowledge."""

    def identity(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> IdentityUnitOfWork:
        """A unit over the people of an organization."""

    def job_units(
        self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False
    ) -> JobUnitOfWork:
        """A unit over jobs."""


class Transport(JobTransport, Protocol):
    """A transport that may run the jobs itself."""

    async def start(self, run_one: Callable[[], Awaitable[bool]], tick: Callable[[], Awaitable[int]]) -> None:
        """Begin."""


class DatabaseModule(Module):
    """Rows."""

    @singleton
    @provider
    def storage(
        self,
        settings: Settings,
        clock: Clock,
        ids: Ids,
        transport: Transport,
        telemetry: Telemetry,
        lifecycle: Lifecycle,
    ) -> Storage:
        url = settings.database.url
        made = backend("database", url.scheme).Storage
        options = {} if url.scheme == "memory" else {"options": sql_options(settings)}
        storage: Storage = made(url.place, clock, ids, transport.notify, **options)
        lifecycle.on_start(storage.start)
        lifecycle.on_close(storage.aclose)
        return traced(storage, "database", url.scheme, telemetry, parts=("accounts", "jobs"))


class JobsModule(Module):
    """Who is told of work."""

    @singleton
    @provider
    def transport(self, settings: Settings) -> Transport:
        url = settings.jobs.url
        module = backend("jobs", url.scheme)
        if url.scheme == "embedded":
            return module.EmbeddedJobs()  # type: ignore[no-any-return]  # as above
        return module.CeleryJobs(broker_place(settings))  # type: ignore[no-any-return]  # as above


class BlobsModule(Module):
    """Copies."""

    @singleton
    @provider
    def blobs(self, settings: Settings, telemetry: Telemetry, lifecycle: Lifecycle) -> BlobStore:
        module = backend("blobs", settings.blobs.scheme)
        if settings.blobs.scheme == "memory":
            store: BlobStore = module.MemoryBlobStore()
        elif settings.blobs.scheme == "file":
            store = module.FilesystemBlobStore(Path(settings.blobs.place))
        else:
            from faultmaven_adapters.resilience.policy import resilient
            from faultmaven_core.ports.policy import BLOBS

            store = resilient(module.S3BlobStore(**_s3(settings)), BLOBS, "The blob store")
        lifecycle.on_close(store.aclose)
        return traced(store, "blobs", settings.blobs.scheme, telemetry)


def sql_options(settings: Settings) -> Any:
    """How the database is used."""
    from faultmaven_adapters.sql.options import SqlOptions

    chosen = settings.database
    return SqlOptions(
        pool_size=chosen.pool_size,
        max_overflow=chosen.max_overflow,
        pool_timeout=chosen.pool_timeout,
        pool_recycle=int(chosen.pool_recycle),
        statement_timeout=chosen.statement_timeout,
        lock_timeout=chosen.lock_timeout,
        transaction_pooler=chosen.transaction_pooler,
        read_url=chosen.read.place if chosen.read else "",
        password=chosen.url.password,
        startup_wait=settings.startup_wait,
    )


def broker_place(settings: Settings) -> Any:
    """Where the broker is."""
    from faultmaven_adapters.jobs.brokers import BrokerPlace

    url: Resource = settings.jobs.url
    return BrokerPlace(
        url.place,
        password=url.password,
        sentinel_password=settings.jobs.sentinel_password,
        ca_file=settings.jobs.ca_file,
    )


def _s3(settings: Settings) -> dict[str, Any]:
    bucket, _, prefix = settings.blobs.place.partition("/")
    chosen = settings.s3
    return {
        "bucket": bucket,
        "prefix": prefix,
        "endpoint_url": chosen.endpoint,
        "region": chosen.region,
        "access_key": chosen.access_key,
        "secret_key": chosen.secret_key,
        "session_token": chosen.session_token,
        "addressing": chosen.addressing,
        "server_side_encryption": chosen.encryption,
        "kms_key_id": chosen.kms_key,
        "public_endpoint_url": chosen.public_endpoint,
        "ca_file": chosen.ca_file,
        "pool": chosen.pool,
    }
