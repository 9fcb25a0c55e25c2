"""Signing in and out as clients do it, over the identity that is really there."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from faultmaven import FaultMaven
from faultmaven_http.app import create_app
from tests.shells.http.shell import client_of

HERE = {"host": "localhost:8090"}
PASSWORD = "wide river, 7 old lanterns"
VERIFIER = "a" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REDIRECT = "https://" + "abcdefghijklmnop" * 2 + ".chromiumapp.org/"
TOKENS = {
    "access_token": str,
    "token_type": str,
    "expires_in": int,
    "expires_at": int,
    "refresh_token": str,
    "refresh_expires_in": int,
    "session_id": str,
    "user": dict,
    "user_id": str,
    "username": str,
}
USER = {
    "user_id": str,
    "username": str,
    "email": str,
    "display_name": str,
    "roles": list,
    "is_admin": bool,
    "is_dev_user": bool,
    "is_active": bool,
    "created_at": str,
}


@pytest.fixture
async def nobody(fm: FaultMaven) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without a token, of the whole installation."""
    async with client_of(create_app(fm.application, fm.settings.http)) as client:
        yield client


def check(answer: httpx2.Response, status: int = 200) -> dict[str, Any]:
    """The body that all clients read, each in its way."""
    assert answer.status_code == status, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    assert {name: type(body[name]) for name in TOKENS} == TOKENS
    assert {name: type(body["user"][name]) for name in USER} == USER
    assert body["user"]["user_id"] == body["user_id"]
    assert body["token_type"] == "bearer"
    assert body["expires_in"] > 300
    assert body["refresh_expires_in"] > 0
    # Milliseconds: whoever reads seconds is signed out at once.
    assert abs(body["expires_at"] - (time.time() + body["expires_in"]) * 1000) < 60_000
    return body


async def registered(client: httpx2.AsyncClient, name: str = "ann") -> dict[str, Any]:
    """Somebody who has signed up."""
    body = {"username": name, "email": f"{name}@example.org", "display_name": name.title(), "password": PASSWORD}
    return check(await client.post("/api/v1/auth/register", json=body), 201)


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def test_somebody_signs_up_signs_in_and_asks_who_he_is(nobody: httpx2.AsyncClient) -> None:
    """The first user of an organization of his own is its administrator."""
    tokens = await registered(nobody)
    assert {"user", "admin"} <= set(tokens["user"]["roles"])
    again = check(await nobody.post("/api/v1/auth/login", json={"username": "ann", "password": PASSWORD}))
    me = (await nobody.get("/api/v1/auth/me", headers=bearer(again))).json()
    assert me["user_id"] == tokens["user_id"]
    assert me["organization"]["organization_id"].startswith("org_")
    assert me["organization"]["name"]
    assert {"username", "email", "display_name", "roles", "is_dev_user", "created_at", "last_login"} <= me.keys()


async def test_a_wrong_password_and_an_unknown_name_look_the_same(nobody: httpx2.AsyncClient) -> None:
    """401 with one sentence for the form, without words that clients take for a dead session."""
    await registered(nobody)
    wrong = await nobody.post("/api/v1/auth/login", json={"username": "ann", "password": "not this one"})
    unknown = await nobody.post("/api/v1/auth/login", json={"username": "nobody", "password": "not this one"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["detail"] == unknown.json()["detail"]
    assert "session" not in wrong.json()["detail"].lower()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"username": "ann"}, 409),
        ({"username": ""}, 422),
        ({"password": PASSWORD}, 422),
        ({"username": "eve", "password": "short"}, 422),
        ({"username": "eve", "roles": ["owner"]}, 422),
        ({"username": "eve", "organization_id": "local"}, 422),
        ({"username": "eve", "is_admin": True}, 422),
    ],
    ids=str,
)
async def test_who_cannot_be_is_not_signed_up(nobody: httpx2.AsyncClient, body: dict[str, Any], status: int) -> None:
    """Taken, nameless, with a weak password, or with rights of his own choice."""
    await registered(nobody)
    filled = {"email": "", "display_name": "Eve", "password": PASSWORD, **body}
    answer = await nobody.post("/api/v1/auth/register", json=filled)
    assert answer.status_code == status, answer.text
    assert isinstance(answer.json()["detail"], str)


async def test_by_name_alone_one_signs_in_on_this_machine_only(fm: FaultMaven, nobody: httpx2.AsyncClient) -> None:
    """A fresh name makes a user of the installation's own organization, for longer than a page lives without refresh."""
    tokens = check(await nobody.post("/api/v1/auth/dev-login", json={"username": "dev"}, headers=HERE))
    assert tokens["user"]["is_dev_user"] is True
    assert tokens["expires_in"] == 8 * 3600
    check(
        await nobody.post(
            "/api/v1/auth/dev-register", json={"username": "dev2", "email": "", "display_name": ""}, headers=HERE
        ),
        201,
    )
    assert fm.settings.http.on_loopback


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "evil.example:8090", "[::", ""])
async def test_a_page_whose_name_was_made_to_lead_here_signs_in_by_no_name(
    nobody: httpx2.AsyncClient, host: str
) -> None:
    """Its requests come from this machine's own browser, and only the Host header tells."""
    for place in ("dev-login", "dev-register", "register"):
        body = {"username": "dev", "email": "dev@example.org", "display_name": "Dev"}
        answer = await nobody.post(f"/api/v1/auth/{place}", json=body, headers={"host": host})
        assert answer.status_code in (400, 404), answer.text
    assert (await nobody.post("/api/v1/auth/dev-login", json={"username": "dev"}, headers=HERE)).status_code == 200


async def test_a_refresh_token_is_good_once_at_both_addresses(nobody: httpx2.AsyncClient) -> None:
    """In JSON and as a form; what was used is good for nothing, nor what came of it."""
    first = await registered(nobody)
    second = check(await nobody.post("/api/v1/auth/refresh", json={"refresh_token": first["refresh_token"]}))
    form = {
        "grant_type": "refresh_token",
        "refresh_token": second["refresh_token"],
        "client_id": "faultmaven-slack-agent",
    }
    third = check(await nobody.post("/api/v1/auth/oauth/token", data=form))
    fourth = check(
        await nobody.post("/api/v1/auth/oauth/token", json={**form, "refresh_token": third["refresh_token"]})
    )
    assert (await nobody.get("/api/v1/auth/me", headers=bearer(fourth))).status_code == 200
    for path, body in (
        ("/api/v1/auth/refresh", {"refresh_token": "fmr_rubbish"}),
        ("/api/v1/auth/oauth/token", {**form, "refresh_token": "fmr_rubbish"}),
    ):
        answer = await nobody.post(path, json=body)
        assert answer.status_code in {400, 401}
        assert "session" not in answer.json()["detail"].lower()
    refused = (await nobody.post("/api/v1/auth/oauth/token", data={**form, "refresh_token": "x"})).json()
    assert refused["error"] == "invalid_grant"
    assert refused["error_description"] == refused["detail"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "ann", "password": PASSWORD}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_request"),
    ],
    ids=str,
)
async def test_tokens_are_given_for_two_kinds_of_grants_only(
    nobody: httpx2.AsyncClient, form: dict[str, str], error: str
) -> None:
    """By RFC 6749 5.2: 400, a word and a sentence, not to be kept anywhere."""
    answer = await nobody.post("/api/v1/auth/oauth/token", data=form)
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer.headers["cache-control"] == "no-store"


async def test_logging_out_ends_everything_of_a_user_at_both_addresses(nobody: httpx2.AsyncClient) -> None:
    """At once, and for all his tokens."""
    await registered(nobody)
    for path in ("/api/v1/auth/logout", "/v1/auth/logout"):
        one, two = [
            check(await nobody.post("/api/v1/auth/login", json={"username": "ann", "password": PASSWORD})) for _ in "12"
        ]
        left = await nobody.post(path, headers=bearer(one))
        assert left.status_code == 200
        assert left.json()["all_sessions_ended"] is True
        assert left.json()["revoked_tokens"] >= 2
        for tokens in (one, two):
            after = await nobody.get("/api/v1/auth/me", headers=bearer(tokens))
            assert after.status_code == 401
            assert "session expired" not in after.json()["detail"].lower()
            assert "session not found" not in after.json()["detail"].lower()
            assert after.json()["code"] == ""
            refresh = await nobody.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
            assert refresh.status_code == 401
    assert (await nobody.post("/v1/auth/logout")).status_code == 401


async def test_a_client_gets_a_code_and_tokens_for_it(nobody: httpx2.AsyncClient) -> None:
    """Authorization code with PKCE, once; consent can be refused, and a wrong verifier gets nothing."""
    tokens = await registered(nobody)
    asked = {
        "response_type": "code",
        "client_id": "faultmaven-copilot",
        "redirect_uri": REDIRECT,
        "scope": "openid profile email cases:read cases:write knowledge:read evidence:read",
        "state": "s1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    shown = await nobody.get("/api/v1/auth/oauth/authorize", params=asked, headers=bearer(tokens))
    consent = shown.json()
    assert {"client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"} <= consent.keys()
    assert {"user_id", "username", "email", "display_name"} == consent["user"].keys()
    answered = {name: consent[name] for name in consent if name != "user"}
    refused = await nobody.post(
        "/api/v1/auth/oauth/authorize", json={**answered, "approved": False}, headers=bearer(tokens)
    )
    assert (refused.status_code, refused.json()["error"]) == (400, "access_denied")
    agreed = await nobody.post(
        "/api/v1/auth/oauth/authorize", json={**answered, "approved": True}, headers=bearer(tokens)
    )
    assert agreed.json().keys() >= {"code", "state", "iss"}
    form = {
        "grant_type": "authorization_code",
        "code": agreed.json()["code"],
        "code_verifier": "b" * 64,
        "client_id": "faultmaven-copilot",
        "redirect_uri": REDIRECT,
    }
    assert (await nobody.post("/api/v1/auth/oauth/token", json=form)).json()["error"] == "invalid_grant"
    given = check(await nobody.post("/api/v1/auth/oauth/token", json={**form, "code_verifier": VERIFIER}))
    assert (await nobody.get("/api/v1/cases", headers=bearer(given))).status_code == 200
    again = await nobody.post("/api/v1/auth/oauth/token", json={**form, "code_verifier": VERIFIER})
    assert again.json()["error"] == "invalid_grant"
    assert (await nobody.get("/api/v1/cases", headers=bearer(given))).status_code == 401


async def test_authorize_says_what_is_wrong_in_json(nobody: httpx2.AsyncClient) -> None:
    """The dashboard parses every answer; nothing is redirected."""
    tokens = await registered(nobody)
    answer = await nobody.get("/api/v1/auth/oauth/authorize?client_id=evil&state=1", headers=bearer(tokens))
    assert answer.status_code == 400
    assert answer.json()["error_description"]
    stranger = await nobody.get("/api/v1/auth/oauth/authorize")
    assert stranger.status_code == 401
    assert stranger.json()["error_description"]


async def test_revoking_tells_nothing_and_works(nobody: httpx2.AsyncClient) -> None:
    """200 whatever the token was."""
    tokens = await registered(nobody)
    unknown = await nobody.post("/api/v1/auth/oauth/revoke", data={"token": "rubbish", "client_id": "x"})
    known = await nobody.post("/api/v1/auth/oauth/revoke", data={"token": tokens["refresh_token"]})
    assert (unknown.status_code, known.status_code) == (200, 200)
    assert unknown.content == known.content
    assert (await nobody.get("/api/v1/auth/me", headers=bearer(tokens))).status_code == 401


async def test_clients_are_told_how_one_signs_in(nobody: httpx2.AsyncClient) -> None:
    """Before anybody has; and the keys of tokens are public, without their private parts."""
    told = (await nobody.get("/api/v1/auth/config")).json()
    assert (told["auth_mode"], told["supports_registration"], told["oauth"]) == ("local", True, None)
    for name in ("login_endpoint", "register_endpoint"):
        answer = await nobody.post(told[name], json={})
        assert answer.status_code == 422
    keys = (await nobody.get("/.well-known/jwks.json")).json()["keys"]
    assert keys
    assert all("d" not in key for key in keys)


async def test_capabilities_have_what_clients_read(nobody: httpx2.AsyncClient) -> None:
    """At both addresses, without a token."""
    first, second = [(await nobody.get(f"{prefix}/v1/meta/capabilities")).json() for prefix in ("", "/api")]
    assert first == second
    assert first["deploymentMode"] == "self-hosted"
    assert first["kbManagement"] == "dashboard"
    features = {"extensionKB", "adminKB", "teamSharing", "caseHistory", "sso", "managementConsole"}
    assert {name: type(value) for name, value in first["features"].items()} == dict.fromkeys(features, bool)
    assert isinstance(first["limits"]["maxFileBytes"], int)
    assert all(name.startswith(".") for name in first["limits"]["allowedExtensions"])
    assert first["branding"]["name"] == "FaultMaven"
