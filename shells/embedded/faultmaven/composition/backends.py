"""All backends of an installation beside each other, for what looks after them instead of using them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from injector import Injector, Module, provider, singleton

from faultmaven.composition.caches import CachesModule
from faultmaven.composition.knowledge import Embedding, KnowledgeModule
from faultmaven.composition.lifecycle import Lifecycle
from faultmaven.composition.modules import SettingsModule
from faultmaven.composition.stores import BlobsModule, DatabaseModule, JobsModule, Storage, Transport
from faultmaven.composition.telemetry import TelemetryModule
from faultmaven.tree import Settings
from faultmaven_core.ports.blobs import BlobStore
from faultmaven_core.ports.cache import Cache
from faultmaven_core.ports.leases import Leases
from faultmaven_core.ports.rate_limit import RateLimiter
from faultmaven_core.ports.signals import Signals
from faultmaven_core.ports.telemetry import Telemetry
from faultmaven_core.ports.vectors import VectorStore
from faultmaven_core.sessions.ports import SessionStore


@dataclass(frozen=True, slots=True)
class Backends:
    """What the settings name, built and not yet connected."""

    storage: Storage
    blobs: BlobStore
    vectors: VectorStore
    embedding: Embedding
    cache: Cache
    leases: Leases
    signals: Signals
    sessions: SessionStore
    rate_limiter: RateLimiter
    transport: Transport
    telemetry: Telemetry


class BackendsModule(Module):
    """All at once."""

    @singleton
    @provider
    def backends(
        self,
        storage: Storage,
        blobs: BlobStore,
        vectors: VectorStore,
        embedding: Embedding,
        cache: Cache,
        leases: Leases,
        signals: Signals,
        sessions: SessionStore,
        rate_limiter: RateLimiter,
        transport: Transport,
        telemetry: Telemetry,
    ) -> Backends:
        return Backends(
            storage,
            blobs,
            vectors,
            embedding,
            cache,
            leases,
            signals,
            sessions,
            rate_limiter,
            transport,
            telemetry,
        )


@asynccontextmanager
async def open_backends(settings: Settings) -> AsyncIterator[Backends]:
    """The backends that these settings name; nothing is started, so one that is down keeps no other from being looked at.

    Raises MisconfiguredError where a driver is not installed.
    """
    stores = (DatabaseModule(), JobsModule(), BlobsModule(), KnowledgeModule(), CachesModule(settings))
    async with AsyncExitStack() as stack:
        injector = Injector([SettingsModule(settings), TelemetryModule(), *stores, BackendsModule()], auto_bind=False)
        stack.push_async_callback(injector.get(Lifecycle).close)
        yield injector.get(Backends)
