"""Every store of sessions, through the same suites."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.sessions import (
    Later,
    SessionChangeContract,
    SessionLifeContract,
    SessionsOfUsersContract,
)
from faultmaven_core.sessions.ports import SessionStore
from session_stores import OPENERS, Opened


class Binding(Contract):
    """What all of them are given."""

    port = "sessions"
    openers = OPENERS

    @pytest.fixture
    async def opened(self, backend: str, tmp_path: Path) -> AsyncIterator[Opened]:
        """A store without sessions."""
        async with self.openers[backend](tmp_path) as opened:
            yield opened

    @pytest.fixture
    def subject(self, opened: Opened) -> SessionStore:
        """One process' store."""
        return opened.stores[0]

    @pytest.fixture
    def others(self, opened: Opened) -> Sequence[SessionStore]:
        """Three more."""
        return opened.stores[1:]

    @pytest.fixture
    def later(self, opened: Opened) -> Later:
        """Time as the backend sees it."""
        return opened.later


class TestSessionLife(Binding, SessionLifeContract):
    """From the sign-in to the end."""


class TestSessionChange(Binding, SessionChangeContract):
    """Data."""


class TestSessionsOfUsers(Binding, SessionsOfUsersContract):
    """Several of one user, and of several users."""
