"""What the log says: nothing that lets anybody in, and no line that a client wrote."""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import Any

import pytest

from faultmaven_core.identity import commands as c
from faultmaven_core.identity.policy import COPILOT
from tests.attacks.every_request import ANY_ID, ENDPOINTS, request, title
from tests.attacks.installation import PASSWORD, Installation

NEW_PASSWORD = "winter harbour 9021 glaze"
FORGED = '{"event": "request", "user": "root", "level": "critical"}'


def records(lines: StringIO) -> list[dict[str, Any]]:
    """The records of a log; each line is one, or this raises."""
    return [dict(json.loads(line)) for line in lines.getvalue().splitlines()]


async def test_no_secret_is_in_the_log(place: Installation, logged: StringIO) -> None:
    """O-2: passwords, tokens, codes and keys go through every route that takes them, right and wrong, at level debug."""
    tokens = await place.signed_up("alice")
    secrets = [PASSWORD, NEW_PASSWORD, tokens["access_token"], tokens["refresh_token"]]
    principal = await place.principal(tokens["access_token"])
    identity = place.fm.application.identity
    key = (await identity.api_keys.create(c.CreateApiKey("program"), principal)).secret
    invitation = (await identity.invitations.invite(c.Invite("carol@example.org"), principal)).token
    secrets += [key, invitation]
    secrets += await _code(place, tokens["access_token"])
    for secret in tuple(secrets):
        await _everywhere(place, secret)
        secrets.append(secret[:-1])  # what is nearly right is worth as much to whoever reads the log
    invitation = (await identity.invitations.invite(c.Invite("erin@example.org"), principal)).token
    secrets.append(invitation)
    async with place.client() as client:
        body = {"username": "erin", "email": "erin@example.org", "password": NEW_PASSWORD, "invitation": invitation}
        assert (await client.post("/api/v1/auth/register", json=body)).status_code == 201
        refreshed = (await client.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})).json()
    secrets += [refreshed.get("access_token", PASSWORD), refreshed.get("refresh_token", PASSWORD)]
    principal = await place.principal(await place.signed_in("alice"))
    await identity.passwords.change(c.ChangePassword(PASSWORD, NEW_PASSWORD), principal)
    text = logged.getvalue()
    assert len(records(logged)) > 50
    assert [secret for secret in secrets if secret in text] == []


async def _code(place: Installation, token: str) -> list[str]:
    """An authorization code, and what proves that its client asked for it."""
    verifier = "verifier-" + "a1" * 30
    body = {
        "approved": True,
        "client_id": COPILOT.id,
        "redirect_uri": f"https://{'a' * 32}.chromiumapp.org/",
        "code_challenge": "NmQyZGI4OTU2NzIzYTc5ZTRjN2Y2ZmM2YjI0N2E5NDE",
        "code_challenge_method": "S256",
        "state": "state-of-the-client-0001",
    }
    async with place.client(token) as client:
        answer = await client.post("/api/v1/auth/oauth/authorize", json=body)
    assert answer.status_code == 200, answer.text
    return [answer.json()["code"], verifier]


async def _everywhere(place: Installation, secret: str) -> None:
    """Where a secret can be given, by right or by mistake."""
    bodies: tuple[tuple[str, dict[str, Any]], ...] = (
        ("login", {"username": "alice", "password": secret}),
        ("login", {"username": secret, "password": secret}),
        ("login", {"username": "alice", "password": {"x": secret}}),
        ("register", {"username": "dave", "password": secret, "invitation": secret}),
        ("refresh", {"refresh_token": secret[:-1]}),
        ("refresh", {"refresh_token": [secret]}),
        ("oauth/token", {"grant_type": "refresh_token", "refresh_token": secret[:-1]}),
        (
            "oauth/token",
            {
                "grant_type": "authorization_code",
                "client_id": COPILOT.id,
                "redirect_uri": "https://x.example/",
                "code": secret,
                "code_verifier": secret,
            },
        ),
        ("oauth/revoke", {"token": secret[:-1]}),
    )
    for path, body in bodies:
        async with place.client() as client:
            answer = await client.post(f"/api/v1/auth/{path}", json=body)
        assert answer.status_code < 500, answer.text
        assert secret not in answer.text or len(secret) < 8
    for headers in ({"Authorization": f"Bearer {secret[:-1]}"}, {"Authorization": secret}, {"Cookie": f"s={secret}"}):
        async with place.client() as client:
            await client.get("/api/v1/auth/me", headers=headers)
    for url in (
        f"/api/v1/auth/me?access_token={secret}",
        f"/api/v1/{secret}",
        f"/api/v1/cases/{secret}?token={secret}",
    ):
        async with place.client() as client:
            await client.get(url, headers={"Referer": f"https://x.example/?t={secret}", "User-Agent": secret})


INJECTED = (
    f"x\n{FORGED}",
    f"x\r\n{FORGED}\r\n",
    f"x\x0b{FORGED}\x0c",
    f"x\x1b[2K\x1b[1A{FORGED}",
    f"x\u2028{FORGED}\u2029",
    f"x\x85{FORGED}",
    f"\u202e{FORGED}\u202c",
    '", "user": "root", "x": "',
    "\x00",
    "\\",
)


@pytest.mark.parametrize("text", INJECTED, ids=ascii)
async def test_no_client_writes_a_record_of_its_own(place: Installation, logged: StringIO, text: str) -> None:
    """O-3: in names, bodies, queries and headers, wherever a request takes text."""
    for endpoint in (each for each in ENDPOINTS if each.body is not None or each.query is not None):
        sent = dict(request(endpoint, ANY_ID, text))
        if "json" in sent:
            sent["json"] = {name: text if isinstance(value, str) else value for name, value in sent["json"].items()}
        async with place.client() as client:
            assert (await client.request(**sent)).status_code < 500, title(endpoint)
    shown = re.sub(r"[^\x20-\x7e]", "?", text)
    names = ("User-Agent", "X-Request-ID", "X-Correlation-ID", "Referer", "traceparent", "X-Forwarded-For")
    for value in (shown.encode(), text.encode(), text.encode("latin-1", "replace")):
        async with place.client() as client:
            await client.post("/api/v1/auth/login", headers={name.encode(): value for name in names}, json={})
    for record in records(logged):
        assert record.get("user") != "root"
        assert record.get("level") != "critical"
        assert record.keys() & {"event", "timestamp", "level"} == {"event", "timestamp", "level"}
    written = logged.getvalue()
    assert written.isascii()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", written)


async def test_a_failure_tells_the_log_and_not_the_client(
    place: Installation, logged: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O-6: the client gets an id; under that id the log has the rest, still on one line and without local variables."""

    async def broken(*_: object) -> None:
        hidden = PASSWORD + " in a variable"
        raise RuntimeError(f"at /srv/fm/{len(hidden)}\n{FORGED}")

    monkeypatch.setattr(type(place.fm.application.identity), "login", broken)
    async with place.client() as client:
        answer = await client.post("/api/v1/auth/login", json={"username": "alice", "password": PASSWORD})
    assert answer.status_code == 500
    assert "/srv/fm" not in answer.text
    assert "RuntimeError" not in answer.text
    found = [each for each in records(logged) if each.get("request_id") == answer.json()["correlation_id"]]
    assert any("/srv/fm" in str(each.get("exception")) for each in found)
    assert PASSWORD not in logged.getvalue()
    assert not any(each.get("user") == "root" for each in records(logged))
