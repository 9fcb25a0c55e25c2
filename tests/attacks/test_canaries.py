"""What organization A wrote is found nowhere else: B asks for everything, and reads every answer, number and log line."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path

import pytest
import pytest_asyncio

from faultmaven_core.identity import commands as c
from faultmaven_core.knowledge.commands import AddDocumentContent, ListDocuments, SearchKnowledge
from faultmaven_core.sessions.commands import ListSessions
from tests.attacks.every_request import ask, request, served, title
from tests.attacks.installation import BESIDE, LOG, PRIVATE, Installation, Owned, canary, installed, own_all, pieces

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRITTEN = frozenset(
    f"{PRIVATE}-{name}"
    for name in [
        "api-key",
        "asked",
        "client",
        "description",
        "display-name",
        "document-text",
        "document-title",
        "document.md",
        "evidence",
        "file.log",
        "invited",
        "member",
        "member-name",
        "message",
        "metadata",
        "organization",
        "page",
        "question",
        "tag",
        "team",
        "title",
        "upload.log",
    ]
)
"""What own_all writes, text by text."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """One installation for all tests here."""
    async with installed(Path(tmp_path_factory.mktemp("canaries")) / "home") as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def a(place: Installation) -> Owned:
    """Organization A with a canary in each text."""
    return await own_all(place)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def b(place: Installation, a: Owned) -> Owned:
    """Organization B, with things of its own that say the same but for the canaries."""
    tokens = await place.signed_up("bob")
    mine = Owned(tokens["access_token"], "", tokens["user_id"], dict(a.ids))
    async with place.client(mine.token) as client:
        opened = await client.post("/api/v1/cases", json={"title": f"{BESIDE} of B", "description": BESIDE})
        case = mine.ids["case_id"] = opened.json()["case_id"]
        file = ("web.log", LOG.encode() + f"2026-03-02T14:05:01Z ERROR {BESIDE} OutOfMemoryError\n".encode())
        sent = {"query": f"Why {BESIDE}?"}
        assert (await client.post(f"/api/v1/cases/{case}/turns", data=sent, files={"file": file})).status_code == 200
        session = await client.post("/api/v1/sessions", json={"client_id": f"{PRIVATE}-client"[2:]})
        mine.ids["session_id"] = session.json()["session_id"]
    principal = await place.principal(mine.token)
    await place.fm.knowledge.add_content(
        AddDocumentContent("b.md"), pieces(f"# {BESIDE}\n\n{BESIDE} of B restarts the pod.\n"), principal.caller
    )
    return mine


async def test_the_canaries_are_there(place: Installation, a: Owned) -> None:
    """Else that nobody finds them would prove nothing: each is stored, and A reads its own."""
    rows = place.rows(a.organization)
    kept = "\n".join(line for lines in rows.values() for line in lines)
    session = await place.fm.application.sessions.list(ListSessions(), (await place.principal(a.token)).caller)
    kept += repr(session)
    assert {name for name in WRITTEN if name not in kept} == set()
    async with place.client(a.token) as client:
        told = (await client.get("/api/v1/cases")).text + (await client.get("/api/v1/auth/me")).text
        told += (await client.get(f"/api/v1/cases/{a.ids['case_id']}/messages")).text
    assert {"title", "description", "message"} <= set(re.findall(rf"{PRIVATE}-(\w+)", told))


async def test_no_answer_to_b_holds_a_canary(place: Installation, a: Owned, b: Owned, logged: StringIO) -> None:
    """N-5: every endpoint, with B's ids and with A's, searched for the word beside the canaries, as owner and as nobody."""
    for ids in (b.ids, a.ids):
        for token in (b.token, ""):
            for endpoint in served(place.app):
                if endpoint.name == "auth.logout":
                    continue
                async with place.client(token) as client:
                    answer = await ask(client, request(endpoint, ids))
                whole = f"{answer.headers!r} {answer.text}"
                assert PRIVATE not in whole, (title(endpoint), whole[:2000])
    assert PRIVATE not in logged.getvalue()
    assert '"event": "request"' in logged.getvalue()


@pytest.mark.parametrize("wanted", [BESIDE, f"{BESIDE} restarts pod", "checkout", "OutOfMemoryError", "*", '"', ""])
async def test_no_search_of_b_finds_a_canary(place: Installation, a: Owned, b: Owned, wanted: str) -> None:
    """N-5: of cases, people, evidence and documents, by HTTP and by the services, with and without vectors."""
    principal, found = await place.principal(b.token), []
    async with place.client(b.token) as client:
        found.append((await client.get("/api/v1/cases", params={"text": wanted})).text)
        case = b.ids["case_id"]
        found.append((await client.post(f"/api/v1/cases/{case}/evidence/search", json={"text": wanted})).text)
    app, caller = place.fm.application, principal.caller
    for lexical_only in (True, False):
        if wanted:
            asked = SearchKnowledge(wanted, ("global", "personal"), lexical_only=lexical_only, explain=True)
            found.append(repr(await app.knowledge.search(asked, caller)))
    found.append(repr(await app.knowledge.list(ListDocuments(("global", "personal")), caller)))
    found.append(repr(await app.identity.users.list(c.ListUsers(text=wanted), principal)))
    found.append(repr(await app.identity.teams.list(principal)))
    found.append(repr(await app.identity.invitations.list(c.ListInvitations(), principal)))
    found.append(repr(await app.identity.organizations.roles(principal)))
    found.append(repr(await app.identity.api_keys.list(c.ListApiKeys(), principal)))
    found.append(repr(await app.identity.audit.list(c.ReadAudit(), principal)))
    assert PRIVATE not in "\n".join(found)


async def test_names_that_are_taken_elsewhere_say_no_more_than_that(place: Installation, a: Owned, b: Owned) -> None:
    """N-5: people are unique in an installation; whose name it is, nobody learns."""
    async with place.client() as client:
        body = {"username": f"{PRIVATE}-member", "email": "new@example.org", "password": "plum otter ladder 7731"}
        answer = await client.post("/api/v1/auth/register", json=body)
    assert answer.status_code == 409
    assert a.organization not in answer.text
    assert canary("member-name") not in answer.text


async def test_answers_that_were_kept_are_kept_for_one_caller(place: Installation, a: Owned, b: Owned) -> None:
    """N-5: nothing that passes between organizations is cached by others on the way."""
    for token in (a.token, b.token):
        async with place.client(token) as client:
            answer = await client.get("/api/v1/cases")
        assert answer.headers["cache-control"] == "no-store"
