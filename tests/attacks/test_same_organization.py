"""Colleagues share cases; what is one's own, stays one's own: documents, sessions, sign-ins and keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest
import pytest_asyncio

from faultmaven_core.identity import commands as c
from faultmaven_core.knowledge.commands import AddDocumentContent
from faultmaven_http.endpoint import Endpoint
from tests.attacks.every_request import ANY_ID, ENDPOINTS, ask, references, request, served, title
from tests.attacks.installation import (
    BESIDE,
    PASSWORD,
    PRIVATE,
    Installation,
    canary,
    compared,
    installed,
    pieces,
    quiet,
)
from tests.attacks.test_cross_tenant import ghost

MAKING = frozenset({"case.open"})
"""Of those that name something of one's own, the ones that make something for whoever asks."""

OWN = frozenset({"document_id", "session_id", "api_key_id"})
NAMING = [
    endpoint
    for endpoint in ENDPOINTS
    if references(endpoint) & OWN and "case_id" not in references(endpoint) and endpoint.name not in MAKING
]


@dataclass
class Colleagues:
    """Alice has something of her own; a colleague of each role has a token."""

    place: Installation
    organization: str
    alice: str
    own: Mapping[str, str]
    tokens: Mapping[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def colleagues(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Colleagues]:
    """See Colleagues."""
    async with installed(tmp_path_factory.mktemp("colleagues") / "home") as place:
        alice = await place.signed_up("alice")
        principal = await place.principal(alice["access_token"])
        app, tokens = place.fm.application, {}
        for role in ("viewer", "member", "admin"):
            user = c.CreateUser(f"her-{role}", password=PASSWORD, roles=(role,))
            await app.identity.users.create(user, principal)
            tokens[role] = await place.signed_in(f"her-{role}")
        text = f"# {canary('own-title')}\n\n{canary('own-text')} restarts the pod.\n"
        document = await app.knowledge.add_content(
            AddDocumentContent(f"{PRIVATE}-own.md", "personal"), pieces(text), principal.caller
        )
        key = await app.identity.api_keys.create(c.CreateApiKey(canary("own-key")), principal)
        async with place.client(alice["access_token"]) as client:
            session = await client.post("/api/v1/sessions", json={"client_id": f"{PRIVATE}-own-client"})
        own = {
            "document_id": document.documents[0],
            "api_key_id": key.api_key.api_key_id,
            "session_id": session.json()["session_id"],
        }
        await quiet(place, principal)
        yield Colleagues(place, str(principal.caller.organization), alice["access_token"], own, tokens)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("role", ["viewer", "member", "admin"])
@pytest.mark.parametrize("endpoint", NAMING, ids=title)
async def test_what_is_a_colleague_s_own_is_as_if_it_were_not(
    colleagues: Colleagues, endpoint: Endpoint, role: str
) -> None:
    """The same answer as for what never existed, and nothing has changed. Keys, whoever manages users may revoke."""
    if (role, endpoint.name) == ("admin", "api-key.revoke"):
        return
    place, answers = colleagues.place, []
    before = place.digests(colleagues.organization)
    for ids in (colleagues.own, {name: ghost(text) for name, text in colleagues.own.items()}):
        async with place.client(colleagues.tokens[role]) as client:
            answer = await ask(client, request(endpoint, ids))
        assert answer.status_code < 500, answer.text
        answers.append(compared(answer, *ids.values()))
    assert answers[0] == answers[1]
    assert place.digests(colleagues.organization) == before


@pytest.mark.asyncio(loop_scope="module")
async def test_it_is_in_no_list_or_search_of_theirs(colleagues: Colleagues) -> None:
    """And Alice herself finds it."""
    place = colleagues.place
    reading = [each for each in served(place.app) if each.method == "GET" or each.name.endswith(".search")]
    found = {}
    for name, token in {**colleagues.tokens, "alice": colleagues.alice}.items():
        told = ""
        for endpoint in reading:
            async with place.client(token) as client:
                told += (await ask(client, request(endpoint, {**ANY_ID, **colleagues.own}, BESIDE))).text
        found[name] = {
            part for part in ("own-title", "own-text", "own-client", "own-key") if f"{PRIVATE}-{part}" in told
        }
    assert found == {
        "viewer": set(),
        "member": set(),
        "admin": {"own-key"},  # the audit log names keys
        "alice": {"own-title", "own-text", "own-client", "own-key"},
    }
