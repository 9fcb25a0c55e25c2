"""Identity in memory, with a clock that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from faultmaven_adapters.passwords.common import CommonPasswords
from faultmaven_contract_tests.identity_installation import People
from faultmaven_core.identity.policy import IdentityPolicy
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.ids import OrganizationId
from tests.unit.identity.memory import Memory

Make = Callable[[IdentityPolicy], People]

LOCAL = OrganizationId("local")


@pytest.fixture
def clock() -> FixedClock:
    """Stands at noon until a test moves it."""
    return FixedClock(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
async def make(tmp_path: Path, clock: FixedClock) -> AsyncIterator[Make]:
    """Makes installations over the same stores, each with a policy of its own."""
    memory = Memory(tmp_path, clock)
    yield lambda policy: memory.people(policy, CommonPasswords())
    await memory.aclose()


@pytest.fixture
def people(make: Make) -> People:
    """The usual installation."""
    return make(IdentityPolicy(LOCAL))


@pytest.fixture
def developers(make: Make) -> People:
    """One where a name is enough."""
    return make(IdentityPolicy(LOCAL, dev_login=True))
