"""Identity in memory: real passwords (cheap ones), real keys in a folder, a clock that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from faultmaven_adapters.mail.memory import MemoryMailer
from faultmaven_adapters.passwords.argon2 import Argon2Passwords
from faultmaven_adapters.passwords.common import CommonPasswords
from faultmaven_adapters.ratelimit.memory import MemoryRateLimiter
from faultmaven_adapters.sessions.memory import MemorySessionStore
from faultmaven_adapters.sql.memory import MemoryStorage
from faultmaven_adapters.tokens.jose import JoseTokens
from faultmaven_adapters.tokens.key_folder import KeyFolder
from faultmaven_contract_tests.identity_installation import People
from faultmaven_core.identity.policy import IdentityPolicy
from faultmaven_core.identity.service import IdentityService
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.ids import OrganizationId, RandomIds

Make = Callable[[IdentityPolicy], People]

LOCAL = OrganizationId("local")


@pytest.fixture
def clock() -> FixedClock:
    """Stands at noon until a test moves it."""
    return FixedClock(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
async def make(tmp_path: Path, clock: FixedClock) -> AsyncIterator[Make]:
    """Makes installations over the same stores, each with a policy of its own."""
    ids = RandomIds(clock)
    storage = MemoryStorage("", clock, ids, lambda _: None)
    sessions, limiter, mailer = MemorySessionStore(clock), MemoryRateLimiter(clock), MemoryMailer()
    hasher, folder = Argon2Passwords(memory_kib=8, passes=1), KeyFolder(tmp_path / "keys", clock)

    def service(policy: IdentityPolicy) -> People:
        made = IdentityService(
            units=storage.identity,
            directory=storage.accounts,
            sessions=sessions,
            hasher=hasher,
            tokens=JoseTokens(folder, "https://fm.example", clock),
            keys=folder,
            limiter=limiter,
            mailer=mailer,
            clock=clock,
            ids=ids,
            policy=policy,
            common=CommonPasswords(),
        )
        return People(made, storage.identity, storage.accounts, sessions, clock, mailer.sent)

    yield service
    await hasher.aclose()
    await folder.aclose()


@pytest.fixture
def people(make: Make) -> People:
    """The usual installation."""
    return make(IdentityPolicy(LOCAL))


@pytest.fixture
def developers(make: Make) -> People:
    """One where a name is enough."""
    return make(IdentityPolicy(LOCAL, dev_login=True))
