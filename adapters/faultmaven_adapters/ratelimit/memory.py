"""Rate limits of one process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from faultmaven_core.ports.rate_limit import (
    Decision,
    RateLimit,
    RateLimiter,
    RateLimitKey,
    checked_cost,
    decision,
)
from faultmaven_core.shared.clock import Clock, SystemClock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LEAST_SWEEP = 1024


class MemoryRateLimiter(RateLimiter):
    """See the port. An allowance that is whole again takes no memory."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._whole_at: dict[RateLimitKey, int] = {}
        self._sweep_at = _LEAST_SWEEP

    async def hit(self, key: RateLimitKey, limit: RateLimit, *, cost: int = 1) -> Decision:
        taken = checked_cost(limit, cost)
        now = (self._clock.now() - _EPOCH) // _MICROSECOND
        debt = min(max(self._whole_at.get(key, now) - now, 0), limit.full)
        missing = max(debt + taken - limit.full, 0)
        if missing == 0:
            debt += taken
            self._whole_at[key] = now + debt
            self._sweep(now)
        return decision(limit, debt, missing)

    async def ping(self) -> None:
        self._clock.now()

    def _sweep(self, now: int) -> None:
        if len(self._whole_at) >= self._sweep_at:
            self._whole_at = {key: at for key, at in self._whole_at.items() if at > now}
            self._sweep_at = max(_LEAST_SWEEP, 2 * len(self._whole_at))
