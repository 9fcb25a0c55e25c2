"""An installation of identity in memory: real passwords (cheap ones) and real keys in a folder."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from faultmaven_adapters.mail.memory import MemoryMailer
from faultmaven_adapters.passwords.argon2 import Argon2Passwords
from faultmaven_adapters.ratelimit.memory import MemoryRateLimiter
from faultmaven_adapters.sessions.memory import MemorySessionStore
from faultmaven_adapters.sql.memory import MemoryStorage
from faultmaven_adapters.tokens.jose import JoseTokens
from faultmaven_adapters.tokens.key_folder import KeyFolder
from faultmaven_contract_tests.identity_installation import People
from faultmaven_core.identity.policy import IdentityPolicy
from faultmaven_core.identity.service import IdentityService
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.ids import RandomIds


class Memory:
    """The stores of an installation; several services, as several processes, may stand over them."""

    def __init__(self, folder: Path, clock: FixedClock) -> None:
        self.clock, self.ids = clock, RandomIds(clock)
        self.storage = MemoryStorage("", clock, self.ids, lambda _: None)
        self.sessions, self.limiter, self.mailer = MemorySessionStore(clock), MemoryRateLimiter(clock), MemoryMailer()
        self.hasher, self.keys = Argon2Passwords(memory_kib=8, passes=1), KeyFolder(folder / "keys", clock)

    def people(self, policy: IdentityPolicy, common: Container[str] = ()) -> People:
        """One process."""
        service = IdentityService(
            units=self.storage.identity,
            directory=self.storage.accounts,
            sessions=self.sessions,
            hasher=self.hasher,
            tokens=JoseTokens(self.keys, "https://fm.example", self.clock),
            keys=self.keys,
            limiter=self.limiter,
            mailer=self.mailer,
            clock=self.clock,
            ids=self.ids,
            policy=policy,
            common=common,
        )
        return People(
            service, self.storage.identity, self.storage.accounts, self.sessions, self.clock, self.mailer.sent
        )

    async def aclose(self) -> None:
        """Use no more."""
        await self.hasher.aclose()
        await self.keys.aclose()
