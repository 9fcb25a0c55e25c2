"""Cases as FaultMaven's own clients ask for them, with the exact fields that they read."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx2
import pytest

from tests.shells.http.shell import Made, Table, client_of, principal

ROW = {
    "case_id": str,
    "title": str,
    "state": str,
    "status": str,
    "created_at": str,
    "updated_at": str,
    "priority": str,
    "description": str,
    "current_turn": int,
    "message_count": int,
    "user_id": str,
    "owner_id": str,
    "organization_id": str,
    "is_terminal": bool,
    "last_activity_at": str,
    "source": str,
    "turns_without_progress": int,
    "valid_next_states": list,
    "shared_team_ids": list,
}
NULLABLE = {"closure_reason", "closed_at", "resolved_at", "stage", "archived_at"}
DETAIL = {
    "milestones_completed": list,
    "pending_milestones": list,
    "evidence_count": int,
    "hypothesis_count": int,
    "solution_count": int,
    "escalated": bool,
}


@pytest.fixture
async def bob(made: Made) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of somebody in another organization, of the same installation."""
    async with client_of(made(), "bob") as client:
        yield client


def check(row: dict[str, Any]) -> None:
    """All fields are there, of their types; times are UTC and end in Z."""
    assert {name: type(row[name]) for name in ROW} == ROW
    assert row.keys() >= NULLABLE
    assert re.fullmatch(r"case_[0-9a-f]{12}", row["case_id"])
    for name in ("created_at", "updated_at", "last_activity_at"):
        assert row[name].endswith("Z")
        datetime.fromisoformat(row[name])
    assert row["state"] == row["status"]
    assert row["title"]


@pytest.mark.parametrize(
    "body",
    [
        {"title": None, "priority": "low"},
        {"title": None, "priority": "medium", "metadata": {"created_via": "upload", "auto_generated": True}},
        {"title": None},
        {"title": None, "unknown": 1, "session_id": None},
    ],
    ids=["text", "upload", "chat", "newer"],
)
async def test_every_client_opens_a_case_in_its_way(ann: httpx2.AsyncClient, body: dict[str, Any]) -> None:
    """201 and the row itself, with a title that says its day and number."""
    answer = await ann.post("/api/v1/cases", json=body)
    assert answer.status_code == 201
    row = answer.json()
    check(row)
    assert re.fullmatch(r"Case-\d{6}-\d+", row["title"])
    assert row["state"] == "inquiry"
    assert row["priority"] == body.get("priority", "medium")
    assert row["metadata"] == body.get("metadata", {})
    assert row["organization_id"] == "acme"
    assert row["valid_next_states"] == ["investigating", "closed"]


@pytest.mark.parametrize(
    "body",
    [
        {"priority": "urgent"},
        {"title": "x" * 201},
        {"title": 5},
        {"organization_id": "other"},
        {"is_admin": True},
        {"role": "owner"},
        {"title": "a\u0000b"},
    ],
    ids=str,
)
async def test_a_case_that_cannot_be_is_refused(ann: httpx2.AsyncClient, body: dict[str, Any]) -> None:
    """422 with a sentence and the field; nothing is opened."""
    answer = await ann.post("/api/v1/cases", json=body)
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)
    assert answer.json()["errors"]
    assert (await ann.get("/api/v1/cases")).json()["total_count"] == 0


async def test_cases_are_listed_the_last_active_first(ann: httpx2.AsyncClient) -> None:
    """At once after opening, in pages by offset or by number, with how many there are."""
    empty = (await ann.get("/api/v1/cases?limit=100&offset=0")).json()
    assert (empty["cases"], empty["total_count"], empty["has_more"]) == ([], 0, False)
    ids = [(await ann.post("/api/v1/cases", json={"title": f"Case {n}"})).json()["case_id"] for n in range(5)]
    found = (await ann.get("/api/v1/cases?limit=2&offset=1")).json()
    for row in found["cases"]:
        check(row)
    assert [row["case_id"] for row in found["cases"]] == [ids[3], ids[2]]
    assert found["total_count"] == found["total"] == 5
    assert (found["limit"], found["offset"], found["has_more"]) == (2, 1, True)
    paged = (await ann.get("/api/v1/cases?page=2&page_size=2")).json()
    assert [row["case_id"] for row in paged["cases"]] == [ids[0]]
    assert paged["has_more"] is False
    first = (await ann.get("/api/v1/cases?page=0&page_size=2")).json()
    assert [row["case_id"] for row in first["cases"]] == [ids[4], ids[3]]
    for offset in (0, 1):
        both = (await ann.get(f"/api/v1/cases?limit=2&offset={offset}&page=2")).json()
        assert [row["case_id"] for row in both["cases"]] == [ids[4 - offset], ids[3 - offset]]
        assert both["offset"] == offset
    await ann.put(f"/api/v1/cases/{ids[0]}", json={"title": "Moved"})
    assert (await ann.get("/api/v1/cases?limit=1")).json()["cases"][0]["title"] == "Moved"
    for wrong in ("limit=0", "limit=101", "offset=-1", "limit=x", "limit=1&limit=2", "state=nonsense"):
        assert (await ann.get(f"/api/v1/cases?{wrong}")).status_code in {400, 422}
    assert (await ann.get("/api/v1/cases?state=consulting")).json()["total_count"] == 5
    assert (await ann.get("/api/v1/cases?status=closed&later=1")).json()["total_count"] == 0


async def test_one_case_is_read_renamed_and_deleted(ann: httpx2.AsyncClient) -> None:
    """Deleting what is gone is no error: it is what was asked for."""
    row = (await ann.post("/api/v1/cases", json={"title": "First"})).json()
    address = f"/api/v1/cases/{row['case_id']}"
    read = await ann.get(address)
    assert read.json().items() >= row.items()
    assert {name: type(read.json()[name]) for name in DETAIL} == DETAIL
    renamed = await ann.put(address, json={"title": "Second"})
    assert renamed.status_code == 200
    assert renamed.json()["title"] == "Second"
    assert (await ann.put(address, json={"title": " "})).status_code == 422
    gone = await ann.delete(address)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await ann.delete(address)).status_code == 204
    assert (await ann.get(address)).status_code == 404
    assert (await ann.get("/api/v1/cases")).json()["total_count"] == 0


async def test_who_saw_an_older_version_changes_nothing(ann: httpx2.AsyncClient) -> None:
    """By ETag and If-Match; the refusal names both versions."""
    opened = await ann.post("/api/v1/cases", json={"title": "First"})
    address, seen = f"/api/v1/cases/{opened.json()['case_id']}", opened.headers["etag"]
    assert (await ann.put(address, json={"title": "Second"}, headers={"If-Match": seen})).status_code == 200
    late = await ann.put(address, json={"title": "Third"}, headers={"If-Match": seen})
    assert late.status_code == 409
    assert late.headers["x-error-code"] == "CASE_VERSION_CONFLICT"
    assert (late.headers["x-expected-version"], late.headers["x-actual-version"]) == ("1", "2")
    assert (await ann.get(address)).json()["title"] == "Second"
    assert (await ann.put(address, json={"title": "x"}, headers={"If-Match": "rubbish"})).status_code == 422


async def test_a_case_is_named_by_what_is_known(ann: httpx2.AsyncClient) -> None:
    """The title is stored, and the client told what it was made of; without anything known, a sentence for the user."""
    address = f"/api/v1/cases/{(await ann.post('/api/v1/cases', json={'title': None})).json()['case_id']}"
    nothing = await ann.post(f"{address}/title")
    assert nothing.status_code == 422
    assert nothing.json()["detail"]
    named = await ann.post(f"{address}/title", json={"max_words": 8, "hint": "checkout answers 503 since noon"})
    assert named.status_code == 200
    assert named.headers["x-title-source"] == "hint"
    assert (await ann.get(address)).json()["title"] == named.json()["title"]


async def test_another_organizations_case_is_as_one_that_never_was(
    ann: httpx2.AsyncClient, bob: httpx2.AsyncClient
) -> None:
    """Status, body and headers are the same, but for id and date."""
    own = (await ann.post("/api/v1/cases", json={"title": "Secret plans"})).json()["case_id"]
    for method, rest, body in (
        ("GET", "", None),
        ("PUT", "", {"title": "Mine"}),
        ("DELETE", "", None),
        ("POST", "/title", {"hint": "mine now"}),
        ("GET", "/messages", None),
        ("GET", "/ui", None),
    ):
        answers = []
        for name in (own, "case_000000000000"):
            answer = await bob.request(method, f"/api/v1/cases/{name}{rest}", json=body)
            changing = {"x-request-id", "x-correlation-id", "traceparent", "date", "ratelimit", "x-ratelimit-remaining"}
            kept = {k: v for k, v in answer.headers.items() if k not in {*changing, "x-ratelimit-reset"}}
            text = answer.text.replace(name, "NAME").replace(answer.headers["x-request-id"], "ID")
            answers.append((answer.status_code, kept, re.sub(r"\"timestamp\":\"[^\"]*\"", "", text)))
        assert answers[0] == answers[1], (method, rest)
        assert "Secret" not in answers[0][2]
    assert (await bob.get("/api/v1/cases")).json()["total_count"] == 0
    assert (await ann.get(f"/api/v1/cases/{own}")).json()["title"] == "Secret plans"


async def test_the_same_key_opens_one_case(ann: httpx2.AsyncClient, made: Made, people: Table) -> None:
    """Byte for byte the same answer; another body is refused, another user's key is another key, refusals are not kept."""
    key = {"Idempotency-Key": "opt_case_1764000000000_1"}
    refused = await ann.post("/api/v1/cases", json={"priority": "urgent"}, headers=key)
    assert refused.status_code == 422
    first, second = [await ann.post("/api/v1/cases", json={"title": "Once"}, headers=key) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert (await ann.get("/api/v1/cases")).json()["total_count"] == 1
    other = await ann.post("/api/v1/cases", json={"title": "Twice"}, headers=key)
    assert (other.status_code, other.headers["x-error-code"]) == (409, "IDEMPOTENCY_KEY_REUSE")
    people.holders["amy"] = principal("acme", "amy")
    for name in ("amy", "bob"):
        async with client_of(made(), name) as another:
            answer = await another.post("/api/v1/cases", json={"title": "Another"}, headers=key)
            assert (answer.status_code, answer.json()["title"]) == (201, "Another"), name
    for bad in ("short", "x" * 7, "x" * 256, "with space", "semi;colon"):
        assert (await ann.post("/api/v1/cases", json={}, headers={"Idempotency-Key": bad})).status_code == 422
    for good in ("x" * 8, "x" * 255, "A-z_0-9-"):
        ids = [
            (await ann.post("/api/v1/cases", json={}, headers={"Idempotency-Key": good})).json()["case_id"]
            for _ in range(2)
        ]
        assert ids[0] == ids[1]


async def test_the_same_key_at_once_opens_one_case(ann: httpx2.AsyncClient) -> None:
    """Whoever comes while the first is still at work gets its answer, and no conflict."""
    key = {"Idempotency-Key": "opt_case_1764000000000_2"}
    answers = await asyncio.gather(*(ann.post("/api/v1/cases", json={"title": "Once"}, headers=key) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert (await ann.get("/api/v1/cases")).json()["total_count"] == 1


async def test_a_key_counts_for_one_address(ann: httpx2.AsyncClient) -> None:
    """Clients count their keys anew after each start."""
    key = {"Idempotency-Key": "opt_msg_1764000000000_1"}
    ids = [(await ann.post("/api/v1/cases", json={})).json()["case_id"] for _ in range(2)]
    for name in ids:
        place = f"/api/v1/cases/{name}"
        answer = await ann.post(f"{place}/title", json={"hint": "checkout is slow today"}, headers=key)
        assert answer.status_code == 200
        assert (await ann.get(place)).json()["title"] == answer.json()["title"] == "Checkout is slow today"
    assert (await ann.put(place, json={"title": "Slow"}, headers=key)).json()["title"] == "Slow"
    assert (await ann.delete(place, headers=key)).status_code == 204
    assert (await ann.get(place)).status_code == 404
    assert [row["case_id"] for row in (await ann.get("/api/v1/cases")).json()["cases"]] == ids[:1]
