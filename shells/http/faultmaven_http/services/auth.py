"""The auth service: signing in and out, tokens, and the keys that these are checked with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from faultmaven_core.identity import commands as c
from faultmaven_core.identity.policy import COPILOT, AuthMode
from faultmaven_core.shared.errors import NotFoundError
from faultmaven_http.auth import ANYONE
from faultmaven_http.endpoint import Asked, Endpoint, Work
from faultmaven_http.services.members import ENDPOINTS as MEMBERS
from faultmaven_http.services.oauth import OAUTH
from faultmaven_http.services.people import ENDPOINTS as PEOPLE
from faultmaven_http.services.sign_in_page import ENDPOINTS as SIGN_IN_PAGE
from faultmaven_http.shapes import auth as s
from faultmaven_http.shapes.people import me_of, tokens_of

LOGIN, REGISTER = "/api/v1/auth/login", "/api/v1/auth/register"


async def config(asked: Asked) -> s.AuthConfig:
    """How one signs in here."""
    policy, settings = asked.application.identity.policy, asked.settings
    oauth = None
    if policy.mode is AuthMode.OAUTH:
        page = f"{settings.dashboard_url}/auth/authorize"
        token = f"{settings.public_url}/api/v1/auth/oauth/token"
        oauth = s.OAuthConfig(page, token, COPILOT.id, tuple(COPILOT.scope.split()), page)
    return s.AuthConfig(str(policy.mode), policy.registration, LOGIN, REGISTER if policy.registration else None, oauth)


async def login(asked: Asked) -> s.Tokens:
    """Sign in."""
    body: s.Credentials = asked.body
    return tokens_of(await asked.application.identity.login(c.Login(body.username, body.password), asked.client))


async def register(asked: Asked) -> s.Tokens:
    """Sign up."""
    b: s.SignUp = asked.body
    if not b.password:
        _require_here(asked)
    command = c.Register(b.username, b.email, b.display_name, b.password, b.invitation)
    return tokens_of(await asked.application.identity.register(command, asked.client))


async def dev_login(asked: Asked) -> s.Tokens:
    """Sign in by name."""
    _require_here(asked)
    return tokens_of(await asked.application.identity.dev_login(c.DevLogin(asked.body.username), asked.client))


def _require_here(asked: Asked) -> None:
    """Raises NotFoundError where a page of somebody else's name, which was made to lead to this machine, signs in by name."""
    if asked.settings.on_loopback and not asked.settings.is_meant(asked.header(b"host")):
        raise NotFoundError("Signing in by name alone is not offered here.")


async def refresh(asked: Asked) -> s.Tokens:
    """The next tokens."""
    body: s.RefreshBody = asked.body
    command = c.Refresh(body.refresh_token, body.client_id)
    return tokens_of(await asked.application.identity.refresh(command, asked.client))


async def me(asked: Asked) -> s.Me:
    """Who asks."""
    return me_of(await asked.application.identity.me(asked.who), asked.who)


async def logout(asked: Asked) -> s.SignedOut:
    """End all sessions of who asks; of a program its own."""
    done = await asked.application.identity.logout(c.LogOut(everywhere=True), asked.who)
    told = "You are signed out everywhere." if done.all_sessions_ended else "This program is signed out."
    return s.SignedOut(told, done.revoked_tokens, done.all_sessions_ended)


async def jwks(asked: Asked) -> object:
    """The public keys."""
    return await asked.application.identity.jwks()


def _at(method: str, path: str, name: str, summary: str, work: Work, answer: type | None, **more: Any) -> Endpoint:
    given = {"permission": ANYONE, "sessionless": True, "keyed": False, **more}
    return Endpoint(method=method, path=path, name=name, summary=summary, work=work, answer=answer, **given)


ENDPOINTS: Sequence[Endpoint] = (
    _at("GET", "/api/v1/auth/config", "auth.config", "How one signs in here", config, s.AuthConfig, limit="open"),
    _at("POST", LOGIN, "auth.login", "Sign in", login, s.Tokens, body=s.Credentials, failures=(401,)),
    _at("POST", REGISTER, "auth.register", "Sign up", register, s.Tokens, body=s.SignUp, status=201, failures=(409,)),
    _at(
        "POST",
        "/api/v1/auth/dev-login",
        "auth.dev-login",
        "Sign in by name alone, where that is allowed",
        dev_login,
        s.Tokens,
        body=s.NameOnly,
        failures=(404,),
    ),
    _at(
        "POST",
        "/api/v1/auth/dev-register",
        "auth.dev-register",
        "Sign up by name alone, where that is allowed",
        dev_login,
        s.Tokens,
        body=s.NameOnly,
        status=201,
        alias=True,
    ),
    _at(
        "POST",
        "/api/v1/auth/refresh",
        "auth.refresh",
        "Give a refresh token for the next tokens",
        refresh,
        s.Tokens,
        body=s.RefreshBody,
        failures=(401,),
    ),
    _at("GET", "/api/v1/auth/me", "auth.me", "Who asks", me, s.Me, permission="account:read"),
    _at(
        "POST",
        "/api/v1/auth/logout",
        "auth.logout",
        "Sign out everywhere",
        logout,
        s.SignedOut,
        permission="account:write",
    ),
    _at(
        "POST",
        "/v1/auth/logout",
        "auth.logout",
        "Sign out everywhere",
        logout,
        s.SignedOut,
        permission="account:write",
        alias=True,
    ),
    _at(
        "GET",
        "/.well-known/jwks.json",
        "auth.jwks",
        "The public keys of access tokens",
        jwks,
        None,
        limit="open",
        headers={"cache-control": "public, max-age=300"},
    ),
    *OAUTH,
    *SIGN_IN_PAGE,
    *PEOPLE,
    *MEMBERS,
)
