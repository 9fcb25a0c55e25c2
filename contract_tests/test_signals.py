"""The contract of signals on our backends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faultmaven_adapters.resilience.policy import resilient
from faultmaven_adapters.signals.memory import MemorySignals
from faultmaven_adapters.signals.redis import RedisSignals
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.signals import SignalsContract, SignalsReconnectContract
from faultmaven_core.ports.policy import SIGNALS
from faultmaven_core.ports.signals import Signals
from short_lived import Faulty, Opened, in_memory, over_redis, through_faults

OPENERS = {
    "memory": in_memory(lambda clock: MemorySignals()),
    "resilient": in_memory(lambda clock: resilient(MemorySignals(), SIGNALS, "The signals")),
    **over_redis(RedisSignals),
}


class TestSignals(SignalsContract):
    """Signals."""

    port = "signals"
    openers = OPENERS

    @pytest.fixture
    async def opened(self, backend: str, tmp_path: Path) -> AsyncIterator[Opened[Signals]]:
        """Fresh ones."""
        async with self.openers[backend](tmp_path) as opened:
            yield opened

    @pytest.fixture
    def subject(self, opened: Opened[Signals]) -> Signals:
        """The signals."""
        return opened.subject

    @pytest.fixture
    def other(self, opened: Opened[Signals]) -> Signals:
        """As another program has them."""
        return opened.other


class TestSignalsReconnect(SignalsReconnectContract):
    """Behind a network that breaks."""

    port = "signals"
    openers = through_faults(RedisSignals)

    @pytest.fixture
    async def opened(self, backend: str, tmp_path: Path) -> AsyncIterator[Faulty[Signals]]:
        """Fresh ones."""
        async with self.openers[backend](tmp_path) as opened:
            yield opened

    @pytest.fixture
    def subject(self, opened: Faulty[Signals]) -> Signals:
        """The signals."""
        return opened.subject

    @pytest.fixture
    def direct(self, opened: Faulty[Signals]) -> Signals:
        """The same on a way that does not break."""
        return opened.direct

    @pytest.fixture
    def proxy(self, opened: Faulty[Signals]) -> FaultProxy:
        """What breaks."""
        return opened.proxy
