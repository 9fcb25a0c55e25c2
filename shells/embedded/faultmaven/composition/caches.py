"""The bindings of what is kept for a while: cache, sessions, leases, signals and rate limits, in memory or in one Redis."""

from __future__ import annotations

import time
from typing import Any

from injector import Module, provider, singleton

from faultmaven.composition.lifecycle import Lifecycle
from faultmaven.composition.select import backend, kind
from faultmaven.tree import Settings
from faultmaven_adapters.ratelimit.fallback import LocalWhenAway
from faultmaven_adapters.ratelimit.memory import MemoryRateLimiter
from faultmaven_adapters.resilience.budget import RetryBudget
from faultmaven_adapters.resilience.policy import resilient
from faultmaven_adapters.telemetry.calls import traced
from faultmaven_core.ports import policy
from faultmaven_core.ports.cache import Cache
from faultmaven_core.ports.leases import Leases
from faultmaven_core.ports.policy import Policies
from faultmaven_core.ports.rate_limit import RateLimiter
from faultmaven_core.ports.signals import Signals
from faultmaven_core.ports.telemetry import Telemetry
from faultmaven_core.sessions.ports import SessionStore
from faultmaven_core.shared.clock import Clock


class CachesModule(Module):
    """All of them behind the same server share its connections, and one budget of retries."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clients: Any = None
        self._budget = RetryBudget(time.monotonic)

    @singleton
    @provider
    def cache(self, clock: Clock, telemetry: Telemetry, lifecycle: Lifecycle) -> Cache:
        return self._made("cache", ("MemoryCache", "RedisCache"), (clock,), telemetry, lifecycle, policy.CACHE)  # type: ignore[no-any-return]  # chosen by name

    @singleton
    @provider
    def leases(self, clock: Clock, telemetry: Telemetry, lifecycle: Lifecycle) -> Leases:
        return self._made("leases", ("MemoryLeases", "RedisLeases"), (clock,), telemetry, lifecycle, policy.LEASES)  # type: ignore[no-any-return]  # as above

    @singleton
    @provider
    def signals(self, telemetry: Telemetry, lifecycle: Lifecycle) -> Signals:
        return self._made("signals", ("MemorySignals", "RedisSignals"), (), telemetry, lifecycle, policy.SIGNALS)  # type: ignore[no-any-return]  # as above

    @singleton
    @provider
    def sessions(self, clock: Clock, telemetry: Telemetry, lifecycle: Lifecycle) -> SessionStore:
        names = ("MemorySessionStore", "RedisSessionStore")
        return self._made("sessions", names, (clock,), telemetry, lifecycle, policy.SESSIONS)  # type: ignore[no-any-return]  # as above

    @singleton
    @provider
    def rate_limiter(self, clock: Clock, telemetry: Telemetry, lifecycle: Lifecycle) -> RateLimiter:
        names = ("MemoryRateLimiter", "RedisRateLimiter")
        made = self._made("rate limits", names, (clock,), telemetry, lifecycle, policy.RATE_LIMIT)
        if kind(self._settings.cache.url.scheme) == "memory":
            return made  # type: ignore[no-any-return]  # as above
        # Signing in must stay limited while Redis is away, and nobody else be stopped by that.
        return LocalWhenAway(made, MemoryRateLimiter(clock), clock, replicas=self._settings.replicas)

    def _made(
        self,
        port: str,
        names: tuple[str, str],
        memory: tuple[Any, ...],
        telemetry: Telemetry,
        lifecycle: Lifecycle,
        policies: Policies,
    ) -> Any:
        scheme = self._settings.cache.url.scheme
        module = backend(port, scheme)
        if kind(scheme) == "memory":
            made = getattr(module, names[0])(*memory)
        else:
            store = getattr(module, names[1])(self._redis(lifecycle))
            made = resilient(store, policies, "Redis", budget=self._budget)
        lifecycle.on_close(made.aclose)
        return traced(made, port.replace(" ", "_"), kind(scheme), telemetry)

    def _redis(self, lifecycle: Lifecycle) -> Any:
        if self._clients is None:
            from faultmaven_adapters._support.redis_clients import RedisPlace, open_redis

            chosen = self._settings.cache
            place = RedisPlace(
                chosen.url.place,
                password=chosen.url.password,
                sentinel_password=chosen.sentinel_password,
                ca_file=chosen.ca_file,
                pool=chosen.pool,
            )
            self._clients = open_redis(place)
            lifecycle.on_close(self._clients.aclose)
        return self._clients
