"""RFC 7662 over HTTP: a gateway of somebody else's asks what a token is good for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from faultmaven import FaultMaven
from faultmaven_http.app import create_app
from tests.shells.http.shell import client_of
from tests.shells.http.test_auth import registered

WHOSE = ("sub", "organization_id", "username", "client_id")
WHERE = "/api/v1/auth/oauth/introspect"


@pytest.fixture
async def nobody(fm: FaultMaven) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without a token, of the whole installation."""
    async with client_of(create_app(fm.application, fm.settings.http)) as client:
        yield client


async def key_of(client: httpx2.AsyncClient, tokens: dict[str, Any], *permissions: str) -> str:
    """An API key of somebody."""
    body = {"name": "gateway", "permissions": list(permissions)}
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    answer = await client.post("/api/v1/auth/api-keys", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["secret"])


async def told(client: httpx2.AsyncClient, key: str, text: str) -> httpx2.Response:
    """What is answered, to a form as the standard has it."""
    return await client.post(
        WHERE, data={"token": text, "token_type_hint": "access_token"}, headers={"authorization": f"Bearer {key}"}
    )


async def test_a_gateway_learns_whose_a_token_is(nobody: httpx2.AsyncClient) -> None:
    """In the standard's words, and nothing of it is stored on the way."""
    ann = await registered(nobody)
    key = await key_of(nobody, ann, "user:read")
    answer = await told(nobody, key, ann["access_token"])
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert set(body) == {*WHOSE, "active", "scope", "iss", "token_type", "exp"}
    assert (body["active"], body["sub"], body["username"]) == (True, ann["user_id"], "ann")
    assert body["exp"] * 1000 <= ann["expires_at"]
    assert "case:read" in body["scope"].split()


async def test_of_a_foreign_token_is_told_what_is_told_of_rubbish(nobody: httpx2.AsyncClient) -> None:
    """To the last byte of body and headers."""
    ann, eve = await registered(nobody), await registered(nobody, "eve")
    key, hers = await key_of(nobody, ann, "user:read"), await key_of(nobody, eve, "case:read")
    passing = {"x-request-id", "x-correlation-id", "traceparent", "date", "ratelimit"}
    seen = []
    for text in (eve["access_token"], eve["refresh_token"], hers, f"{eve['access_token']}x", "rubbish"):
        answer = await told(nobody, key, text)
        assert answer.content == b'{"active":false}'
        kept = {name: value for name, value in answer.headers.items() if name not in passing}
        seen.append((answer.status_code, {n: v for n, v in kept.items() if not n.startswith("x-ratelimit")}))
    assert seen == seen[:1] * len(seen)


async def test_who_asks_proves_who_he_is(nobody: httpx2.AsyncClient) -> None:
    """Nobody, a person, and a program whose key was made up."""
    ann = await registered(nobody)
    anonymous = await nobody.post(WHERE, data={"token": ann["access_token"]})
    person = await told(nobody, ann["access_token"], ann["access_token"])
    forged = await told(nobody, f"fmk_{'a' * 43}00000000", ann["access_token"])
    assert (anonymous.status_code, person.status_code, forged.status_code) == (401, 403, 401)
    assert person.json()["error"] == "access_denied"
    assert "active" not in anonymous.json()
