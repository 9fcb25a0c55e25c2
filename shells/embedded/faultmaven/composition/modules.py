"""The bindings: one module per port, one for the services. The only place that knows what serves which port."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from injector import Module, provider, singleton

from faultmaven.composition.deferred import DeferredExtractionRunner, DeferredPatternScanner, DeferredReportRenderer
from faultmaven.composition.lifecycle import Lifecycle
from faultmaven.composition.select import backend
from faultmaven.tree import Settings
from faultmaven_adapters.extraction.files import LocalEvidenceFiles
from faultmaven_core import codec
from faultmaven_core.application import Application
from faultmaven_core.cases.ports import CaseUnitOfWork
from faultmaven_core.cases.service import CaseService
from faultmaven_core.evidence.custody import EvidenceDesk
from faultmaven_core.evidence.ports import EvidenceFiles, EvidenceUnitOfWork
from faultmaven_core.evidence.service import EvidenceService
from faultmaven_core.investigation.service import InvestigationService
from faultmaven_core.jobs.ports import JobStore
from faultmaven_core.jobs.runner import Handler, JobRunner
from faultmaven_core.operations import OPERATIONS, AnyOperation
from faultmaven_core.ports.blobs import BlobStore
from faultmaven_core.ports.extraction_runner import ExtractionRunner
from faultmaven_core.ports.job_queue import JobTransport
from faultmaven_core.ports.pattern_scanner import PatternScanner
from faultmaven_core.ports.report_renderer import ReportRenderer
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock, SystemClock
from faultmaven_core.shared.ids import Ids, OrganizationId, RandomIds


class Storage(Protocol):
    """Units of work and job rows over one database."""

    jobs: JobStore

    def cases(self, organization: OrganizationId, *, read_only: bool = False) -> CaseUnitOfWork:
        """A unit over cases."""

    def evidence(self, organization: OrganizationId, *, read_only: bool = False) -> EvidenceUnitOfWork:
        """A unit over evidence."""


class Transport(JobTransport, Protocol):
    """A transport that runs the jobs itself."""

    async def start(self, run_due: Callable[[], Awaitable[int]]) -> None:
        """Begin to run jobs."""


class SettingsModule(Module):
    """The settings, and what has no backend to choose."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @singleton
    @provider
    def settings(self) -> Settings:
        return self._settings

    @singleton
    @provider
    def lifecycle(self) -> Lifecycle:
        return Lifecycle()

    @singleton
    @provider
    def clock(self) -> Clock:
        return SystemClock()

    @singleton
    @provider
    def ids(self, clock: Clock) -> Ids:
        return RandomIds(clock)


class DatabaseModule(Module):
    """Rows."""

    @singleton
    @provider
    def transport(self, settings: Settings) -> Transport:
        return backend("jobs", settings.jobs.url.scheme).EmbeddedJobs()  # type: ignore[no-any-return]  # the module was chosen by name

    @singleton
    @provider
    def storage(
        self, settings: Settings, clock: Clock, ids: Ids, transport: Transport, lifecycle: Lifecycle
    ) -> Storage:
        kind = backend("database", settings.database.url.scheme).Storage
        storage = kind(settings.database.url.place, clock, ids, transport.notify)
        lifecycle.on_start(storage.start)
        lifecycle.on_close(storage.aclose)
        return storage  # type: ignore[no-any-return]  # as above


class BlobsModule(Module):
    """Copies."""

    @singleton
    @provider
    def blobs(self, settings: Settings, lifecycle: Lifecycle) -> BlobStore:
        module = backend("blobs", settings.blobs.scheme)
        if settings.blobs.scheme == "memory":
            store: BlobStore = module.MemoryBlobStore()
        else:
            store = module.FilesystemBlobStore(Path(settings.blobs.place))
        lifecycle.on_close(store.aclose)
        return store


class ReadingModule(Module):
    """Files and extraction."""

    @singleton
    @provider
    def files(self, lifecycle: Lifecycle) -> EvidenceFiles:
        files = LocalEvidenceFiles()
        lifecycle.on_close(files.aclose)
        return files

    @singleton
    @provider
    def runner(self, settings: Settings) -> ExtractionRunner:
        return DeferredExtractionRunner(settings.extraction_processes)

    @singleton
    @provider
    def renderer(self) -> ReportRenderer:
        return DeferredReportRenderer()

    @singleton
    @provider
    def scanner(self) -> PatternScanner:
        return DeferredPatternScanner()


class ServicesModule(Module):
    """The services, and the runner of their jobs."""

    @singleton
    @provider
    def cases(self, storage: Storage, clock: Clock, ids: Ids) -> CaseService:
        return CaseService(storage.cases, clock, ids)

    @singleton
    @provider
    def evidence(
        self,
        settings: Settings,
        storage: Storage,
        cases: CaseService,
        files: EvidenceFiles,
        blobs: BlobStore,
        scanner: PatternScanner,
        clock: Clock,
        ids: Ids,
    ) -> EvidenceService:
        desk = EvidenceDesk(storage.evidence, files, blobs, settings.evidence_copy_max)
        return EvidenceService(storage.evidence, cases, files, desk, scanner, clock, ids)

    @singleton
    @provider
    def investigation(
        self, cases: CaseService, evidence: EvidenceService, runner: ExtractionRunner, renderer: ReportRenderer
    ) -> InvestigationService:
        return InvestigationService(cases, evidence, runner, renderer, version("faultmaven"))

    @singleton
    @provider
    def application(
        self,
        cases: CaseService,
        evidence: EvidenceService,
        investigation: InvestigationService,
        storage: Storage,
        transport: Transport,
        clock: Clock,
        ids: Ids,
        lifecycle: Lifecycle,
    ) -> Application:
        handlers: dict[str, Handler] = {}
        spread = random.Random()  # noqa: S311 - spreads retries, guards nothing
        runner = JobRunner(storage.jobs, handlers, clock, ids, spread.random)
        application = Application(cases, evidence, investigation, runner)
        handlers |= {name: _handler(operation, application) for name, operation in OPERATIONS.items()}
        lifecycle.on_start(lambda: transport.start(runner.run_due))
        lifecycle.on_close(transport.aclose)
        return application


def modules(settings: Settings) -> Sequence[Module]:
    """All bindings for these settings."""
    return SettingsModule(settings), DatabaseModule(), BlobsModule(), ReadingModule(), ServicesModule()


def _handler(operation: AnyOperation, application: Application) -> Handler:
    async def handle(payload: bytes, caller: Caller) -> object:
        return await operation.call(application, codec.decode(operation.command, payload), caller)

    return handle
