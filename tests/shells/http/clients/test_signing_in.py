"""Signing in, staying so and signing out: what each client reads of it, by name and type."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from faultmaven import FaultMaven
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import BackendUnavailableError
from faultmaven_http.app import create_app
from tests.shells.http.clients.conftest import Installed
from tests.shells.http.clients.fields import TEXT, TIME, check
from tests.shells.http.clients.test_rules import PROBLEM
from tests.shells.http.shell import client_of

PASSWORD = "wide river, 7 old lanterns"
HERE = {"host": "localhost:8090"}
VERIFIER = "a" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REDIRECT = "https://" + "abcdefghijklmnop" * 2 + ".chromiumapp.org/"
AUTHORIZE, TOKEN = "/api/v1/auth/oauth/authorize", "/api/v1/auth/oauth/token"
SCOPE = "openid profile email cases:read cases:write knowledge:read evidence:read"

USER = {
    "user_id": TEXT,
    "username": TEXT,
    "email": str,
    "display_name": TEXT,
    "roles": [str],
    "is_admin": bool,
    "is_dev_user": bool,
    "is_active": True,
    "created_at": TIME,
}
TOKENS = {
    "access_token": re.compile(r"[\w-]+\.[\w-]+\.[\w-]+"),
    "token_type": "bearer",
    "expires_in": int,
    "expires_at": int,
    "refresh_token": TEXT,
    "refresh_expires_in": int,
    "session_id": TEXT,
    "scope": str,
    "user": USER,
    "user_id": TEXT,
    "username": TEXT,
    "email": str,
    "display_name": TEXT,
    "roles": [str],
    "idp_logout_url": None,
}
FAILURE = PROBLEM


def signed_in(answer: httpx2.Response, clock: FixedClock, status: int = 200) -> dict[str, Any]:
    """The tokens, which are exactly of the form that all clients read."""
    assert answer.status_code == status, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    check(body, TOKENS)
    assert body["expires_in"] > 300
    assert body["refresh_expires_in"] > 0
    # The dashboard and the extension compare it with Date.now().
    assert body["expires_at"] == round((clock.now() + timedelta(seconds=body["expires_in"])).timestamp() * 1000)
    for name in ("user_id", "username", "email", "display_name", "roles"):
        assert body[name] == body["user"][name]
    return body


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def posted(client: httpx2.AsyncClient, path: str, body: dict[str, str], *, form: bool) -> httpx2.Response:
    """The answer to a form, or to JSON."""
    return await (client.post(path, data=body) if form else client.post(path, json=body))


async def registered(client: httpx2.AsyncClient, clock: FixedClock, name: str = "ann") -> dict[str, Any]:
    """Somebody who has signed up."""
    body = {"username": name, "email": f"{name}@example.org", "display_name": name.title(), "password": PASSWORD}
    return signed_in(await client.post("/api/v1/auth/register", json=body), clock, 201)


async def test_how_one_signs_in_is_told_exactly(nobody: httpx2.AsyncClient) -> None:
    """A form for name and password, and one for signing up."""
    answer = await nobody.get("/api/v1/auth/config")
    wanted = {
        "auth_mode": "local",
        "supports_registration": True,
        "login_endpoint": "/api/v1/auth/login",
        "register_endpoint": "/api/v1/auth/register",
        "oauth": None,
    }
    check(answer.json(), wanted)


async def test_in_oauth_mode_the_browser_is_told_where_to_go(installed: Installed) -> None:
    """Pages of the dashboard, tokens of ours; nobody signs up where that is closed."""
    fm = await installed(FM_AUTH_MODE="oauth", FM_REGISTRATION="closed", FM_DASHBOARD_URL="https://fm.example.org")
    async with client_of(create_app(fm.application, fm.settings.http)) as client:
        body = (await client.get("/api/v1/auth/config")).json()
    oauth = {
        "authorize_url": "https://fm.example.org/auth/authorize",
        "token_url": "http://localhost:8090/api/v1/auth/oauth/token",
        "client_id": "faultmaven-copilot",
        "scopes": [re.compile(r"[a-z:]+")],
        "hosted_login_url": "https://fm.example.org/auth/authorize",
    }
    wanted = {
        "auth_mode": "oauth",
        "supports_registration": False,
        "login_endpoint": (None, str),
        "register_endpoint": None,
        "oauth": oauth,
    }
    check(body, wanted)
    assert set(SCOPE.split()) <= set(body["oauth"]["scopes"])


async def test_every_way_in_gives_exactly_this_body(nobody: httpx2.AsyncClient, clock: FixedClock) -> None:
    """Signing up, by password, by name alone: each client calls another, all read the same."""
    await registered(nobody, clock)
    for told in ({"username": "ann", "password": PASSWORD}, {"username": "ann@example.org", "password": PASSWORD}):
        signed_in(await nobody.post("/api/v1/auth/login", json=told), clock)
    filled = {"username": "ann", "password": PASSWORD, "email": "x@example.org", "display_name": "Somebody"}
    assert signed_in(await nobody.post("/api/v1/auth/login", json=filled), clock)["display_name"] == "Ann"
    for path, status in (("dev-login", 200), ("dev-register", 201)):
        body = {"username": "dev"} if status == 200 else {"username": "dev2", "email": "", "display_name": ""}
        answer = await nobody.post(f"/api/v1/auth/{path}", json=body, headers=HERE)
        tokens = signed_in(answer, clock, status)
        assert tokens["user"]["is_dev_user"] is True
        assert tokens["expires_in"] == 8 * 3600
    taken = {"username": "ann", "email": "", "display_name": "", "password": PASSWORD}
    refused = await nobody.post("/api/v1/auth/register", json=taken)
    assert refused.status_code == 409
    check(refused.json(), FAILURE)


async def test_by_name_alone_nobody_signs_in_where_that_is_off(installed: Installed) -> None:
    """404: the agent then says that it needs a token."""
    fm = await installed(FM_DEV_LOGIN="off")
    async with client_of(create_app(fm.application, fm.settings.http)) as client:
        for path in ("dev-login", "dev-register"):
            answer = await client.post(f"/api/v1/auth/{path}", json={"username": "dev"}, headers=HERE)
            assert answer.status_code == 404
            check(answer.json(), FAILURE)


async def test_who_has_a_password_is_not_let_in_by_name_alone(nobody: httpx2.AsyncClient, clock: FixedClock) -> None:
    """Else a password would protect nothing."""
    await registered(nobody, clock)
    answer = await nobody.post("/api/v1/auth/dev-login", json={"username": "ann"}, headers=HERE)
    assert answer.status_code == 401
    check(answer.json(), FAILURE)


async def test_tokens_are_renewed_at_both_addresses(nobody: httpx2.AsyncClient, clock: FixedClock) -> None:
    """In turn, by JSON and by a form, by both clients; each presented one is used up for good."""
    tokens = await registered(nobody, clock)
    used = []
    for client_id in ("", "faultmaven-copilot", "faultmaven-slack-agent"):
        for form in (False, True):
            used.append(tokens["refresh_token"])
            if client_id:
                body = {"grant_type": "refresh_token", "refresh_token": used[-1], "client_id": client_id}
                answer = await posted(nobody, TOKEN, body, form=form)
            else:
                answer = await nobody.post("/api/v1/auth/refresh", json={"refresh_token": used[-1]})
            tokens = signed_in(answer, clock)
            assert (await nobody.get("/api/v1/auth/me", headers=bearer(tokens))).status_code == 200
    assert len({*used, tokens["refresh_token"]}) == len(used) + 1
    clock.advance(timedelta(minutes=1))
    gone = await nobody.post("/api/v1/auth/refresh", json={"refresh_token": used[0]})
    assert gone.status_code == 401
    check(gone.json(), FAILURE)


async def test_a_store_that_is_away_signs_nobody_out(
    fm: FaultMaven, nobody: httpx2.AsyncClient, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with a wait, at every address that takes or gives a token: on a 401 clients forget all they have."""
    tokens = await registered(nobody, clock)

    async def away(*_: object, **__: object) -> None:
        raise BackendUnavailableError("Redis at 10.1.2.3 is away.")

    asked = [
        ("POST", "/api/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]}),
        ("POST", TOKEN, {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}),
        ("POST", "/api/v1/auth/login", {"username": "ann", "password": PASSWORD}),
        ("GET", "/api/v1/auth/me", None),
    ]

    async def all_tell_of_it() -> None:
        store = fm.application.sessions._store
        with monkeypatch.context() as patch:
            for name in ("get", "create", "end", "end_all"):
                patch.setattr(store, name, away)
            for method, path, body in asked:
                answer = await nobody.request(method, path, json=body, headers=bearer(tokens))
                assert answer.status_code == 503, (path, answer.text)
                assert int(answer.headers["retry-after"]) >= 1
                assert "10.1.2.3" not in answer.text

    await all_tell_of_it()
    renewed = await nobody.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    tokens = signed_in(renewed, clock)
    asked = [("POST", "/api/v1/auth/oauth/revoke", {"token": tokens["refresh_token"]})]
    await all_tell_of_it()


async def test_who_asks_is_told_exactly(nobody: httpx2.AsyncClient, clock: FixedClock) -> None:
    """With the organization by its name."""
    tokens = await registered(nobody, clock)
    wanted = {
        **USER,
        "last_login": (None, TIME),
        "organization": {"organization_id": TEXT, "name": TEXT},
        "permissions": [str],
    }
    check((await nobody.get("/api/v1/auth/me", headers=bearer(tokens))).json(), wanted)


async def test_an_administrator_is_known_by_all_names(nobody: httpx2.AsyncClient, clock: FixedClock) -> None:
    """The dashboard reads the body, its later screens the token, whose `roles` are the user's own."""
    tokens = await registered(nobody, clock)
    assert {"user", "admin"} <= set(tokens["roles"])
    assert tokens["user"]["is_admin"] is True
    middle = tokens["access_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    assert "admin" in claims["roles"]


async def test_what_the_user_is_asked_and_what_the_client_gets(nobody: httpx2.AsyncClient, clock: FixedClock) -> None:
    """The dashboard asks and answers, the extension takes the code; every body exactly."""
    own = bearer(await registered(nobody, clock))
    asked = {
        "response_type": "code",
        "client_id": "faultmaven-copilot",
        "redirect_uri": REDIRECT,
        "state": "s 1/&=",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "scope": SCOPE,
    }
    consent = (await nobody.get(AUTHORIZE, params=asked, headers=own)).json()
    names = {name: asked[name] for name in asked if name != "response_type"}
    user = {"user_id": TEXT, "username": "ann", "email": "ann@example.org", "display_name": "Ann"}
    check(consent, {**names, "user": user})
    for form in (False, True):
        granted = (await nobody.post(AUTHORIZE, json={**names, "approved": True}, headers=own)).json()
        check(granted, {"code": TEXT, "state": "s 1/&=", "iss": "http://localhost:8090"})
        given = {
            "grant_type": "authorization_code",
            "code": granted["code"],
            "code_verifier": VERIFIER,
            "client_id": "faultmaven-copilot",
            "redirect_uri": REDIRECT,
        }
        tokens = signed_in(await posted(nobody, TOKEN, given, form=form), clock)
        assert (await nobody.get("/api/v1/cases", headers=bearer(tokens))).status_code == 200
    refused = await nobody.post(AUTHORIZE, json={**names, "approved": False}, headers=own)
    assert refused.status_code == 400
    check(refused.json(), FAILURE | {"error": "access_denied", "error_description": TEXT})
    assert (await nobody.post(TOKEN, content=b"<a/>", headers={"Content-Type": "text/xml"})).status_code == 415


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (REDIRECT, 200),
        ("https://0123abcd-4567-89ab-cdef-0123456789ab.extensions.allizom.org/", 200),
        ("chrome-extension://" + "abcdefghijklmnop" * 2 + "/callback.html", 200),
        ("https://evil.example/", 400),
        (REDIRECT + "more", 400),
        (REDIRECT.replace("https", "http"), 400),
        ("https://" + "abcdefghijklmnoz" * 2 + ".chromiumapp.org/", 400),
        ("https://evil.example/" + REDIRECT, 400),
    ],
)
async def test_only_addresses_of_the_extension_are_gone_to(
    nobody: httpx2.AsyncClient, clock: FixedClock, address: str, status: int
) -> None:
    """By their whole form, for codes go there."""
    own = bearer(await registered(nobody, clock))
    asked = {
        "response_type": "code",
        "client_id": "faultmaven-copilot",
        "redirect_uri": address,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "state": "1",
    }
    answer = await nobody.get(AUTHORIZE, params=asked, headers=own)
    assert answer.status_code == status, answer.text
    if status == 400:
        check(answer.json(), FAILURE | {"error_description": TEXT})


async def test_oauth_errors_are_of_both_forms(nobody: httpx2.AsyncClient) -> None:
    """By RFC 6749 for the OAuth part of a client, by `detail` for the rest; no cache keeps them."""
    for path in (TOKEN, "/api/v1/auth/oauth/revoke"):
        answer = await nobody.post(path, json={"grant_type": "refresh_token"})
        assert answer.status_code in {400, 422}
        assert answer.headers["cache-control"] == "no-store"
        check(answer.json(), FAILURE | {"error": "invalid_request", "error_description": answer.json()["detail"]})


async def test_signing_out_is_told_exactly(nobody: httpx2.AsyncClient, clock: FixedClock) -> None:
    """The extension warns unless everything ended; without a token there is nothing to end, and no failure."""
    await registered(nobody, clock)
    for path in ("/api/v1/auth/logout", "/v1/auth/logout"):
        body = {"username": "ann", "password": PASSWORD}
        tokens = signed_in(await nobody.post("/api/v1/auth/login", json=body), clock)
        typed = {"Content-Type": "application/json"}
        left = await nobody.post(path, headers=bearer(tokens) | typed)
        check(left.json(), {"message": TEXT, "revoked_tokens": int, "all_sessions_ended": True})
        for headers in (bearer(tokens), typed, {}):
            assert (await nobody.post(path, headers=headers)).status_code == 401


async def test_a_sign_in_of_the_dashboard_is_handed_to_the_extension(
    nobody: httpx2.AsyncClient, clock: FixedClock
) -> None:
    """It takes the whole body from a page, if the time in it lies ahead, and renews it at its own address."""
    given = signed_in(await nobody.post("/api/v1/auth/dev-login", json={"username": "dev"}, headers=HERE), clock)
    assert given["expires_at"] > clock.now().timestamp() * 1000
    clock.advance(timedelta(hours=7, minutes=58))
    renewed = await nobody.post("/api/v1/auth/refresh", json={"refresh_token": given["refresh_token"]})
    again = signed_in(renewed, clock)
    assert again["user"]["user_id"] == given["user"]["user_id"]
