"""Identity over given ports, with what its tests do again and again: signing people up and in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.model import ClientInfo, Principal
from faultmaven_core.identity.ports import AccountDirectory, IdentityUnits
from faultmaven_core.identity.service import IdentityService
from faultmaven_core.ports.mail import Mail
from faultmaven_core.sessions.ports import SessionStore
from faultmaven_core.shared.clock import FixedClock

PASSWORD = "correct horse battery staple"
OTHER_PASSWORD = "another quite long sentence"

HOME = ClientInfo("192.0.2.10", "Browser at home")
ELSEWHERE = ClientInfo("198.51.100.77", "Somebody's script")


@dataclass(frozen=True, slots=True)
class People:
    """An installation of identity, its clock, and what its parts were given."""

    service: IdentityService
    units: IdentityUnits
    directory: AccountDirectory
    sessions: SessionStore
    clock: FixedClock
    letters: list[Mail]

    async def sign_up(
        self, username: str, *, email: str = "", client: ClientInfo = HOME, invitation: str = ""
    ) -> v.TokenPair:
        """Register with the usual password."""
        command = c.Register(username, email, username.title(), PASSWORD, invitation)
        return await self.service.register(command, client)

    async def sign_in(self, username: str, password: str = PASSWORD, *, client: ClientInfo = HOME) -> v.TokenPair:
        """Log in."""
        return await self.service.login(c.Login(username, password), client)

    async def principal(self, pair: v.TokenPair, client: ClientInfo = HOME) -> Principal:
        """Who an access token stands for."""
        return replace(await self.service.authenticate(pair.access_token), client=client)

    async def join(self, owner: Principal, username: str, *roles: str) -> v.TokenPair:
        """Somebody with these roles in the owner's organization, signed in."""
        await self.service.users.create(c.CreateUser(username, password=PASSWORD, roles=roles or ("member",)), owner)
        return await self.sign_in(username)

    async def refresh(self, pair: v.TokenPair, *, client_id: str = "") -> v.TokenPair:
        """The next pair."""
        return await self.service.refresh(c.Refresh(pair.refresh_token, client_id), HOME)

    async def actions(self, principal: Principal, action: str = "") -> list[v.AuditEventView]:
        """What the audit log of the principal's organization says."""
        return list((await self.service.audit.list(c.ReadAudit(limit=1000, action=action), principal)).events)

    def later(self, **passed: float) -> None:
        """Let time go by."""
        self.clock.advance(timedelta(**passed))

    async def post(self) -> list[Mail]:
        """The letters that went out, once they have."""
        await self.service.aclose()
        return self.letters
