"""Documents as the dashboard and the extension read them, member by member."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from faultmaven import FaultMaven
from faultmaven_core.jobs.commands import ListJobs
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.ids import OrganizationId, UserId
from tests.shells.http.clients.fields import TEXT, TIME, check
from tests.shells.http.shell import Made, Table, client_of, principal

MINE, ADMIN, COMMON = "/api/v1/documents", "/api/v1/admin/kb/documents", "/api/v1/knowledge/documents"
RUNBOOK = b"# Redis\n\nWhen redis answers OOM command not allowed, raise maxmemory or evict keys.\n"
LOOK_SECONDS = 0.02
DOCUMENT = {
    "document_id": TEXT,
    "title": TEXT,
    "document_type": TEXT,
    "tags": [str],
    "created_at": TIME,
    "updated_at": TIME,
    "content": (None, str),
    "category": (None, TEXT),
    "status": frozenset(("processing", "processed", "failed")),
    "source_url": (None, TEXT),
    "description": (None, TEXT),
    "user_id": TEXT,
    "owner_id": TEXT,
    "scope": frozenset(("personal", "team", "global", "case")),
    "verification_status": TEXT,
    "verification_level": int,
    "metadata": dict,
}
LIST = {
    "documents": [DOCUMENT],
    "total_count": int,
    "total": int,
    "limit": int,
    "offset": int,
    "next_cursor": (None, TEXT),
}
BY_HAND = {"title": "Redis is full", "document_type": "playbook"}


@pytest.fixture
async def root(made: Made, people: Table) -> AsyncIterator[httpx2.AsyncClient]:
    """An administrator of Ann's organization."""
    people.holders["root"] = principal("acme", "root", "admin")
    async with client_of(made(), "root") as client:
        yield client


async def sent(client: httpx2.AsyncClient, path: str, content: bytes = RUNBOOK, **fields: str) -> dict[str, Any]:
    """A document, uploaded, and exactly as clients read it."""
    answer = await client.post(path, data={**BY_HAND, **fields}, files={"file": ("redis.md", content)})
    assert answer.status_code in (200, 201), answer.text
    body: dict[str, Any] = answer.json()
    check(body, DOCUMENT)
    return body


async def listed(client: httpx2.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    """A list, exactly."""
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    check(body, LIST)
    assert body["total"] == body["total_count"]
    return body


async def test_a_document_has_exactly_these_members(ann: httpx2.AsyncClient, root: httpx2.AsyncClient) -> None:
    """Whatever was said of it, at all three addresses; what was not said is null, and tags are a list."""
    page = "https://wiki.example/redis"
    document = await sent(ann, f"{MINE}/upload", tags="redis, cache", source_url=page, description="By hand")
    assert document["tags"] == ["redis", "cache"]
    assert document["scope"] == "personal"
    assert document["user_id"] == document["owner_id"] == "ann"
    assert (document["source_url"], document["description"], document["category"]) == (page, "By hand", None)
    everybodys = await sent(root, ADMIN, category="database")
    assert (everybodys["scope"], everybodys["category"], everybodys["tags"]) == ("global", "database", [])
    common = await sent(ann, COMMON, b"Another text.\n", title="Another")
    assert common["scope"] == "personal"


async def test_it_is_listed_when_its_upload_is_answered(ann: httpx2.AsyncClient) -> None:
    """The dashboard asks for the list right after; it looks through tags and lower-cased titles of the page it has."""
    empty = await listed(ann, MINE, limit=20, offset=0)
    assert (empty["documents"], empty["total_count"]) == ([], 0)
    document = await sent(ann, f"{MINE}/upload")
    (row,) = (await listed(ann, MINE, limit=20, offset=0))["documents"]
    assert row["document_id"] == document["document_id"]
    assert row["tags"] == []


async def test_lists_are_pages_of_exactly_this_form(ann: httpx2.AsyncClient, root: httpx2.AsyncClient) -> None:
    """Each document once, the newest first; one's own and everybody's are apart."""
    for n in range(5):
        await sent(ann, f"{MINE}/upload", b"# Number %d\n" % n, title=f"Number {n}", document_type=f"kind {n % 2}")
    await sent(root, ADMIN)
    first = await listed(ann, MINE, limit=3, offset=0)
    rest = await listed(ann, MINE, limit=3, offset=3)
    assert (first["total_count"], first["limit"], first["offset"]) == (5, 3, 0)
    assert (rest["total_count"], rest["limit"], rest["offset"]) == (5, 3, 3)
    titles = [row["title"] for row in first["documents"] + rest["documents"]]
    assert titles == [f"Number {n}" for n in reversed(range(5))]
    odd = await listed(ann, MINE, limit=20, offset=0, document_type="kind 1")
    assert [row["title"] for row in odd["documents"]] == ["Number 3", "Number 1"]
    assert (await listed(ann, MINE, limit=20, offset=40))["documents"] == []
    assert [row["scope"] for row in (await listed(root, ADMIN, limit=20, offset=0))["documents"]] == ["global"]
    assert (await listed(root, MINE, limit=20, offset=0))["documents"] == []


async def test_deleting_is_answered_by_nothing(ann: httpx2.AsyncClient, root: httpx2.AsyncClient) -> None:
    """204 at both addresses of the dashboard, and the list is without it."""
    for client, path, upload in ((ann, MINE, f"{MINE}/upload"), (root, ADMIN, ADMIN)):
        document = await sent(client, upload)
        gone = await client.delete(f"{path}/{document['document_id']}")
        assert (gone.status_code, gone.content) == (204, b"")
        assert (await listed(client, path, limit=20, offset=0))["total_count"] == 0


async def test_a_source_can_be_opened(fm: FaultMaven, ann: httpx2.AsyncClient, root: httpx2.AsyncClient) -> None:
    """The extension shows the beginning of the text of a source, one's own or everybody's."""
    documents = [await sent(ann, f"{MINE}/upload"), await sent(root, ADMIN, RUNBOOK + b"\nFor everybody.\n")]
    for user in ("ann", "root"):
        await read(fm, user)
    for document in documents:
        answer = await ann.get(f"{COMMON}/{document['document_id']}")
        assert answer.status_code == 200
        check(answer.json(), DOCUMENT | {"content": TEXT, "status": "processed"})
        assert answer.json()["content"].startswith("# Redis")


async def test_both_searches_take_all_that_clients_send(fm: FaultMaven, ann: httpx2.AsyncClient) -> None:
    """Members that mean nothing here are taken too; every hit names its document."""
    document = await sent(ann, f"{MINE}/upload", tags="redis", category="database")
    await read(fm, "ann")
    asked = {
        "query": "redis OOM",
        "limit": 5,
        "document_type": "playbook",
        "category": "database",
        "tags": "redis",
        "similarity_threshold": 0.5,
        "rank_by": "relevance",
        "filters": {},
    }
    hit = {
        "document_id": document["document_id"],
        "title": "Redis is full",
        "content": TEXT,
        "score": float,
        "scope": "personal",
        "document_type": "playbook",
        "tags": ["redis"],
        "headings": [str],
        "start": int,
        "end": int,
        "highlights": [[int]],
        "warning": str,
        "metadata": {"document_id": document["document_id"], "title": "Redis is full", "source_url": str},
    }
    found = {"query": str, "results": [hit], "total_results": int, "searched_documents": int, "notes": [TEXT]}
    for path in ("/api/v1/knowledge/search", f"{MINE}/search"):
        answer = await ann.post(path, json=asked)
        assert answer.status_code == 200, answer.text
        check(answer.json(), found | {"query": "redis OOM", "total_results": 1})
        nothing = await ann.post(path, json={"query": "redis", "category": "none such"})
        check(nothing.json(), found | {"query": "redis", "total_results": 0})
        assert nothing.json()["results"] == []


async def read(fm: FaultMaven, user: str) -> None:
    """Wait until what this user uploaded is read."""
    caller = Caller(OrganizationId("acme"), UserId(user))
    async with asyncio.timeout(60):
        while True:
            page = await fm.jobs.list(ListJobs(), caller)
            if not {job.state for job in page.jobs} & {"queued", "running", "waiting"}:
                return
            await asyncio.sleep(LOOK_SECONDS)
