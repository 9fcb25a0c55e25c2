"""Every rate limiter, through the same suite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from faultmaven_adapters.ratelimit.memory import MemoryRateLimiter
from faultmaven_adapters.ratelimit.redis import RedisRateLimiter
from faultmaven_contract_tests.harness import Opener
from faultmaven_contract_tests.rate_limit import Later, RateLimiterContract
from faultmaven_contract_tests.samples import START
from faultmaven_contract_tests.servers import needed_by, needs
from faultmaven_core.ports.rate_limit import RateLimiter
from faultmaven_core.shared.clock import FixedClock
from redis_backends import CLIENTS, ClientsOpener


@dataclass(frozen=True, slots=True)
class Opened:
    """Four processes' limiters over the same counts, and a way to let time pass."""

    limiters: Sequence[RateLimiter]
    later: Later


@asynccontextmanager
async def memory(_folder: Path) -> AsyncIterator[Opened]:
    """In memory: one process is all there is."""
    clock = FixedClock(START)

    async def later(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    yield Opened([MemoryRateLimiter(clock)] * 4, later)


def over(clients: ClientsOpener) -> Opener:
    """The same on a Redis."""

    @needs(*needed_by(clients))
    @asynccontextmanager
    async def opener(_folder: Path) -> AsyncIterator[Opened]:
        async with clients() as make:
            yield Opened([RedisRateLimiter(make()) for _ in range(4)], asyncio.sleep)

    return opener


OPENERS = {"memory": memory, **{name: over(clients) for name, clients in CLIENTS.items()}}


class TestRateLimiter(RateLimiterContract):
    """All of it."""

    port = "rate_limit"
    openers = OPENERS

    @pytest.fixture
    async def opened(self, backend: str, tmp_path: Path) -> AsyncIterator[Opened]:
        """Fresh counts."""
        async with self.openers[backend](tmp_path) as opened:
            yield opened

    @pytest.fixture
    def subject(self, opened: Opened) -> RateLimiter:
        """One process' limiter."""
        return opened.limiters[0]

    @pytest.fixture
    def others(self, opened: Opened) -> Sequence[RateLimiter]:
        """Three more."""
        return opened.limiters[1:]

    @pytest.fixture
    def later(self, opened: Opened) -> Later:
        """Time as the backend sees it."""
        return opened.later
