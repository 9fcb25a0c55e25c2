"""Every store of sessions, through the same suites."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from faultmaven_adapters.resilience.policy import resilient
from faultmaven_adapters.sessions.memory import MemorySessionStore
from faultmaven_adapters.sessions.redis import RedisSessionStore
from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.sessions import (
    Later,
    SessionChangeContract,
    SessionLifeContract,
    SessionsOfUsersContract,
)
from faultmaven_core.ports.policy import SESSIONS
from faultmaven_core.sessions.ports import SessionStore
from four_processes import Opened, in_memory, over_redis

OPENERS = {
    "memory": in_memory(MemorySessionStore),
    "resilient": in_memory(lambda clock: resilient(MemorySessionStore(clock), SESSIONS, "The session store")),
    **over_redis(RedisSessionStore),
}


class Binding(Contract):
    """What all of them are given."""

    port = "sessions"
    openers = OPENERS

    @pytest.fixture
    async def opened(self, backend: str, tmp_path: Path) -> AsyncIterator[Opened[SessionStore]]:
        """A store without sessions."""
        async with self.openers[backend](tmp_path) as opened:
            yield opened

    @pytest.fixture
    def subject(self, opened: Opened[SessionStore]) -> SessionStore:
        """One process' store."""
        return opened.processes[0]

    @pytest.fixture
    def others(self, opened: Opened[SessionStore]) -> Sequence[SessionStore]:
        """Three more."""
        return opened.processes[1:]

    @pytest.fixture
    def later(self, opened: Opened[SessionStore]) -> Later:
        """Time as the backend sees it."""
        return opened.later


class TestSessionLife(Binding, SessionLifeContract):
    """From the sign-in to the end."""


class TestSessionChange(Binding, SessionChangeContract):
    """Data."""


class TestSessionsOfUsers(Binding, SessionsOfUsersContract):
    """Several of one user, and of several users."""
