"""The bindings: one module per port, one for the services. The only place that knows what serves which port."""

from __future__ import annotations

import os
import platform
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib.metadata import version

from injector import Module, provider, singleton

from faultmaven.composition.caches import CachesModule
from faultmaven.composition.deferred import (
    DeferredDocumentReader,
    DeferredExtractionRunner,
    DeferredPatternScanner,
    DeferredReportRenderer,
)
from faultmaven.composition.identity import IdentityModule
from faultmaven.composition.knowledge import Embedding, KnowledgeModule
from faultmaven.composition.lifecycle import Lifecycle
from faultmaven.composition.stores import BlobsModule, DatabaseModule, JobsModule, Storage, Transport
from faultmaven.composition.telemetry import TelemetryModule
from faultmaven.tree import Settings
from faultmaven_adapters.extraction.document_files import LocalDocumentFiles
from faultmaven_adapters.extraction.files import LocalEvidenceFiles
from faultmaven_core.application import Application
from faultmaven_core.archives.ports import Spool
from faultmaven_core.archives.service import ArchiveService
from faultmaven_core.cases.service import CaseService
from faultmaven_core.evidence.custody import EvidenceDesk
from faultmaven_core.evidence.ports import EvidenceFiles
from faultmaven_core.evidence.service import EvidenceService
from faultmaven_core.evidence.uploads import Quota
from faultmaven_core.identity.service import IdentityService
from faultmaven_core.investigation.long_turns import LongTurns
from faultmaven_core.investigation.service import InvestigationService
from faultmaven_core.investigation.turns import TurnService
from faultmaven_core.jobs.context import Handler
from faultmaven_core.jobs.runner import JobRunner, RunnerOptions
from faultmaven_core.jobs.scheduler import Scheduler
from faultmaven_core.jobs.service import JobService
from faultmaven_core.knowledge.ports import DocumentFiles
from faultmaven_core.knowledge.service import KnowledgeService
from faultmaven_core.operations import SCHEDULES, handlers
from faultmaven_core.ports.blobs import BlobStore
from faultmaven_core.ports.document_reader import DocumentReader
from faultmaven_core.ports.extraction_runner import ExtractionRunner
from faultmaven_core.ports.health import Pingable
from faultmaven_core.ports.pattern_scanner import PatternScanner
from faultmaven_core.ports.rate_limit import RateLimiter
from faultmaven_core.ports.report_renderer import ReportRenderer
from faultmaven_core.ports.telemetry import Telemetry
from faultmaven_core.ports.vectors import VectorStore
from faultmaven_core.sessions.service import SessionService
from faultmaven_core.shared.clock import Clock, SystemClock
from faultmaven_core.shared.ids import Ids, RandomIds


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


class ReadingModule(Module):
    """Files and extraction."""

    @singleton
    @provider
    def local_files(self, lifecycle: Lifecycle) -> LocalEvidenceFiles:
        files = LocalEvidenceFiles()
        lifecycle.on_close(files.aclose)
        return files

    @singleton
    @provider
    def files(self, files: LocalEvidenceFiles) -> EvidenceFiles:
        return files

    @singleton
    @provider
    def spool(self, files: LocalEvidenceFiles) -> Spool:
        return files

    @singleton
    @provider
    def document_files(self, lifecycle: Lifecycle) -> DocumentFiles:
        files = LocalDocumentFiles()
        lifecycle.on_close(files.aclose)
        return files

    @singleton
    @provider
    def document_reader(self) -> DocumentReader:
        return DeferredDocumentReader()

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
    def desk(self, settings: Settings, storage: Storage, files: EvidenceFiles, blobs: BlobStore) -> EvidenceDesk:
        return EvidenceDesk(storage.evidence, files, blobs, settings.evidence_copy_max)

    @singleton
    @provider
    def quota(self, settings: Settings) -> Quota:
        return Quota(settings.quota_organization, settings.quota_user)

    @singleton
    @provider
    def evidence(
        self,
        storage: Storage,
        cases: CaseService,
        files: EvidenceFiles,
        desk: EvidenceDesk,
        scanner: PatternScanner,
        quota: Quota,
        clock: Clock,
        ids: Ids,
    ) -> EvidenceService:
        return EvidenceService(storage.evidence, cases, files, desk, scanner, clock, ids, quota)

    @singleton
    @provider
    def archives(
        self,
        storage: Storage,
        desk: EvidenceDesk,
        files: EvidenceFiles,
        spool: Spool,
        renderer: ReportRenderer,
        quota: Quota,
        clock: Clock,
        ids: Ids,
    ) -> ArchiveService:
        return ArchiveService(storage.archives, desk, files, spool, renderer, quota, clock, ids, version("faultmaven"))

    @singleton
    @provider
    def knowledge(
        self,
        storage: Storage,
        cases: CaseService,
        files: DocumentFiles,
        reader: DocumentReader,
        blobs: BlobStore,
        vectors: VectorStore,
        embedding: Embedding,
        clock: Clock,
        ids: Ids,
    ) -> KnowledgeService:
        return KnowledgeService(storage.knowledge, cases, files, reader, blobs, vectors, embedding.embedder, clock, ids)

    @singleton
    @provider
    def investigation(
        self,
        cases: CaseService,
        evidence: EvidenceService,
        runner: ExtractionRunner,
        renderer: ReportRenderer,
        knowledge: KnowledgeService,
    ) -> InvestigationService:
        return InvestigationService(cases, evidence, runner, renderer, knowledge, version("faultmaven"))

    @singleton
    @provider
    def job_service(self, storage: Storage, clock: Clock) -> JobService:
        return JobService(storage.job_units, storage.jobs, clock)

    @singleton
    @provider
    def scheduler(self, settings: Settings, storage: Storage, clock: Clock) -> Scheduler:
        return Scheduler(storage.job_units, SCHEDULES, settings.caller, clock)

    @singleton
    @provider
    def application(
        self,
        cases: CaseService,
        evidence: EvidenceService,
        archives: ArchiveService,
        knowledge: KnowledgeService,
        investigation: InvestigationService,
        jobs: JobService,
        identity: IdentityService,
        sessions: SessionService,
        limiter: RateLimiter,
        scheduler: Scheduler,
        settings: Settings,
        storage: Storage,
        blobs: BlobStore,
        transport: Transport,
        telemetry: Telemetry,
        clock: Clock,
        ids: Ids,
        lifecycle: Lifecycle,
    ) -> Application:
        runs = _Runs(settings, storage, transport, lifecycle)
        known: dict[str, Handler] = {}
        probes: dict[str, Pingable] = {"database": storage, "blobs": blobs, "cache": limiter, "jobs": transport}
        runner = runs.runner(known, clock, ids)
        turns = TurnService(cases, evidence, investigation)
        long_turns = LongTurns(turns, jobs, runner, clock, ids)
        lifecycle.on_close(long_turns.aclose)
        application = Application(
            cases,
            evidence,
            archives,
            knowledge,
            investigation,
            jobs,
            identity,
            sessions,
            limiter,
            probes,
            telemetry,
            runner,
            scheduler,
            long_turns,
        )
        # Operations call the application, which holds their runner: the table is filled last.
        known |= handlers(application)
        runs.begin(application)
        return application


class _Runs:
    """What runs jobs, or tells workers of them."""

    def __init__(self, settings: Settings, storage: Storage, transport: Transport, lifecycle: Lifecycle) -> None:
        self._storage, self._transport, self._lifecycle = storage, transport, lifecycle
        self._embedded = settings.jobs.url.scheme == "embedded"
        self._queues = () if self._embedded else settings.worker.queues
        self._lease = timedelta(seconds=settings.jobs.lease)
        self._time_limit = timedelta(seconds=settings.jobs.time_limit)

    def runner(self, known: Mapping[str, Handler], clock: Clock, ids: Ids) -> JobRunner:
        """The runner of these operations."""
        spread = random.Random()  # noqa: S311 - spreads retries, guards nothing
        beat = min(self._lease / 4, RunnerOptions().beat)
        options = RunnerOptions(lease=self._lease, beat=beat, time_limit=self._time_limit)
        name = f"{platform.node()} {os.getpid()}"
        return JobRunner(
            self._storage.jobs, known, clock, ids, spread.random, worker=name, queues=self._queues, options=options
        )

    def begin(self, application: Application) -> None:
        """An embedded transport runs jobs itself; any other only tells workers of them."""
        runs = (application.runner.run_one, application.scheduler.tick) if self._embedded else ()
        self._lifecycle.on_start(lambda: self._transport.start(*runs))
        self._lifecycle.on_close(self._transport.aclose)


def modules(settings: Settings) -> Sequence[Module]:
    """All bindings for these settings."""
    return (
        SettingsModule(settings),
        TelemetryModule(),
        DatabaseModule(),
        JobsModule(),
        BlobsModule(),
        KnowledgeModule(),
        CachesModule(settings),
        IdentityModule(),
        ReadingModule(),
        ServicesModule(),
    )
