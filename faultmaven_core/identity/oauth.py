"""OAuth 2.1 for clients of ours: authorization code with PKCE, exact redirects, one use (RFC 6749 4.1, 7636, 9207, 9700)."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from datetime import timedelta

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.audit_chain import Happening, Outcome
from faultmaven_core.identity.credentials import Grant, Purpose, as_text, digest, new_secret
from faultmaven_core.identity.model import ClientInfo, Principal
from faultmaven_core.identity.opening import Entry, Opening, session_id
from faultmaven_core.identity.parts import Parts
from faultmaven_core.identity.people import user_view
from faultmaven_core.identity.permissions import SCOPES
from faultmaven_core.identity.policy import OAuthClient
from faultmaven_core.identity.ports import IdentityUnitOfWork
from faultmaven_core.identity.refreshing import Refreshing
from faultmaven_core.identity.rights import is_program
from faultmaven_core.identity.signing_in import SYSTEM
from faultmaven_core.identity.standing import standing
from faultmaven_core.ports.tokens import TokenKind
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError, UnauthenticatedError
from faultmaven_core.shared.ids import OrganizationId, UserId
from faultmaven_core.shared.text import checked

CODE_PREFIX = "fmc_"
CODE_LIFE = timedelta(seconds=60)

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class OAuthError(InvalidInputError):
    """A refusal in OAuth's own words: `error` is one of RFC 6749's."""

    code = "oauth"

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description, fields={"error": error})
        self.error = error


@dataclass(frozen=True, slots=True)
class _Exchanged:
    """A code that was given for tokens, or (False) came a second time."""

    grant: Grant
    good: bool


class OAuth:
    """Hands codes to clients that users consent to, and tokens for codes."""

    def __init__(self, parts: Parts, opening: Opening, refreshing: Refreshing) -> None:
        self._parts, self._opening, self._refreshing = parts, opening, refreshing

    async def authorize(self, command: c.Authorize, principal: Principal) -> v.ConsentView | v.CodeGranted:
        """What the user is to be asked; the code at once where the installation does not ask.

        Raises OAuthError where the request is none that we serve: such a one must not be redirected anywhere.
        """
        scope, asked = self.consider(command), _agreed(command)
        _require_person(principal)
        if not self._parts.policy.ask_consent:
            return await self.consent(asked, principal)
        async with self._parts.units(principal.caller.organization, read_only=True) as unit:
            known = await standing(unit, principal.caller.user)
        return v.ConsentView(
            command.client_id,
            command.redirect_uri,
            scope,
            command.state,
            command.code_challenge,
            command.code_challenge_method,
            user_view(known.user, known.organization, known.permissions),
        )

    def consider(self, command: c.Authorize) -> str:
        """The scope that a client asks for, before it is known who is asked. Raises as `authorize`."""
        if command.response_type != "code":
            raise OAuthError("unsupported_response_type", "Only response_type=code is served.")
        return self._checked(_agreed(command))

    async def consent(self, command: c.Consent, principal: Principal) -> v.CodeGranted:
        """The code, if the user agreed. Raises OAuthError: `access_denied` where not, and as `authorize`."""
        scope = self._checked(command)
        _require_person(principal)
        parts, caller, now = self._parts, principal.caller, self._parts.clock.now()
        if not command.approved:
            raise OAuthError("access_denied", "You did not agree, so the client gets nothing.")
        code = CODE_PREFIX + new_secret()
        detail = {
            "client_id": command.client_id,
            "redirect_uri": command.redirect_uri,
            "challenge": command.code_challenge,
            "scope": scope,
        }
        grant = Grant(
            parts.ids.new(), caller.organization, Purpose.CODE, digest(code), caller.user, now, now + CODE_LIFE, detail
        )

        async def work(unit: IdentityUnitOfWork) -> None:
            told = {"client_id": command.client_id, "scope": scope}
            happening = Happening("oauth.consented", caller.user, caller.user, detail=told)
            await parts.audit.note(unit, caller.organization, happening, principal.client)
            await unit.grants.add(grant)
            await unit.grants.sweep(now - timedelta(days=1))

        await parts.write(None, Caller(caller.organization, caller.user), type(None), work)
        return v.CodeGranted(code, command.state, command.redirect_uri, parts.tokens.issuer)

    async def exchange(self, command: c.Exchange, client: ClientInfo) -> v.TokenPair:
        """Tokens for a code.

        Raises OAuthError `invalid_grant` where the code is unknown, too old, another client's or redirect's, the verifier is
        wrong, or the code was used before: then what it gave is taken back.
        """
        parts = self._parts
        await parts.guard.admit(client)
        name = digest(command.code)
        found = await parts.directory.by_grant_digest(Purpose.CODE, name)
        if found is None:
            raise _bad_code()

        async def work(unit: IdentityUnitOfWork) -> _Exchanged:
            try:
                grant = await unit.grants.by_digest(Purpose.CODE, name)
            except NotFoundError as error:
                raise _bad_code() from error
            if not _fits(grant, command):
                raise _bad_code()
            now = parts.clock.now()
            if grant.used_at is not None:
                happening = Happening("oauth.code_reused", "", grant.user, Outcome.DENIED)
                await parts.audit.note(unit, grant.organization, happening, client)
                # Also where the first exchange is still under way: it looks at this before it gives anything.
                await unit.grants.save(replace(grant, revoked_at=grant.revoked_at or now))
                return _Exchanged(grant, good=False)
            if grant.revoked_at is not None or grant.expires_at <= now:
                raise _bad_code()
            await unit.grants.save(replace(grant, used_at=now))
            return _Exchanged(grant, good=True)

        done = await parts.write(None, Caller(found.organization, SYSTEM), _Exchanged, work)
        if not done.good:
            await self._take_back(done.grant)
            raise _bad_code()
        return await self._open(done.grant, command, client)

    async def revoke(self, command: c.Revoke, client: ClientInfo) -> v.Done:
        """Make a token worthless (RFC 7009). Unknown tokens are no error, and nothing is told of them."""
        await self._parts.guard.admit(client)
        token = await self._refreshing.find(command.token)
        if token is not None:
            if token.client_id and not hmac.compare_digest(token.client_id.encode(), command.client_id.encode()):
                return v.Done()
            await self._end(Caller(token.organization, token.user), token.session)
            return v.Done()
        try:
            claims = await self._parts.tokens.read(
                command.token, TokenKind.ACCESS, audience=self._parts.policy.audience
            )
        except UnauthenticatedError:
            return v.Done()
        owner = Caller(OrganizationId(str(claims["org"])), UserId(str(claims["sub"])))
        await self._end(owner, str(claims["sid"]))
        return v.Done()

    async def _open(self, grant: Grant, command: c.Exchange, client: ClientInfo) -> v.TokenPair:
        async with self._parts.units(grant.organization, read_only=True) as unit:
            user, organization = await unit.users.get(grant.user), await unit.organizations.get()
        entry = Entry("oauth", client, client_id=command.client_id, scope=grant.detail["scope"])
        pair = await self._opening.open(user, organization, entry)

        owner = Caller(grant.organization, grant.user)

        async def work(unit: IdentityUnitOfWork) -> bool:
            used = await unit.grants.by_digest(Purpose.CODE, grant.digest)
            await unit.grants.save(replace(used, detail={**used.detail, "session": pair.session_id}))
            return used.revoked_at is None

        if not await self._parts.write(None, owner, bool, work):
            await self._end(owner, pair.session_id)
            raise _bad_code()
        return pair

    async def _take_back(self, grant: Grant) -> None:
        if session := grant.detail.get("session"):
            await self._end(Caller(grant.organization, grant.user), session)

    async def _end(self, owner: Caller, session: str) -> None:
        async def work(unit: IdentityUnitOfWork) -> None:
            await unit.refresh_tokens.revoke_session(session, self._parts.clock.now())

        await self._parts.write(None, owner, type(None), work)
        await self._parts.sessions.end(session_id(session))

    def _checked(self, command: c.Consent) -> str:
        """The scope that is granted. Raises OAuthError where the request is none that we serve."""
        client = self._client(command.client_id)
        if not any(re.fullmatch(pattern, command.redirect_uri) for pattern in client.redirects):
            raise OAuthError("invalid_request", "This redirect_uri is not registered for the client.")
        if command.code_challenge_method != "S256" or not _CHALLENGE.fullmatch(command.code_challenge):
            raise OAuthError("invalid_request", "PKCE with code_challenge_method=S256 is needed.")
        checked("state", command.state, most=512)
        asked = command.scope.split() or client.scope.split()
        if any(word not in SCOPES for word in asked) or not set(asked) <= set(client.scope.split()):
            raise OAuthError("invalid_scope", "The client asks for a scope that it cannot have.")
        return " ".join(dict.fromkeys(asked))

    def _client(self, name: str) -> OAuthClient:
        for client in self._parts.policy.clients:
            if client.id == name:
                return client
        raise OAuthError("invalid_client", "There is no such client.")


def _agreed(command: c.Authorize) -> c.Consent:
    return c.Consent(
        approved=True,
        client_id=command.client_id,
        redirect_uri=command.redirect_uri,
        code_challenge=command.code_challenge,
        code_challenge_method=command.code_challenge_method,
        scope=command.scope,
        state=command.state,
    )


def _require_person(principal: Principal) -> None:
    if is_program(principal) or not principal.sid:
        raise OAuthError("access_denied", "Only somebody who signed in himself can let a client act for him.")


def _fits(grant: Grant, command: c.Exchange) -> bool:
    """Whether who comes with the code is who it was made for."""
    if not _VERIFIER.fullmatch(command.code_verifier):
        return False
    challenge = as_text(hashlib.sha256(command.code_verifier.encode()).digest())
    same_client = grant.detail["client_id"] == command.client_id
    same_place = grant.detail["redirect_uri"] == command.redirect_uri
    return same_client and same_place and hmac.compare_digest(challenge, grant.detail["challenge"])


def _bad_code() -> OAuthError:
    return OAuthError("invalid_grant", "The code is unknown, was used, is too old or was made for somebody else.")
