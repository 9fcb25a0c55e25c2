"""Every rate limiter, through the same suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from faultmaven_adapters.ratelimit.memory import MemoryRateLimiter
from faultmaven_adapters.ratelimit.redis import RedisRateLimiter
from faultmaven_adapters.resilience.policy import resilient
from faultmaven_contract_tests.rate_limit import Later, RateLimiterContract
from faultmaven_core.ports.policy import RATE_LIMIT
from faultmaven_core.ports.rate_limit import RateLimiter
from four_processes import Opened, in_memory, over_redis

OPENERS = {
    "memory": in_memory(MemoryRateLimiter),
    "resilient": in_memory(lambda clock: resilient(MemoryRateLimiter(clock), RATE_LIMIT, "The rate limiter")),
    **over_redis(RedisRateLimiter),
}


class TestRateLimiter(RateLimiterContract):
    """All of it."""

    port = "rate_limit"
    openers = OPENERS

    @pytest.fixture
    async def opened(self, backend: str, tmp_path: Path) -> AsyncIterator[Opened[RateLimiter]]:
        """Fresh counts."""
        async with self.openers[backend](tmp_path) as opened:
            yield opened

    @pytest.fixture
    def subject(self, opened: Opened[RateLimiter]) -> RateLimiter:
        """One process' limiter."""
        return opened.processes[0]

    @pytest.fixture
    def others(self, opened: Opened[RateLimiter]) -> Sequence[RateLimiter]:
        """Three more."""
        return opened.processes[1:]

    @pytest.fixture
    def later(self, opened: Opened[RateLimiter]) -> Later:
        """Time as the backend sees it."""
        return opened.later
