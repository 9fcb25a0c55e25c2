"""Who calls: an access token or an API key, held against what is true at this moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from faultmaven_core.identity.api_keys import PREFIX, well_formed
from faultmaven_core.identity.credentials import ApiKey, digest
from faultmaven_core.identity.model import Principal
from faultmaven_core.identity.opening import ended, session_id
from faultmaven_core.identity.parts import Parts
from faultmaven_core.identity.permissions import of_scope
from faultmaven_core.identity.ports import IdentityUnitOfWork
from faultmaven_core.identity.standing import Standing
from faultmaven_core.ports.tokens import TokenKind
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import UnauthenticatedError
from faultmaven_core.shared.ids import OrganizationId, UserId

USE_NOTED = timedelta(minutes=5)
"""How exact the time is at which an API key was used last."""


class Authentication:
    """Proves who calls. A token is good while its session lives and its user may come in, whatever it says itself."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def authenticate(self, bearer: str, *, used: bool = True) -> Principal:
        """Who this text stands for, and what he may do now. Unless it is `used`, nothing lasts longer for it.

        Raises UnauthenticatedError where nobody, BackendUnavailableError where that cannot be found out.
        """
        if bearer.startswith(PREFIX):
            return await self._by_key(bearer, used=used)
        return await self._by_token(bearer, used=used)

    async def _by_token(self, bearer: str, *, used: bool) -> Principal:
        parts = self._parts
        claims = await parts.tokens.read(bearer, TokenKind.ACCESS, audience=parts.policy.audience)
        organization, user, text = (str(claims.get(name, "")) for name in ("org", "sub", "sid"))
        session = await parts.sessions.get(session_id(text), slide=used)
        if session is None or (session.sign_in.organization, session.sign_in.user) != (organization, user):
            raise ended()
        known = await self._standing(OrganizationId(organization), UserId(user))
        scope = str(claims.get("scope", ""))
        permissions = known.permissions & of_scope(scope) if scope else known.permissions
        expires_at = datetime.fromtimestamp(float(str(claims["exp"])), UTC)
        method, client = session.sign_in.method, str(claims.get("client_id", ""))
        return _principal(known, permissions, text, client, method, expires_at)

    async def _by_key(self, bearer: str, *, used: bool) -> Principal:
        if not well_formed(bearer):
            raise UnauthenticatedError("This is no API key.")
        key, now = await self._parts.standings.api_key(digest(bearer)), self._parts.clock.now()
        if key is None or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
            raise UnauthenticatedError("This API key is not good any more.")
        known = await self._standing(key.organization, key.user)
        if used and (key.last_used_at is None or now - key.last_used_at >= USE_NOTED):
            await self._note_use(key, now)
        permissions = known.permissions & frozenset(key.permissions)
        return _principal(known, permissions, "", key.id, "api_key", key.expires_at)

    async def _standing(self, organization: OrganizationId, user: UserId) -> Standing:
        known = await self._parts.standings.of(organization, user)
        if known is None or not known.active:
            raise ended()
        return known

    async def _note_use(self, key: ApiKey, now: datetime) -> None:
        async def work(unit: IdentityUnitOfWork) -> None:
            stored = await unit.api_keys.by_digest(key.digest)
            if stored.last_used_at is None or now - stored.last_used_at >= USE_NOTED:
                await unit.api_keys.save(replace(stored, last_used_at=now))

        await self._parts.write(None, Caller(key.organization, key.user), type(None), work)
        self._parts.standings.forget_api_key(key.digest)


def _principal(
    known: Standing, permissions: frozenset[str], sid: str, client_id: str, method: str, expires_at: datetime | None
) -> Principal:
    user = known.user
    caller = Caller(user.organization, user.id)
    return Principal(
        caller,
        user.username,
        user.display_name,
        user.email,
        user.roles,
        permissions,
        sid,
        client_id,
        method,
        expires_at,
        known.teams,
    )
