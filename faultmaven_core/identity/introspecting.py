"""What a token is good for, told to programs that take tokens of ours without being us (RFC 7662)."""

from __future__ import annotations

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.authentication import Authentication
from faultmaven_core.identity.model import Principal
from faultmaven_core.identity.opening import resumable, session_id
from faultmaven_core.identity.parts import Parts
from faultmaven_core.identity.refreshing import Refreshing
from faultmaven_core.shared.errors import PermissionDeniedError, UnauthenticatedError


class Introspection:
    """Looks at tokens without using them: no session lasts longer for it."""

    def __init__(self, parts: Parts, authentication: Authentication, refreshing: Refreshing) -> None:
        self._parts, self._authentication, self._refreshing = parts, authentication, refreshing

    async def introspect(self, command: c.Introspect, principal: Principal) -> v.TokenState | None:
        """What a token may do now; None where nothing, and where it is none of the caller's business.

        That is a token of another organization, and without `user:read` one of another user: both are answered as a text that
        was never a token. Raises PermissionDeniedError unless the caller is a program with an API key, BackendUnavailableError
        where it cannot be found out.
        """
        if principal.method != "api_key":
            raise PermissionDeniedError("Programs look at tokens: this takes an API key.")
        found = await self._refresh_token(command.token) or await self._bearer(command.token)
        if found is None or found.organization_id != principal.caller.organization:
            return None
        if found.user_id != principal.caller.user and not principal.may("user:read"):
            return None
        return found

    async def _bearer(self, text: str) -> v.TokenState | None:
        try:
            holder = await self._authentication.authenticate(text, used=False)
        except UnauthenticatedError:
            return None
        return v.TokenState(
            holder.caller.organization,
            holder.caller.user,
            holder.username,
            holder.client_id,
            " ".join(sorted(holder.permissions)),
            holder.expires_at,
            self._parts.tokens.issuer,
            "Bearer",
        )

    async def _refresh_token(self, text: str) -> v.TokenState | None:
        token = await self._refreshing.find(text)
        if token is None or token.used_at is not None or token.revoked_at is not None:
            return None
        if min(token.expires_at, token.ends_at) <= self._parts.clock.now():
            return None
        known = await self._parts.standings.of(token.organization, token.user)
        session = await self._parts.sessions.get(session_id(token.session), slide=False)
        if known is None or not known.active or (session is None and not resumable(known.organization)):
            return None
        return v.TokenState(
            token.organization,
            token.user,
            known.user.username,
            token.client_id,
            token.scope,
            token.expires_at,
            self._parts.tokens.issuer,
            "",
        )
