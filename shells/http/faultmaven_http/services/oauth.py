"""OAuth 2.1 as a server: codes for clients that users consent to, tokens for codes."""

from __future__ import annotations

from collections.abc import Sequence

from faultmaven_core import codec
from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.oauth import OAuthError
from faultmaven_core.shared.errors import UnauthenticatedError
from faultmaven_http.auth import ANYONE, SIGNED_IN
from faultmaven_http.endpoint import Answer, Asked, Endpoint
from faultmaven_http.shapes import auth as s
from faultmaven_http.shapes.people import consent_of, token_state_of, tokens_of

AUTHORIZE = "/api/v1/auth/oauth/authorize"
GRANTS = ("authorization_code", "refresh_token")


async def authorize(asked: Asked) -> s.Consent | s.Code:
    """What the user is to be asked."""
    q: s.AuthorizeQuery = asked.query
    command = c.Authorize(
        q.response_type, q.client_id, q.redirect_uri, q.code_challenge, q.code_challenge_method, q.scope, q.state
    )
    return consent_of(await asked.application.identity.oauth.authorize(command, asked.who))


async def consent(asked: Asked) -> s.Consent | s.Code:
    """The code."""
    b: s.ConsentBody = asked.body
    command = c.Consent(
        b.approved, b.client_id, b.redirect_uri, b.code_challenge, b.code_challenge_method, b.scope, b.state
    )
    return consent_of(await asked.application.identity.oauth.consent(command, asked.who))


async def token(asked: Asked) -> s.Tokens:
    """Tokens for a code or a refresh token. A refused credential is `invalid_grant` here, by RFC 6749 5.2."""
    try:
        return tokens_of(await _granted(asked))
    except UnauthenticatedError as error:
        raise OAuthError("invalid_grant", str(error)) from error


async def _granted(asked: Asked) -> v.TokenPair:
    b: s.TokenBody = asked.body
    identity = asked.application.identity
    if b.grant_type == "refresh_token":
        _need(b, "refresh_token")
        return await identity.refresh(c.Refresh(b.refresh_token, b.client_id), asked.client)
    if b.grant_type == "authorization_code":
        _need(b, "code", "code_verifier", "client_id", "redirect_uri")
        command = c.Exchange(b.code, b.code_verifier, b.client_id, b.redirect_uri)
        return await identity.oauth.exchange(command, asked.client)
    raise OAuthError("unsupported_grant_type", f"grant_type must be one of {', '.join(GRANTS)}.")


def _need(body: s.TokenBody, *names: str) -> None:
    for name in names:
        if not getattr(body, name):
            raise OAuthError("invalid_request", f"{name} is missing.")


async def revoke(asked: Asked) -> s.Nothing:
    """Make a token worthless. Whether it was known is not told."""
    b: s.RevokeBody = asked.body
    await asked.application.identity.oauth.revoke(c.Revoke(b.token, b.client_id, b.token_type_hint), asked.client)
    return s.Nothing()


async def introspect(asked: Asked) -> Answer:
    """What a token may do; of all that the caller may not know of, no more than of a text that is no token."""
    b: s.IntrospectBody = asked.body
    found = await asked.application.identity.introspection.introspect(c.Introspect(b.token), asked.who)
    members = codec.to_builtins(token_state_of(found))
    return Answer({name: value for name, value in members.items() if name == "active" or value})


OAUTH: Sequence[Endpoint] = (
    Endpoint(
        method="GET",
        path=AUTHORIZE,
        name="oauth.authorize",
        summary="What the user is to be asked before a client acts for him",
        permission="account:write",
        work=authorize,
        answer=s.Consent,
        query=s.AuthorizeQuery,
        oauth=True,
    ),
    Endpoint(
        method="POST",
        path=AUTHORIZE,
        name="oauth.consent",
        summary="Let a client act for the user, or not",
        permission="account:write",
        work=consent,
        answer=s.Code,
        body=s.ConsentBody,
        keyed=False,
        oauth=True,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/auth/oauth/token",
        name="oauth.token",
        summary="Tokens for a code or a refresh token",
        permission=ANYONE,
        work=token,
        answer=s.Tokens,
        body=s.TokenBody,
        form=True,
        oauth=True,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/auth/oauth/revoke",
        name="oauth.revoke",
        summary="Make a token worthless",
        permission=ANYONE,
        work=revoke,
        answer=s.Nothing,
        body=s.RevokeBody,
        form=True,
        oauth=True,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/auth/oauth/introspect",
        name="oauth.introspect",
        summary="What a token may do, told to a program with an API key",
        permission=SIGNED_IN,
        work=introspect,
        answer=s.TokenState,
        body=s.IntrospectBody,
        form=True,
        keyed=False,
        oauth=True,
    ),
)
