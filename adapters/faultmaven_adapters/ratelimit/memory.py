"""Rate limits of one process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from faultmaven_core.ports.health import Inspection
from faultmaven_core.ports.rate_limit import (
    Decision,
    RateLimit,
    RateLimiter,
    RateLimitKey,
    checked_cost,
    decision,
)
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import ConflictError

SWEEP_EVERY = 1000
"""Hits after which the allowances that are whole again are forgotten."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class MemoryRateLimiter(RateLimiter):
    """See the port. Nothing awaits between a look and a change, so every hit is one step."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._whole_at: dict[RateLimitKey, int] = {}
        self._hits = 0
        self._closed = False

    async def hit(self, key: RateLimitKey, limit: RateLimit, *, cost: int = 1) -> Decision:
        taken, now = checked_cost(limit, cost), self._now()
        debt = min(max(self._whole_at.get(key, now) - now, 0), limit.full)
        missing = max(debt + taken - limit.full, 0)
        if missing == 0:
            debt += taken
            self._whole_at[key] = now + debt
        self._hits += 1
        if self._hits % SWEEP_EVERY == 0:
            self._whole_at = {key: at for key, at in self._whole_at.items() if at > now}
        return decision(limit, debt, missing)

    async def ping(self) -> None:
        self._now()

    async def inspect(self) -> Inspection:
        self._now()
        return Inspection("memory", "", self._clock.now())

    async def aclose(self) -> None:
        self._closed = True

    def _now(self) -> int:
        if self._closed:
            raise ConflictError("The rate limiter was closed.")
        return (self._clock.now() - _EPOCH) // _MICROSECOND
