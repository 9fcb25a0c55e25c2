"""Where a browser is sent, and what a letter or an answer links to, is never what a stranger says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, get_type_hints

import pytest
import pytest_asyncio

from faultmaven import FaultMaven, load_settings
from faultmaven_adapters.mail.memory import MemoryMailer
from faultmaven_core.identity.policy import COPILOT, SLACK
from faultmaven_core.ports.mail import Mailer
from faultmaven_http.app import create_app
from tests.attacks.every_request import ANY_ID, ENDPOINTS, request, title
from tests.attacks.installation import PASSWORD, Installation

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLIC, EVIL = "https://fm.example.org", "attacker.example"
ID = "abcdefghijklmnop" * 2
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
GOOD = (
    f"https://{ID}.chromiumapp.org/",
    f"https://{UUID}.extensions.allizom.org/",
    f"chrome-extension://{ID}/callback.html",
)
ASKED = {
    "client_id": COPILOT.id,
    "response_type": "code",
    "code_challenge": "A" * 43,
    "code_challenge_method": "S256",
    "scope": "openid",
    "state": "state-1",
}
API = "/api/v1/auth/oauth/authorize"

HOSTILE = tuple(
    dict.fromkeys(
        chain(
            # Near the first one that is good, in every part of it.
            *((f"{good}{end}" for end in (" ", "\n", "\r\n", "\0", "#", "#a", "?", "?a=b", "/", "//", "../", "%2e%2e/", "x", "\\",
               f"@{EVIL}", f"?next=https://{EVIL}", f"\r\nLocation: https://{EVIL}", "\t", ";a", "%00", "%0d%0a")) for good in GOOD),
            *((f"{start}{good}" for start in (" ", "\t", "\n", "//", "/", "\\\\", "https:", "javascript:", f"https://{EVIL}/", "x"))
              for good in GOOD),
            (f"https://{ID}.chromiumapp.org.{EVIL}/", f"https://{EVIL}/.chromiumapp.org/", f"https://{ID}.chromiumapp.org",
             f"https://{ID}@{EVIL}/.chromiumapp.org/", f"https://{ID}.chromiumapp.org:443/", f"https://{ID}.chromiumapp.org:8443/",
             f"https://{ID}.chromiumapp.org@{EVIL}/", f"https://{EVIL}#{ID}.chromiumapp.org/", f"https://a:b@{ID}.chromiumapp.org/",
             f"https://{EVIL}?{ID}.chromiumapp.org/", f"https://{EVIL}\\.{ID}.chromiumapp.org/", f"https://a.{ID}.chromiumapp.org/",
             f"http://{ID}.chromiumapp.org/", f"HTTPS://{ID}.chromiumapp.org/", f"https://{ID.upper()}.chromiumapp.org/",
             f"https://{ID}.CHROMIUMAPP.org/", f"https://{ID}xchromiumapp.org/", f"https://{ID}.chromiumappxorg/",
             f"https://{ID[1:]}.chromiumapp.org/", f"https://{ID}a.chromiumapp.org/", f"https://{ID[1:]}q.chromiumapp.org/",
             f"https://{ID[1:]}1.chromiumapp.org/", f"https:/{ID}.chromiumapp.org/", f"https:{ID}.chromiumapp.org/",
             f"https:\\\\{ID}.chromiumapp.org/", f"https:///{ID}.chromiumapp.org/", f"//{ID}.chromiumapp.org/", f"ftp://{ID}.chromiumapp.org/",
             f"https://{ID}\u3002chromiumapp\u3002org/", f"https://{ID}.chromiumapp.org\u2044", f"https://{ID}.chromium\u200bapp.org/",
             f"https://{ID}%2echromiumapp.org/", f"https://{ID}.chromiumapp.org%2f", f"https://{ID}..chromiumapp.org/",
             f"chrome-extension://{ID}/callback.html.{EVIL}", f"chrome-extension://{ID}/other.html", f"chrome-extension://{ID}/callbackXhtml",
             f"moz-extension://{UUID}/callback.html", f"https://{'-' * 41}.extensions.allizom.org/", f"https://{UUID}.extensions.allizom.org.{EVIL}/"),
            (f"https://{EVIL}/", f"//{EVIL}", f"/\\{EVIL}", f"\\\\{EVIL}", "/", "", "null", "about:blank", "javascript:alert(1)",
             "data:text/html,x", "vbscript:x", "file:///etc/passwd", "http://localhost/", "http://127.0.0.1:8090/", f"{PUBLIC}/", f"{PUBLIC}{API}",
             "urn:ietf:wg:oauth:2.0:oob", f"https://[::1]@{EVIL}/", "https://" + "a" * 3000 + ".chromiumapp.org/", ".*", "https://*.chromiumapp.org/"),
        )
    )
)  # fmt: skip


@dataclass
class Place:
    """An installation at PUBLIC, the letters that it sent, and a token of Alice's."""

    installation: Installation
    letters: MemoryMailer
    token: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """See Place."""
    home, letters = tmp_path_factory.mktemp("links") / "home", MemoryMailer()
    given = {"FM_HOME": str(home), "FM_DATABASE_URL": "memory:", "FM_BLOBS_URL": "memory:", "FM_RATE_LIMIT": "0"}
    settings = load_settings({**given, "FM_PUBLIC_URL": PUBLIC, "FM_AUTH_MODE": "oauth", "FM_REGISTRATION": "open"})
    async with FaultMaven.open(settings, overrides=[lambda binder: binder.bind(Mailer, to=lambda: letters)]) as fm:
        installation = Installation(fm, create_app(fm.application, settings.http), home)
        tokens = await installation.signed_up("alice")
        yield Place(installation, letters, tokens["access_token"])


WAYS = [
    endpoint
    for endpoint in ENDPOINTS
    if any("redirect_uri" in get_type_hints(kind) for kind in (endpoint.query, endpoint.body) if kind)
    and endpoint.name != "oauth.token"  # which sends nobody anywhere
]
"""Every endpoint that is told where to send somebody."""


def tries(wish: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Every way in which a redirect can be asked for, whatever the user answers."""
    for endpoint in WAYS:
        sent: dict[str, Any] = {"method": endpoint.method, "url": endpoint.path}
        if endpoint.query:
            yield {**sent, "params": _of(endpoint.query, wish)}
        if endpoint.body:
            for answer, approved in (("allow", True), ("deny", False), ("", True)):
                told = {**wish, "username": "alice", "password": PASSWORD, "answer": answer, "approved": approved}
                yield {**sent, "data" if endpoint.form else "json": _of(endpoint.body, told)}


def _of(kind: type, members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: members[name] for name in get_type_hints(kind) if name in members}


async def test_a_redirect_of_the_client_is_served(place: Place) -> None:
    """Else the refusals would prove nothing."""
    assert len(HOSTILE) >= 60
    assert {title(endpoint) for endpoint in WAYS} >= {f"GET {API}", f"POST {API}"}
    async with place.installation.client(place.token) as client:
        for good in GOOD:
            asked = await client.get(API, params={**ASKED, "redirect_uri": good})
            assert asked.status_code == 200, (good, asked.text)


@pytest.mark.parametrize("number", range(0, len(HOSTILE), 20))
async def test_no_other_address_gets_anything(place: Place, number: int) -> None:
    """O-7, T-11: 400, no redirect, no code, and the address stands in nothing that a browser would follow."""
    async with place.installation.client(place.token) as client:
        for hostile in HOSTILE[number : number + 20]:
            for sent in tries({**ASKED, "redirect_uri": hostile}):
                answer = await client.request(**sent)
                assert answer.status_code == 400, (sent, answer.text)
                assert "location" not in answer.headers
                assert answer.json()["error"] == "invalid_request"
                assert "fmc_" not in answer.text


async def test_an_address_of_one_client_is_none_of_another_s(place: Place) -> None:
    """Nor does a client without addresses, or one that nobody knows, get any."""
    async with place.installation.client(place.token) as client:
        for name in (SLACK.id, "unknown", "", ".*"):
            for sent in tries({**ASKED, "client_id": name, "redirect_uri": GOOD[0]}):
                answer = await client.request(**sent)
                assert answer.status_code == 400, (sent, answer.text)
                assert "location" not in answer.headers


FORGED = {
    "X-Forwarded-Host": EVIL,
    "Forwarded": f"host={EVIL};proto=http",
    "X-Original-Host": EVIL,
    "X-Forwarded-Proto": "http",
}


async def test_letters_link_to_the_public_address_alone(place: Place) -> None:
    """O-7: whatever the request that caused them said that it was sent to."""
    place.letters.sent.clear()
    async with place.installation.client(place.token, Host=EVIL, **FORGED) as client:
        reset = await client.post("/api/v1/auth/password/reset", json={"email": "alice@example.org"})
        invited = await client.post("/api/v1/admin/invitations", json={"email": "bob@example.org"})
        await client.post("/api/v1/auth/login", json={"username": "alice", "password": PASSWORD})
    assert (reset.status_code, invited.status_code) == (200, 201), (reset.text, invited.text)
    await place.installation.fm.application.identity.aclose()
    assert len(place.letters.sent) >= 2
    for letter in place.letters.sent:
        assert EVIL not in f"{letter.subject}{letter.text}"
        assert re.findall(r"https?://\S+", letter.text) == [PUBLIC]


PROVING = {"auth.login", "auth.refresh", "password.change", "session.keep"}
"""Endpoints that are asked with a proof beside the token, which here is none."""


async def test_no_answer_says_where_it_was_asked(place: Place) -> None:
    """O-7: neither a body nor a header of any endpoint repeats a host that a request made up."""
    token, refused = place.token, set()
    for endpoint in ENDPOINTS:
        async with place.installation.client(token, Host=EVIL, **FORGED) as client:
            answer = await client.request(**request(endpoint, ANY_ID))
            assert EVIL not in answer.text, title(endpoint)
            assert EVIL not in str(answer.headers.raw), title(endpoint)
            if answer.status_code == 401:
                refused.add(endpoint.name)
            if (await client.get("/api/v1/auth/me")).status_code == 401:
                token = await place.installation.signed_in("alice")
    assert refused == PROVING, "all others were asked by somebody who is signed in"
    place.token = token
