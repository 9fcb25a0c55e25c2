"""Whoever has the id of another organization learns and changes as much by it as by one that never existed."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from faultmaven_core.identity import commands as c
from faultmaven_http.endpoint import Endpoint
from tests.attacks.every_request import ENDPOINTS, ask, kind_of, references, request, served, title
from tests.attacks.installation import PASSWORD, PRIVATE, Installation, Owned, compared, installed, own_all

NAMING = [endpoint for endpoint in ENDPOINTS if references(endpoint)]
ROLES = ("anonymous", "viewer", "member", "admin", "owner")
_TAIL = re.compile(r"[0-9a-f]{12}$")


@dataclass
class Both:
    """Organization A with all that it has, and a token of each role of organization B."""

    place: Installation
    a: Owned
    tokens: Mapping[str, str]
    nowhere: Mapping[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Both]:
    """Made once: no test here may change anything of A, and each one looks."""
    async with installed(Path(tmp_path_factory.mktemp("both")) / "home", FM_EMBEDDING_URL="hashing:") as place:
        a = await own_all(place)
        b = await place.signed_up("bob")
        owner = await place.principal(b["access_token"])
        tokens = {"anonymous": "", "owner": b["access_token"]}
        for role in ("viewer", "member", "admin"):
            user = c.CreateUser(f"bobs-{role}", password=PASSWORD, roles=(role,))
            await place.fm.application.identity.users.create(user, owner)
            tokens[role] = await place.signed_in(f"bobs-{role}")
        yield Both(place, a, tokens, {name: ghost(text) for name, text in a.ids.items()})


def ghost(text: str) -> str:
    """An id of the same form that nobody ever had."""
    return _TAIL.sub("0123456789ab", text) if _TAIL.search(text) else f"{text}-that-nobody-has"


def test_all_that_is_stored_of_a_is_looked_at(both: Both) -> None:
    """Else that nothing changed would say little."""
    found = both.place.rows(both.a.organization)
    filled = {name for name, rows in found.items() if rows}
    assert filled >= {
        "cases_case",
        "cases_message",
        "evidence_item",
        "knowledge_chunk",
        "identity_user",
        "vectors",
        "files",
    }


def test_every_id_that_a_request_can_name_is_attacked(both: Both) -> None:
    """A new route with an id of a new kind fails here until organization A has one of that kind (installation.py)."""
    unknown = {
        f"{title(endpoint)}: {name}"
        for endpoint in served(both.place.app)
        for name in references(endpoint)
        if not kind_of(name, both.a.ids)
    }
    assert not unknown
    assert {title(e) for e in ENDPOINTS} <= {title(e) for e in served(both.place.app)}
    assert all(both.nowhere[name] != text for name, text in both.a.ids.items())


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("endpoint", NAMING, ids=title)
async def test_an_id_of_another_organization_is_one_that_never_existed(
    both: Both, endpoint: Endpoint, role: str
) -> None:
    """N-4: the same status, headers and body, and not a row or file of A is different afterwards."""
    before = both.place.digests(both.a.organization)
    answers = []
    for ids in (both.a.ids, both.nowhere):
        async with both.place.client(both.tokens[role]) as client:
            answer = await ask(client, request(endpoint, ids))
        assert answer.status_code < 500, answer.text
        answers.append(compared(answer, *ids.values()))
    assert answers[0] == answers[1]
    assert both.place.digests(both.a.organization) == before
    if role == "anonymous":
        assert answers[0].status == 401


BULK_OF_CASES = ("case.bulk-archive", "case.bulk-unarchive", "case.bulk-delete", "case.bulk-restore")
LAST = ("case.restore", *BULK_OF_CASES)
ORDER = ("GET", "PUT", "PATCH", "POST", "DELETE")
UNDISCERNED = frozenset({"case.delete", "session.end", "case.open", "case.browse", "role.save", "role.delete"})
"""Answers that say the same whether something was there: what is to go is gone, what is to be is there."""


def _when(endpoint: Endpoint) -> tuple[int, int]:
    """Reading before changing, and what is within a case before the case itself."""
    return ORDER.index(endpoint.method), -len(endpoint.path)


async def test_its_owner_gets_what_nobody_else_does(place: Installation) -> None:
    """Else the attacks above would prove nothing: for A itself each id is there."""
    a = await own_all(place)
    nowhere = {name: ghost(text) for name, text in a.ids.items()}
    gone: set[frozenset[str] | bool] = set()  # what one route has deleted, the next one does not find
    # What restores comes after all that deletes, and what can delete again after that.
    last = [endpoint for endpoint in NAMING if endpoint.name in ("case.restore", *BULK_OF_CASES)]
    others = [endpoint for endpoint in NAMING if endpoint not in last]
    for endpoint in (*sorted(others, key=_when), *sorted(last, key=lambda endpoint: LAST.index(endpoint.name))):
        found = []
        for ids in (a.ids, nowhere):
            async with place.client(a.token) as client:
                found.append(compared(await ask(client, request(endpoint, ids)), *ids.values()))
        deleting = endpoint.method == "DELETE" or endpoint.name == "knowledge.bulk-delete"
        deleted = deleting and frozenset(name.removesuffix("s") for name in references(endpoint))
        assert found[0] != found[1] or endpoint.name in UNDISCERNED or deleted in gone, title(endpoint)
        if deleted:
            gone.add(deleted)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("role", ["viewer", "owner"])
async def test_the_session_of_another_organization_is_one_that_is_over(both: Both, role: str) -> None:
    """Where a client names it in a header, for any request; and it goes on living."""
    before = both.place.digests(both.a.organization)
    answers = []
    for ids in (both.a.ids, both.nowhere):
        async with both.place.client(both.tokens[role], **{"X-Session-Id": ids["session_id"]}) as client:
            answers.append(compared(await client.get("/api/v1/cases"), *ids.values()))
    assert answers[0] == answers[1]
    assert answers[0].status == 401
    assert both.place.digests(both.a.organization) == before
    async with both.place.client(both.a.token, **{"X-Session-Id": both.a.ids["session_id"]}) as client:
        assert (await client.get("/api/v1/cases")).status_code == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_the_same_idempotency_key_means_another_request_elsewhere(both: Both) -> None:
    """B does not get A's answer by guessing A's key and body."""
    opened = []
    for token in (both.a.token, both.tokens["owner"]):
        async with both.place.client(token, **{"Idempotency-Key": "first-case-of-today"}) as client:
            answer = await client.post("/api/v1/cases", json={"title": "Checkout fails"})
        assert answer.status_code == 201, answer.text
        opened.append(answer.json()["case_id"])
    assert opened[0] != opened[1]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_turn_cannot_bring_in_what_is_another_s(both: Both) -> None:
    """Ids within the data of a click, in a case of one's own."""
    answers = []
    for ids in (both.a.ids, both.nowhere):
        async with both.place.client(both.tokens["owner"]) as client:
            case_id = (await client.post("/api/v1/cases", json={"title": "Mine"})).json()["case_id"]
            for intent in ("attach_evidence", "confirm_evidence", "status_transition", "reclassify_attachment"):
                form = {"query": f"What does {ids['evidence_id']} say?", "intent_type": intent}
                form["intent_data"] = json.dumps({**ids, "file_id": ids["evidence_id"], "data_type": "logs"})
                answer = await client.post(f"/api/v1/cases/{case_id}/turns", data=form)
                assert answer.status_code < 500, answer.text
                assert PRIVATE not in answer.text
                answers.append(compared(answer, *ids.values(), case_id))
    assert answers[: len(answers) // 2] == answers[len(answers) // 2 :]
