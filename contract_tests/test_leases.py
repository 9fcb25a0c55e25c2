"""The contract of leases on our backends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faultmaven_adapters.leases.memory import MemoryLeases
from faultmaven_adapters.leases.redis import RedisLeases
from faultmaven_adapters.resilience.policy import resilient
from faultmaven_contract_tests.cache import Passing
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.leases import LeasesContract, LeasesLostReplyContract
from faultmaven_core.ports.leases import Leases
from faultmaven_core.ports.policy import LEASES
from short_lived import Faulty, Opened, in_memory, over_redis, through_faults

OPENERS = {
    "memory": in_memory(MemoryLeases),
    "resilient": in_memory(lambda clock: resilient(MemoryLeases(clock), LEASES, "The leases")),
    **over_redis(RedisLeases),
}


class TestLeases(LeasesContract):
    """Leases."""

    port = "leases"
    openers = OPENERS

    @pytest.fixture
    async def opened(self, backend: str, tmp_path: Path) -> AsyncIterator[Opened[Leases]]:
        """A fresh one."""
        async with self.openers[backend](tmp_path) as opened:
            yield opened

    @pytest.fixture
    def subject(self, opened: Opened[Leases]) -> Leases:
        """The leases."""
        return opened.subject

    @pytest.fixture
    def passing(self, opened: Opened[Leases]) -> Passing:
        """Its time."""
        return opened.passing


class TestLeasesLostReply(LeasesLostReplyContract):
    """Behind a network that breaks."""

    port = "leases"
    openers = through_faults(RedisLeases)

    @pytest.fixture
    async def opened(self, backend: str, tmp_path: Path) -> AsyncIterator[Faulty[Leases]]:
        """A fresh one."""
        async with self.openers[backend](tmp_path) as opened:
            yield opened

    @pytest.fixture
    def subject(self, opened: Faulty[Leases]) -> Leases:
        """The leases."""
        return opened.subject

    @pytest.fixture
    def direct(self, opened: Faulty[Leases]) -> Leases:
        """The same leases on a way that does not break."""
        return opened.direct

    @pytest.fixture
    def proxy(self, opened: Faulty[Leases]) -> FaultProxy:
        """What breaks."""
        return opened.proxy
