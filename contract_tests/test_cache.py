"""The contract of caches on our backends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faultmaven_adapters.cache.memory import MemoryCache
from faultmaven_adapters.cache.redis import RedisCache
from faultmaven_adapters.resilience.policy import resilient
from faultmaven_contract_tests.cache import CacheContract, CacheLostReplyContract, Passing
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_core.ports.cache import Cache
from faultmaven_core.ports.policy import CACHE
from short_lived import Faulty, Opened, in_memory, over_redis, through_faults

OPENERS = {
    "memory": in_memory(MemoryCache),
    "resilient": in_memory(lambda clock: resilient(MemoryCache(clock), CACHE, "The cache")),
    **over_redis(RedisCache),
}


class TestCache(CacheContract):
    """A cache."""

    port = "cache"
    openers = OPENERS

    @pytest.fixture
    async def opened(self, backend: str, tmp_path: Path) -> AsyncIterator[Opened[Cache]]:
        """A fresh one."""
        async with self.openers[backend](tmp_path) as opened:
            yield opened

    @pytest.fixture
    def subject(self, opened: Opened[Cache]) -> Cache:
        """The cache."""
        return opened.subject

    @pytest.fixture
    def passing(self, opened: Opened[Cache]) -> Passing:
        """Its time."""
        return opened.passing


class TestCacheLostReply(CacheLostReplyContract):
    """Behind a network that breaks."""

    port = "cache"
    openers = through_faults(RedisCache)

    @pytest.fixture
    async def opened(self, backend: str, tmp_path: Path) -> AsyncIterator[Faulty[Cache]]:
        """A fresh one."""
        async with self.openers[backend](tmp_path) as opened:
            yield opened

    @pytest.fixture
    def subject(self, opened: Faulty[Cache]) -> Cache:
        """The cache."""
        return opened.subject

    @pytest.fixture
    def direct(self, opened: Faulty[Cache]) -> Cache:
        """The same values on a way that does not break."""
        return opened.direct

    @pytest.fixture
    def proxy(self, opened: Faulty[Cache]) -> FaultProxy:
        """What breaks."""
        return opened.proxy
