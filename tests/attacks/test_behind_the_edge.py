"""Services that an edge in another process stands in front of: its signed word opens them, and nothing else does."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from starlette.types import Receive, Scope, Send

from faultmaven_core.identity.handing_on import Handed
from faultmaven_core.identity.model import ClientInfo, Principal
from faultmaven_core.ports.tokens import TokenKind
from faultmaven_core.shared.clock import FixedClock, SystemClock
from faultmaven_http.admission import Admission
from faultmaven_http.app import HttpApplication, create_app
from faultmaven_http.dispatch import Resource
from faultmaven_http.services.table import SERVICES
from tests.attacks.every_request import ANY_ID, ask, request, served, title
from tests.attacks.installation import Installation, installed
from tests.shells.http.shell import exchanged
from tests.shells.http.shell import served as listening

pytestmark = pytest.mark.asyncio(loop_scope="module")

MONITORED = ("/health", "/health/live", "/health/ready", "/metrics")


@dataclass
class Apart:
    """An installation whose `app` is the edge; the same services behind one; Alice, and what proves that she is."""

    place: Installation
    behind: HttpApplication
    clock: FixedClock
    alice: Principal
    token: str
    key: str
    case: str

    async def word(self, service: str, principal: Principal | None = None, **client: str) -> str:
        """What an edge says of Alice, or of whom it is told."""
        said = Handed(
            principal or self.alice, ClientInfo(**{"address": "192.0.2.7", "request_id": "ab" * 16, **client})
        )
        return await self.place.fm.application.identity.handing_on.give(said, service)

    def client(self, word: str = "", **headers: str) -> httpx2.AsyncClient:
        """Somebody who reached the services without the edge."""
        given = {"X-FM-Identity": word, **headers} if word else headers
        transport = httpx2.ASGITransport(self.behind, raise_app_exceptions=False, client=("10.9.9.9", 4000))
        return httpx2.AsyncClient(transport=transport, base_url="http://fm.test", headers=given)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def apart(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Apart]:
    """See Apart."""
    home, clock = Path(tmp_path_factory.mktemp("apart")) / "home", FixedClock(SystemClock().now())
    memory = {"FM_DATABASE_URL": "memory:", "FM_BLOBS_URL": "memory:"}
    async with installed(home, clock=clock, **memory) as place:
        token = (await place.signed_up("alice"))["access_token"]
        async with place.client(token) as client:
            wish = {"name": "robot", "permissions": ["case:read"], "days": 9}
            key = (await client.post("/api/v1/auth/api-keys", json=wish)).json()["secret"]
            case = (await client.post("/api/v1/cases", json={"title": "Of Alice"})).json()["case_id"]
        alice = await place.principal(token)
        apart = create_app(place.fm.application, replace(place.fm.settings.http, edge=False))
        yield Apart(place, apart, clock, alice, token, key, case)


async def test_the_word_of_an_edge_opens_its_service(apart: Apart) -> None:
    """G-2: as the user whom it names, from where it says, under the request's id at the edge."""
    async with apart.client(await apart.word("case")) as client:
        answer = await client.get(f"/api/v1/cases/{apart.case}")
    assert (answer.status_code, answer.json()["title"]) == (200, "Of Alice")
    assert answer.headers["x-request-id"] == "ab" * 16
    async with apart.client(await apart.word("auth")) as client:
        assert (await client.get("/api/v1/auth/me")).json()["username"] == "alice"


async def test_rights_are_those_of_the_word(apart: Apart) -> None:
    """G-2: a service does not look them up anew; somebody with fewer is refused with 403."""
    reader = replace(apart.alice, permissions=frozenset({"case:read"}))
    async with apart.client(await apart.word("case", reader)) as client:
        assert (await client.get(f"/api/v1/cases/{apart.case}")).status_code == 200
        assert (await client.post("/api/v1/cases", json={})).status_code == 403


async def test_nothing_opens_without_the_word(apart: Apart) -> None:
    """G-2: every endpoint, also those that are open to anyone at the edge; only what monitoring asks is not asked."""
    endpoints = [endpoint for endpoint in served(apart.behind) if endpoint.path not in MONITORED]
    assert len(endpoints) > 90
    for endpoint in endpoints:
        sent = request(endpoint, {**ANY_ID, "case_id": apart.case})
        for headers in ({}, {"Authorization": f"Bearer {apart.token}"}, {"Authorization": f"Bearer {apart.key}"}):
            async with apart.client(**headers) as client:
                answer = await ask(client, sent)
            assert answer.status_code == 401, (title(endpoint), headers, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
    for path in MONITORED:
        async with apart.client() as client:
            assert (await client.get(path)).status_code == 200


async def test_a_word_for_one_service_opens_no_other(apart: Apart) -> None:
    """G-2: replayed by a service, or by whoever saw it there."""
    words = {name: await apart.word(name) for name in (*SERVICES, "all", "", "meta", "case-service", "cas", "Case")}
    for name, endpoints in SERVICES.items():
        endpoint = next(each for each in endpoints if each.method == "GET" and each.permission != "anyone")
        for other, word in words.items():
            async with apart.client(word) as client:
                answer = await ask(client, request(endpoint, {**ANY_ID, "case_id": apart.case}))
            assert (answer.status_code == 401) is (other != name), (title(endpoint), other, answer.text)


async def test_a_word_ends_after_its_minute(apart: Apart) -> None:
    """G-2: within seconds of it, whatever the user's own token says."""
    word = await apart.word("case")
    for seconds, status in ((0, 200), (64, 200), (1, 401)):
        apart.clock.advance(timedelta(seconds=seconds))
        async with apart.client(word) as client:
            assert (await client.get("/api/v1/cases")).status_code == status


def changed(word: str, **claims: Any) -> str:
    """The word with other claims and its old signature."""
    head, payload, signature = word.split(".")
    said = {**json.loads(base64.urlsafe_b64decode(payload + "==")), **claims}
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b'=').decode()}.{signature}"


async def forged(apart: Apart, folder: Path) -> dict[str, str]:
    """Words that no edge of this installation said."""
    word = await apart.word("case")
    tokens = apart.place.fm.application.identity._parts.tokens
    end = apart.clock.now() + timedelta(minutes=1)
    sub = str(apart.alice.caller.user)
    async with installed(folder / "another", FM_DATABASE_URL="memory:", FM_BLOBS_URL="memory:") as another:
        stranger = await another.fm.application.identity.handing_on.give(Handed(apart.alice, ClientInfo()), "case")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"int+jwt"}').rstrip(b"=").decode()
    access = {"aud": "fm-case-service", "sub": sub, "org": apart.alice.caller.organization}
    return {
        "of another installation": stranger,
        "another user": changed(word, sub="usr_000000000000"),
        "more rights": changed(word, permissions=["case:read", "organization:delete"]),
        "longer": changed(word, exp=32503680000),
        "for another service": changed(await apart.word("evidence"), aud="fm-case-service"),
        "unsigned": f"{none}.{word.split('.')[1]}.",
        "the user's own token": apart.token,
        "an API key": apart.key,
        "an access token for the service": await tokens.issue(TokenKind.ACCESS, access, end),
        "an internal token that says little": await tokens.issue(TokenKind.INTERNAL, access, end),
        "a user's id": sub,
        "JSON": json.dumps({"sub": sub}),
        "two": f"{word}, {word}",
        "Bearer": f"Bearer {word}",
        "padded": f"{word}=",
        "huge": "a" * (33 << 10),
    }


async def test_a_forged_word_opens_nothing(apart: Apart, tmp_path: Path) -> None:
    """G-2, T-3: of whatever kind and spelling; not with a good access token beside it either."""
    for name, word in (await forged(apart, tmp_path)).items():
        for beside in ({}, {"Authorization": f"Bearer {apart.token}"}):
            async with apart.client(word, **beside) as client:
                answer = await client.get(f"/api/v1/cases/{apart.case}")
            assert answer.status_code == 401, (name, answer.text)
            assert apart.case not in answer.text.replace(f"/api/v1/cases/{apart.case}", "")


async def test_no_word_of_a_client_passes_an_edge(apart: Apart) -> None:
    """G-1, G-2: a word that was stolen makes nobody Alice at the edge, and opens nothing there as a token."""
    word = (await apart.word("case")).encode()
    bob = (await apart.place.signed_up("bob"))["access_token"].encode()
    path = f"/api/v1/cases/{apart.case}"
    forms = [
        b"X-FM-Identity: " + word,
        b"x-fm-identity: " + word,
        b"X-FM-IDENTITY: " + word,
        b"X_FM_Identity: " + word,
        b"X-FM_IDENTITY: " + word,
        b"X-FM-Identity: " + word + b"\r\nX-FM-Identity: " + word,
        b"X-FM-Identity:\t" + word,
        b"Connection: keep-alive, x-fm-identity\r\nX-FM-Identity: " + word,
        b"X-FM-Internal: " + word + b"\r\nX-Internal-Token: " + word + b"\r\nX-User-Token: " + word,
    ]
    async with listening(apart.place.app) as port:
        for form in forms:
            for who, status in ((b"", b"401"), (b"Authorization: Bearer " + bob, b"404")):
                answer = await exchanged(port, asked(path, form, who))
                assert answer[9:12] == status, (form, answer)
        answer = await exchanged(port, asked(path, b"Authorization: Bearer " + word))
        assert answer[9:12] == b"401"
        answer = await exchanged(port, trailing("/api/v1/cases", b"X-FM-Identity: " + word))
        assert answer[9:12] == b"401"


async def test_a_service_reads_the_word_in_one_form_only(apart: Apart) -> None:
    """G-1, G-2: another name, twice, behind the body or named in Connection it is none; and who it names is all that counts."""
    word = (await apart.word("case")).encode()
    own = b"X-FM-Identity: " + word
    path = f"/api/v1/cases/{apart.case}"
    plain = b"\r\n".join(
        name + b": eve"
        for name in (b"X-User-ID", b"X-Org-ID", b"X-User-Roles", b"X-FM-User", b"X_FM_Identity", b"X-Forwarded-User")
    )
    async with listening(apart.behind) as port:
        for form, status in (
            (own, b"200"),
            (own.lower().replace(word.lower(), word), b"200"),
            (plain + b"\r\n" + own, b"200"),
            (plain, b"401"),
            (b"X_FM_Identity: " + word, b"401"),
            (b"X-FM-Identity : " + word, b"400"),
            (own + b"\r\n" + own, b"401"),
            (own + b"\r\nx-fm-identity: eve", b"401"),
            (b"Connection: x-fm-identity\r\n" + own, b"401"),
            (b"Authorization: Bearer " + word, b"401"),
        ):
            answer = await exchanged(port, asked(path, form))
            assert answer[9:12] == status, (form, answer)
        assert (await exchanged(port, trailing("/api/v1/cases", own)))[9:12] == b"401"


def asked(path: str, *lines: bytes) -> bytes:
    """A request as bytes."""
    head = [f"GET {path} HTTP/1.1".encode(), b"Host: fm.test", b"Connection: close", *filter(None, lines)]
    return b"\r\n".join(head) + b"\r\n\r\n"


def trailing(path: str, line: bytes) -> bytes:
    """A request with a header behind its body."""
    head = asked(path, b"Content-Type: application/json", b"Transfer-Encoding: chunked").replace(b"GET", b"POST", 1)
    return head + b"2\r\n{}\r\n0\r\n" + line + b"\r\n\r\n"


class Kept:
    """A way to another process: what goes through it is remembered, and answered by the services behind."""

    def __init__(self, behind: HttpApplication) -> None:
        self._behind = behind
        self.headers: list[tuple[bytes, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward a request."""
        self.headers += scope["headers"]
        passed = {name: value for name, value in scope.items() if not name.startswith("faultmaven")}
        await self._behind({**passed, "client": ("10.0.0.1", 1)}, receive, send)


def edge_before(apart: Apart, away: Kept) -> HttpApplication:
    """An edge whose services are in another process."""
    app = create_app(apart.place.fm.application, apart.place.fm.settings.http)
    for admission in admissions(app):
        admission._inner = away
    return app


def admissions(app: HttpApplication) -> Sequence[Admission]:
    """The admissions of an application."""
    layer: Any = app
    while not hasattr(layer, "routes"):
        layer = layer._app
    return [route.app for route in layer.routes if not isinstance(route.app, Resource)]


async def test_an_edge_in_another_process_serves_as_one_in_the_same(apart: Apart) -> None:
    """G-2: and neither the user's token, nor an API key, nor what a client says of itself reaches the services."""
    away = Kept(apart.behind)
    app = edge_before(apart, away)
    for proof, username in ((apart.token, "alice"), (apart.key, "")):
        said = {"Authorization": f"Bearer {proof}", "X-User-ID": "eve", "X-FM-Identity": "eve"}
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False, client=("198.51.100.9", 4000))
        async with httpx2.AsyncClient(transport=transport, base_url="http://fm.test", headers=said) as client:
            answer = await client.get(f"/api/v1/cases/{apart.case}")
            assert (answer.status_code, answer.json()["title"]) == (200, "Of Alice")
            me = await client.get("/api/v1/auth/me")
            assert (me.status_code, me.json().get("username", "")) == (200 if username else 403, username)
    assert {name for name, _ in away.headers} >= {b"x-fm-identity"}
    assert not {name for name, _ in away.headers} & {b"authorization", b"x-user-id"}
    assert not any(proof.encode() in value for _, value in away.headers for proof in (apart.token, apart.key, "eve"))


async def test_what_is_over_at_the_edge_goes_nowhere(apart: Apart) -> None:
    """T-10: an edge says nothing of somebody whose session has ended, whatever it remembers of his token."""
    away = Kept(apart.behind)
    app = edge_before(apart, away)
    token = (await apart.place.signed_up("carol"))["access_token"]
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False, client=("198.51.100.10", 4000))
    given = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://fm.test", headers=given) as client:
        assert (await client.get("/api/v1/cases")).status_code == 200
        assert (await client.post("/api/v1/auth/logout")).status_code == 200
        before = len(away.headers)
        assert (await client.get("/api/v1/cases")).status_code == 401
    assert len(away.headers) == before


async def test_services_behind_an_edge_leave_browsers_to_it(apart: Apart) -> None:
    """G-6: preflights are not theirs to answer."""
    asks = {"Origin": "http://localhost:3333", "Access-Control-Request-Method": "GET"}
    async with apart.client(**asks) as client:
        answer = await client.options("/api/v1/cases")
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("name", [*SERVICES, "all"])
async def test_each_service_is_opened_by_its_own_name(apart: Apart, name: str) -> None:
    """G-2: the description of a service that runs alone is for those whom its edge lets in."""
    one = () if name == "all" else (name,)
    app = create_app(apart.place.fm.application, replace(apart.place.fm.settings.http, edge=False), one)
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    for audience in (name, "another"):
        given = {"X-FM-Identity": await apart.word(audience)}
        async with httpx2.AsyncClient(transport=transport, base_url="http://fm.test", headers=given) as client:
            assert (await client.get("/openapi.json")).status_code == (200 if audience == name else 401)


async def test_every_endpoint_belongs_to_a_service(apart: Apart) -> None:
    """G-2: else it would take no word; only what monitoring asks belongs to none."""
    for app in (apart.behind, apart.place.app):
        assert {endpoint.path for endpoint in served(app) if not endpoint.service} == set(MONITORED)
