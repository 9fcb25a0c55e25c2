"""Identity: who people are, how they come in, and what they may do."""

from __future__ import annotations

from collections.abc import Container, Mapping

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.administration import UserAdministration
from faultmaven_core.identity.api_keys import ApiKeys
from faultmaven_core.identity.audit import AuditLog
from faultmaven_core.identity.authentication import Authentication
from faultmaven_core.identity.ending import Ending
from faultmaven_core.identity.guard import Guard
from faultmaven_core.identity.handing_on import HandingOn
from faultmaven_core.identity.installation import Installation
from faultmaven_core.identity.introspecting import Introspection
from faultmaven_core.identity.invitations import Invitations
from faultmaven_core.identity.letters import Letters
from faultmaven_core.identity.model import ClientInfo, Principal
from faultmaven_core.identity.oauth import OAuth
from faultmaven_core.identity.opening import Opening
from faultmaven_core.identity.organizations import Organizations
from faultmaven_core.identity.parts import Parts
from faultmaven_core.identity.passwords import Passwords
from faultmaven_core.identity.people import user_view
from faultmaven_core.identity.policy import IdentityPolicy
from faultmaven_core.identity.ports import AccountDirectory, IdentityUnits
from faultmaven_core.identity.refreshing import Refreshing
from faultmaven_core.identity.registering import Registering
from faultmaven_core.identity.signing_in import SigningIn
from faultmaven_core.identity.standing import Standings, standing
from faultmaven_core.identity.teams import Teams
from faultmaven_core.ports.mail import Mailer
from faultmaven_core.ports.passwords import PasswordHasher
from faultmaven_core.ports.rate_limit import RateLimiter
from faultmaven_core.ports.tokens import KeyRing, Tokens
from faultmaven_core.ports.writes import Writes
from faultmaven_core.sessions.ports import SessionStore
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.ids import Ids


class IdentityService:
    """The front of identity; each of its public attributes is the use cases over one thing.

    Which permission a call takes is the shell's to check; that nobody gives what he lacks is checked here.
    """

    def __init__(
        self,
        *,
        units: IdentityUnits,
        directory: AccountDirectory,
        sessions: SessionStore,
        hasher: PasswordHasher,
        tokens: Tokens,
        keys: KeyRing,
        limiter: RateLimiter,
        mailer: Mailer,
        clock: Clock,
        ids: Ids,
        policy: IdentityPolicy,
        common: Container[str],
    ) -> None:
        self.policy = policy
        self.audit = AuditLog(units, clock, ids)
        self._parts = parts = Parts(
            units,
            directory,
            sessions,
            hasher,
            tokens,
            clock,
            ids,
            policy,
            common,
            Writes(units, clock),
            self.audit,
            Guard(limiter, policy, tokens),
            Letters(mailer, policy.product, policy.public_url),
            Standings(units, directory, clock),
        )
        opening = Opening(parts)
        self._signing_in, self._refreshing = SigningIn(parts, opening), Refreshing(parts, opening)
        self._authentication = Authentication(parts)
        self.sessions = Ending(parts)
        self.passwords = Passwords(parts, self._signing_in, self.sessions)
        self.invitations = Invitations(parts)
        self._registering = Registering(parts, opening, self.passwords, self.invitations)
        self.users = UserAdministration(parts, self._registering, self.passwords, self.sessions)
        self.organizations, self.teams, self.api_keys = Organizations(parts), Teams(parts), ApiKeys(parts)
        self.oauth = OAuth(parts, opening, self._refreshing)
        self.introspection = Introspection(parts, self._authentication, self._refreshing)
        self.installation = Installation(parts, self._registering, keys)
        self.handing_on = HandingOn(tokens, clock)

    async def register(self, command: c.Register, client: ClientInfo) -> v.TokenPair:
        """See Registering.register."""
        return await self._registering.register(command, client)

    async def login(self, command: c.Login, client: ClientInfo) -> v.TokenPair:
        """See SigningIn.login."""
        return await self._signing_in.login(command, client)

    async def dev_login(self, command: c.DevLogin, client: ClientInfo) -> v.TokenPair:
        """See SigningIn.dev_login."""
        return await self._signing_in.dev_login(command, client)

    async def refresh(self, command: c.Refresh, client: ClientInfo) -> v.TokenPair:
        """See Refreshing.refresh."""
        return await self._refreshing.refresh(command, client)

    async def authenticate(self, bearer: str) -> Principal:
        """See Authentication.authenticate."""
        return await self._authentication.authenticate(bearer)

    async def logout(self, command: c.LogOut, principal: Principal) -> v.LoggedOut:
        """See Ending.logout."""
        return await self.sessions.logout(command, principal)

    async def me(self, principal: Principal) -> v.UserView:
        """The caller himself."""
        async with self._parts.units(principal.caller.organization, read_only=True) as unit:
            known = await standing(unit, principal.caller.user)
        return user_view(known.user, known.organization, known.permissions)

    async def jwks(self) -> Mapping[str, object]:
        """The public keys that access tokens are checked with."""
        return await self._parts.tokens.jwks()

    async def aclose(self) -> None:
        """Wait for letters that are on their way."""
        await self._parts.letters.aclose()
