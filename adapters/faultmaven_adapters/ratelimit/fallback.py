"""For limits that must hold on while the shared counter is away: then each replica counts its part by itself."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from faultmaven_core.ports.health import Inspection
from faultmaven_core.ports.rate_limit import Decision, RateLimit, RateLimiter, RateLimitKey
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import BackendUnavailableError, DeadlineExceededError

PAUSE = timedelta(seconds=1)
"""After a failure the shared counter is left alone for so long: no request waits for what is known to be away."""

_log = logging.getLogger(__name__)


class LocalWhenAway(RateLimiter):
    """A limiter whose outage lets nobody do more than `replicas` such limiters may do together, rounded up.

    Nothing is ever unlimited, and nobody is refused because of the outage. `ping` and `inspect` tell of the shared one.
    """

    def __init__(self, shared: RateLimiter, local: RateLimiter, clock: Clock, *, replicas: int) -> None:
        self._shared, self._local, self._clock, self._replicas = shared, local, clock, replicas
        self._away_until: datetime | None = None

    async def hit(self, key: RateLimitKey, limit: RateLimit, *, cost: int = 1) -> Decision:
        if self._away_until is None or self._clock.now() >= self._away_until:
            try:
                decided = await self._shared.hit(key, limit, cost=cost)
            except (BackendUnavailableError, DeadlineExceededError) as error:
                if self._away_until is None:
                    _log.warning("Rate limits are counted in this process alone for now: %s", error)
                self._away_until = self._clock.now() + PAUSE
            else:
                self._away_until = None
                return decided
        part = replace(limit, rate=self._share(limit.rate), burst=self._share(limit.burst))
        return await self._local.hit(key, part, cost=min(cost, part.burst))

    async def ping(self) -> None:
        await self._shared.ping()

    async def inspect(self) -> Inspection:
        return await self._shared.inspect()

    async def aclose(self) -> None:
        await self._shared.aclose()
        await self._local.aclose()

    def _share(self, whole: int) -> int:
        return -(-whole // self._replicas)
