"""Headers that say who somebody is, on the real server over the whole application: nobody becomes another by them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from tests.attacks.installation import PASSWORD, Installation, installed
from tests.shells.http.shell import exchanged, served

pytestmark = pytest.mark.asyncio(loop_scope="module")

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_PASSING = re.compile(
    rb"(?i)^(?:x-request-id|x-correlation-id|traceparent|date|ratelimit|x-ratelimit-[a-z]+|content-length): .*$",
    re.MULTILINE,
)
_PASSING_MEMBERS = re.compile(rb'"(?:correlation_id|timestamp|milliseconds|took)":("[^"]*"|[0-9.]+)')


@dataclass
class Open:
    """The port of a server; Alice, who owns an organization, and the token of Bob of another one."""

    place: Installation
    port: int
    bob: bytes
    alice: dict[str, str]
    to_nobody: dict[str, bytes] = field(default_factory=dict)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Open]:
    """See Open."""
    home = Path(tmp_path_factory.mktemp("forged")) / "home"
    async with installed(home, FM_DATABASE_URL="memory:", FM_BLOBS_URL="memory:") as place:
        alice, bob = await place.signed_up("alice"), await place.signed_up("bob")
        async with place.client(alice["access_token"]) as client:
            mine = (await client.get("/api/v1/auth/me")).json()
            case = (await client.post("/api/v1/cases", json={"title": "Of Alice"})).json()["case_id"]
        known = {"user": alice["user_id"], "organization": mine["organization"]["organization_id"], "case": case}
        known["token"] = alice["access_token"]
        async with served(place.app) as port:
            yield Open(place, port, bob["access_token"].encode(), known)


def forgeries(alice: dict[str, str]) -> dict[str, bytes]:
    """Headers that would make somebody Alice, if anything believed them."""
    user, organization = alice["user"].encode(), alice["organization"].encode()
    plain = b"".join(
        name + b": " + value + b"\r\n"
        for name, value in (
            (b"X-User-ID", user),
            (b"X-User-Roles", b"owner,admin"),
            (b"X-User-Email", b"alice@example.org"),
            (b"X-User-Permissions", b"case:read"),
            (b"X-Org-ID", organization),
            (b"X-Organization-ID", organization),
            (b"X-FM-User", user),
            (b"X-FM-Principal", user + b"@" + organization),
            (b"X-Email-Verified", b"true"),
            (b"X-Forwarded-User", user),
            (b"X-Forwarded-For", b"127.0.0.1"),
            (b"X-Forwarded-Host", b"attacker.example"),
            (b"X-Forwarded-Proto", b"https"),
            (b"X-Original-URL", b"/metrics"),
            (b"X-Rewrite-URL", b"/metrics"),
            (b"X-HTTP-Method-Override", b"DELETE"),
            (b"Forwarded", b"for=127.0.0.1;host=attacker.example"),
            (b"X-Real-IP", b"127.0.0.1"),
            (b"X-Remote-User", user),
            (b"Remote-User", user),
        )
    )
    names = [line.partition(b":")[0] for line in plain.splitlines()]
    return {
        "as they are": plain,
        "capitals": plain.upper().replace(organization.upper(), organization).replace(user.upper(), user),
        "small letters": plain.lower(),
        "underscores": b"\r\n".join(
            line.replace(b"-", b"_", line.partition(b":")[0].count(b"-")) for line in plain.splitlines()
        )
        + b"\r\n",
        "repeated": plain + plain,
        "named in Connection": b"Connection: " + b", ".join(names) + b"\r\n" + plain,
        "with Authorization named in Connection": b"Connection: authorization\r\n" + plain,
    }


FORMS = tuple(forgeries({"user": "u", "organization": "o"}))


def asked(method: str, path: str, token: bytes, more: bytes = b"", body: bytes = b"") -> bytes:
    """A request as bytes."""
    head = f"{method} {path} HTTP/1.1\r\nHost: fm.test\r\n".encode()
    if token:
        head += b"Authorization: Bearer " + token + b"\r\n"
    if body:
        head += b"Content-Type: application/json\r\nContent-Length: " + str(len(body)).encode() + b"\r\n"
    return head + more + b"Connection: close\r\n\r\n" + body


def plain(answer: bytes) -> bytes:
    """An answer without what differs from one request to the next."""
    return _PASSING_MEMBERS.sub(b"", _PASSING.sub(b"", answer))


PRIVATE_ROUTES = ("/api/v1/auth/me", "/api/v1/cases", "/api/v1/sessions", "/api/v1/jobs")
PUBLIC_ROUTES = (
    "/health/live",
    "/api/v1/meta/capabilities",
    "/v1/meta/capabilities",
    "/api/v1/auth/config",
    "/openapi.json",
)


@pytest.mark.parametrize("form", FORMS)
async def test_bob_stays_bob(server: Open, form: str) -> None:
    """G-1: on every private route the answer is the one without these headers, and Alice's case is not there."""
    forged = forgeries(server.alice)[form]
    for path in (*PRIVATE_ROUTES, f"/api/v1/cases/{server.alice['case']}"):
        without = await exchanged(server.port, asked("GET", path, server.bob))
        answer = await exchanged(server.port, asked("GET", path, server.bob, forged))
        assert plain(answer) == plain(without), path
        assert server.alice["user"].encode() not in answer


@pytest.mark.parametrize("form", FORMS)
async def test_nobody_stays_nobody(server: Open, form: str) -> None:
    """G-1: without a token, private routes stay shut and public ones say what they say to everybody."""
    forged = forgeries(server.alice)[form]
    for path in (*PRIVATE_ROUTES, f"/api/v1/cases/{server.alice['case']}", *PUBLIC_ROUTES):
        if path not in server.to_nobody:  # asked once: an address may try only so often
            server.to_nobody[path] = plain(await exchanged(server.port, asked("GET", path, b"")))
        answer = await exchanged(server.port, asked("GET", path, b"", forged))
        assert plain(answer) == server.to_nobody[path], path
        assert (b" 401 " in answer.partition(b"\r\n")[0]) is (path not in PUBLIC_ROUTES)


@pytest.mark.parametrize("form", FORMS)
async def test_signing_in_makes_nobody_else(server: Open, form: str) -> None:
    """G-1: on the routes that make identities: tokens are Bob's, a wrong password stays wrong."""
    forged = forgeries(server.alice)[form]
    right = json.dumps({"username": "bob", "password": PASSWORD}).encode()
    answer = await exchanged(server.port, asked("POST", "/api/v1/auth/login", b"", forged, right))
    assert _STATUS.findall(answer) == [b"200"]
    tokens = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert tokens["username"] == "bob"
    claims = await server.place.principal(tokens["access_token"])
    assert (claims.username, str(claims.caller.user)) == ("bob", tokens["user_id"])
    wrong = json.dumps({"username": "nobody-at-all", "password": PASSWORD}).encode()
    answer = await exchanged(server.port, asked("POST", "/api/v1/auth/login", b"", forged, wrong))
    assert _STATUS.findall(answer) == [b"401"]


async def test_trailers_are_no_headers(server: Open) -> None:
    """G-1: what follows a chunked body: no identity, no token, on private and public routes."""
    token = server.alice["token"].encode()
    forged = forgeries(server.alice)["as they are"] + b"Authorization: Bearer " + token + b"\r\n"
    for path, body, status in (
        ("/api/v1/cases", b"{}", (b"401", b"201")),
        ("/api/v1/auth/login", b'{"username":"nobody-at-all","password":"x"}', (b"401", b"401")),
    ):
        for token, expected in zip((b"", server.bob), status, strict=True):
            head = asked("POST", path, token, b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n")
            size = f"{len(body):x}\r\n".encode()
            answer = await exchanged(server.port, head + size + body + b"\r\n0\r\n" + forged + b"\r\n")
            assert _STATUS.findall(answer) == [expected], answer
            assert server.alice["user"].encode() not in answer
            assert server.alice["organization"].encode() not in answer


async def test_two_tokens_are_none(server: Open) -> None:
    """G-1: which of them would win, nobody has to know."""
    alice = b"Authorization: Bearer " + server.alice["token"].encode() + b"\r\n"
    folded = b"Authorization: Bearer " + server.bob + b", Bearer " + server.alice["token"].encode() + b"\r\n"
    for sent in (asked("GET", "/api/v1/auth/me", server.bob, alice), asked("GET", "/api/v1/auth/me", b"", folded)):
        assert _STATUS.findall(await exchanged(server.port, sent)) == [b"401"]


async def test_links_and_issuers_are_never_made_of_a_host(server: Open) -> None:
    """O-7: what the request calls us does not come back in an answer."""
    for path in (*PUBLIC_ROUTES, "/api/v1/auth/me"):
        sent = asked("GET", path, server.bob).replace(b"Host: fm.test", b"Host: attacker.example:81")
        assert b"attacker.example" not in await exchanged(server.port, sent)


async def test_who_somebody_is_does_not_stay_on_a_connection(server: Open) -> None:
    """G-5: of three requests on one connection, each has its own token or none."""
    one = asked("GET", "/api/v1/auth/me", server.alice["token"].encode()).replace(b"Connection: close\r\n", b"")
    two = asked("GET", "/api/v1/auth/me", b"").replace(b"Connection: close\r\n", b"")
    answer = await exchanged(server.port, one + two + asked("GET", "/api/v1/auth/me", server.bob))
    assert _STATUS.findall(answer) == [b"200", b"401", b"200"]
    assert answer.count(b'"username":"alice"') == answer.count(b'"username":"bob"') == 1
