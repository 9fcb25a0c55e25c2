"""Identity, whole, over our databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faultmaven_adapters.mail.memory import MemoryMailer
from faultmaven_adapters.passwords.argon2 import Argon2Passwords
from faultmaven_adapters.passwords.common import CommonPasswords
from faultmaven_adapters.ratelimit.memory import MemoryRateLimiter
from faultmaven_adapters.sessions.memory import MemorySessionStore
from faultmaven_adapters.tokens.jose import JoseTokens
from faultmaven_adapters.tokens.key_folder import KeyFolder
from faultmaven_contract_tests.identity_installation import People
from faultmaven_contract_tests.identity_races import IdentityRacesContract
from faultmaven_contract_tests.samples import START
from faultmaven_core.identity.policy import IdentityPolicy
from faultmaven_core.identity.service import IdentityService
from faultmaven_core.sessions.expiry import SessionLimits
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.ids import OrganizationId, RandomIds
from storages import OPENERS

DIRECT = {name: opener for name, opener in OPENERS.items() if name != "pgbouncer"}
"""A pooler changes nothing of who waits for whom: the repositories' own suites hold on it."""


class TestIdentityRaces(IdentityRacesContract):
    """The service, with everything but the database in memory."""

    port = "identity"
    openers = DIRECT

    @pytest.fixture
    async def people(self, backend: str, tmp_path: Path) -> AsyncIterator[People]:
        """Nobody yet."""
        clock = FixedClock(START)
        hasher, folder = Argon2Passwords(memory_kib=8, passes=1), KeyFolder(tmp_path / "keys", clock)
        sessions, mailer, usual = MemorySessionStore(clock), MemoryMailer(), IdentityPolicy(OrganizationId("local"))
        limits = SessionLimits(usual.session.idle, usual.session.absolute, 100)
        async with self.openers[backend](tmp_path) as storage:
            service = IdentityService(
                units=storage.identity,
                directory=storage.accounts,
                sessions=sessions,
                hasher=hasher,
                tokens=JoseTokens(folder, "https://fm.example", clock),
                keys=folder,
                limiter=MemoryRateLimiter(clock),
                mailer=mailer,
                clock=clock,
                ids=RandomIds(clock),
                policy=IdentityPolicy(usual.home, session=limits),
                common=CommonPasswords(),
            )
            yield People(service, storage.identity, storage.accounts, sessions, clock, mailer.sent)
            await service.aclose()
        await hasher.aclose()
        await folder.aclose()
