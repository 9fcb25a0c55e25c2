"""Documents over HTTP: there at once for whoever uploaded them, for everybody only by those who may, and never unreadable ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from faultmaven import FaultMaven
from faultmaven_core.jobs.commands import ListJobs
from faultmaven_core.knowledge.commands import DeleteDocument, SearchKnowledge, SearchResult
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.ids import OrganizationId, UserId
from tests.shells.http.shell import Made, Table, client_of, principal

RUNBOOK = b"# Redis\n\nWhen redis answers OOM command not allowed, raise maxmemory or evict keys.\n"
MINE, ADMIN, COMMON = "/api/v1/documents", "/api/v1/admin/kb/documents", "/api/v1/knowledge/documents"
LOOK_SECONDS = 0.02
FIELDS = {"title": "Redis is full", "document_type": "troubleshooting", "tags": "redis, cache"}


@pytest.fixture
async def root(made: Made, people: Table) -> AsyncIterator[httpx2.AsyncClient]:
    """An administrator of Ann's organization."""
    people.holders["root"] = principal("acme", "root", "admin")
    async with client_of(made(), "root") as client:
        yield client


async def sent(
    client: httpx2.AsyncClient,
    path: str,
    name: str = "redis.md",
    content: bytes = RUNBOOK,
    key: str = "",
    **fields: str,
) -> httpx2.Response:
    """A document, uploaded."""
    headers = {"Idempotency-Key": key} if key else {}
    return await client.post(path, data={**FIELDS, **fields}, files={"file": (name, content)}, headers=headers)


async def found(client: httpx2.AsyncClient, path: str = MINE, **query: Any) -> list[dict[str, Any]]:
    """What a list holds."""
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["documents"]
    return rows


async def test_an_uploaded_document_is_in_the_list_right_away(ann: httpx2.AsyncClient) -> None:
    """The fields that clients read, tags a list whatever comes."""
    answer = await sent(ann, f"{MINE}/upload", source_url="https://wiki.example/redis", description="By hand")
    assert answer.status_code == 201, answer.text
    document = answer.json()
    assert document["title"] == "Redis is full"
    assert document["document_type"] == "troubleshooting"
    assert document["tags"] == ["redis", "cache"]
    assert document["scope"] == "personal"
    assert document["source_url"] == "https://wiki.example/redis"
    assert document["status"] == "processing"
    assert [row["document_id"] for row in await found(ann, limit=20)] == [document["document_id"]]
    plain = await ann.post(f"{MINE}/upload", data={"title": "Ü"}, files={"file": ("b.txt", b"text")})
    assert plain.json()["tags"] == []
    assert [row["title"] for row in await found(ann, limit=20, offset=0)] == ["Ü", "Redis is full"]
    assert [row["title"] for row in await found(ann, document_type="troubleshooting")] == ["Redis is full"]


async def test_what_is_sent_again_is_the_same_document_and_another_title_another(ann: httpx2.AsyncClient) -> None:
    """By title and file name a document is known; the same content is not kept twice."""
    first = (await sent(ann, f"{MINE}/upload")).json()["document_id"]
    again = await sent(ann, f"{MINE}/upload")
    assert (again.status_code, again.json()["document_id"]) == (200, first)
    twin = await sent(ann, f"{MINE}/upload", title="Other title")
    assert (twin.status_code, twin.json()["document_id"]) == (200, first)
    newer = await sent(ann, f"{MINE}/upload", content=RUNBOOK + b"Newer.\n")
    assert (newer.status_code, newer.json()["document_id"]) == (201, first)
    other = await sent(ann, f"{MINE}/upload", title="Another", content=b"Another text.\n")
    assert other.json()["document_id"] != first
    assert len(await found(ann)) == 2


async def test_a_key_stands_for_one_content(ann: httpx2.AsyncClient) -> None:
    """Sent again it is answered again; another content under it is not taken, new or known, and nobody is told that it was."""
    first = await sent(ann, f"{MINE}/upload", key="upload-0001")
    again = await sent(ann, f"{MINE}/upload", key="upload-0001")
    assert (first.status_code, again.json()["document_id"]) == (201, first.json()["document_id"])
    other = await sent(ann, f"{MINE}/upload", content=b"Another text.\n", key="upload-0001")
    assert (other.status_code, other.headers["x-error-code"]) == (409, "IDEMPOTENCY_KEY_REUSE")
    assert len(await found(ann)) == 1
    twin = await sent(ann, f"{MINE}/upload", title="Twin", key="upload-0002")
    assert (twin.status_code, twin.json()["document_id"]) == (200, first.json()["document_id"])
    last = await sent(ann, f"{MINE}/upload", title="Twin", content=b"A third text.\n", key="upload-0002")
    assert last.status_code == 409


async def test_documents_of_everybody_are_changed_by_those_who_may(
    ann: httpx2.AsyncClient, root: httpx2.AsyncClient, made: Made
) -> None:
    """Read by the organization; by whatever way a member asks, he neither adds nor deletes them."""
    document = (await sent(root, ADMIN, category="database")).json()
    assert (document["scope"], document["category"]) == ("global", "database")
    one = f"{COMMON}/{document['document_id']}"
    assert (await sent(ann, ADMIN)).status_code == 403
    assert (await sent(ann, COMMON, scope="global")).status_code == 403
    assert (await ann.get(ADMIN)).status_code == 403
    assert (await ann.delete(f"{ADMIN}/{document['document_id']}")).status_code == 403
    assert (await ann.delete(one)).status_code == 403
    assert (await ann.put(one, json={"title": "Mine now"})).status_code == 403
    assert (await ann.delete(f"{MINE}/{document['document_id']}")).status_code == 404
    assert (await ann.get(one)).json()["title"] == "Redis is full"
    assert [row["document_id"] for row in await found(ann, COMMON)] == [document["document_id"]]
    async with client_of(made(), "bob") as bob:
        assert (await bob.get(one)).status_code == 404
        assert await found(bob, COMMON) == []
    assert [row["document_id"] for row in await found(root, ADMIN)] == [document["document_id"]]
    assert (await root.delete(f"{ADMIN}/{document['document_id']}")).status_code == 204
    assert (await root.get(one)).status_code == 404


async def test_what_is_personal_is_nobody_elses(ann: httpx2.AsyncClient, root: httpx2.AsyncClient, made: Made) -> None:
    """Not an administrator's either; and who may only read adds nothing."""
    document = (await sent(ann, f"{MINE}/upload")).json()["document_id"]
    for path in (f"{COMMON}/{document}", f"{MINE}/{document}", f"{ADMIN}/{document}"):
        assert (await root.delete(path)).status_code == 404
    assert (await root.get(f"{COMMON}/{document}")).status_code == 404
    assert await found(root) == []
    async with client_of(made(), "vic") as vic:
        assert (await sent(vic, f"{MINE}/upload")).status_code == 403
        assert await found(vic) == []
    assert (await ann.delete(f"{MINE}/{document}")).status_code == 204


UNREADABLE = {
    "old.doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "picture.png": b"\x89PNG\r\n\x1a\n",
    "program.md": b"\x7fELF\x02\x01\x01\x00\x00",
    "picture.txt": b"\xff\xd8\xff\xe0 JFIF",
    "text.pdf": b"only text",
    "noending": b"text",
    ".md": b"\x00\x01",
}


async def test_what_cannot_be_read_is_refused_in_words(ann: httpx2.AsyncClient) -> None:
    """415 by what it is, whatever it is called."""
    for name, content in UNREADABLE.items():
        answer = await sent(ann, f"{MINE}/upload", name, content)
        assert answer.status_code == 415, (name, answer.text)
        assert answer.json()["detail"].endswith(".")
    assert await found(ann) == []


async def test_texts_of_all_kinds_that_clients_offer_are_taken(ann: httpx2.AsyncClient) -> None:
    """Under the type that was given, whatever it is."""
    for name in ("a.md", "a.txt", "a.json", "a.csv", "a.log", "A.YAML"):
        content = f'{{"redis": "{name}"}}'.encode()
        answer = await sent(ann, f"{MINE}/upload", name, content, document_type="whatever one likes")
        assert answer.status_code == 201, answer.text
        assert answer.json()["document_type"] == "whatever one likes"


async def test_a_document_over_the_limit_is_refused(made: Made) -> None:
    """413, and nothing is listed."""
    async with client_of(made(upload_max=1000), "ann") as ann:
        assert (await sent(ann, f"{MINE}/upload", content=b"x" * 1001)).status_code == 413
        assert (await sent(ann, f"{MINE}/upload", content=b"x" * 1000)).status_code == 201
        assert len(await found(ann)) == 1
    async with client_of(made(), "ann") as ann:
        assert (await ann.post(f"{MINE}/upload", data={"title": "x"})).status_code == 422
        assert (await ann.get(MINE, params={"limit": 0})).status_code == 422


async def test_a_document_is_found_described_anew_and_shown(fm: FaultMaven, ann: httpx2.AsyncClient) -> None:
    """Its title goes before the one in its text; hits can be narrowed by what was said of it."""
    ann_herself = Caller(OrganizationId("acme"), UserId("ann"))
    document = (await sent(ann, f"{MINE}/upload", category="database")).json()["document_id"]
    await _read(fm, ann_herself)
    shown = (await ann.get(f"{COMMON}/{document}")).json()
    assert (shown["status"], shown["title"]) == ("processed", "Redis is full")
    assert shown["content"].startswith("# Redis")
    question = {"query": "redis OOM maxmemory", "limit": 3}
    for narrowed, hits in (({}, 1), ({"category": "database"}, 1), ({"tags": "cache"}, 1), ({"category": "x"}, 0)):
        answer = await ann.post("/api/v1/knowledge/search", json={**question, **narrowed})
        assert answer.status_code == 200, answer.text
        assert len({row["document_id"] for row in answer.json()["results"]}) == hits
    changed = await ann.put(f"{COMMON}/{document}", json={"title": "Evictions", "tags": ["memory"], "category": ""})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["title"], changed.json()["tags"], changed.json()["category"]) == (
        "Evictions",
        ["memory"],
        None,
    )
    await _read(fm, ann_herself)
    assert (await ann.get(f"{COMMON}/{document}")).json()["title"] == "Evictions"


async def test_a_document_that_goes_while_it_is_found_is_no_hit(
    fm: FaultMaven, ann: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are still told."""
    ann_herself = Caller(OrganizationId("acme"), UserId("ann"))
    kept = (await sent(ann, f"{MINE}/upload")).json()["document_id"]
    gone = (await sent(ann, f"{MINE}/upload", title="Old", content=RUNBOOK + b"Old.\n")).json()["document_id"]
    await _read(fm, ann_herself)
    search = fm.knowledge.search

    async def overtaken(command: SearchKnowledge, caller: Caller) -> SearchResult:
        result = await search(command, caller)
        assert {hit.document_id for hit in result.hits} == {kept, gone}
        await fm.knowledge.delete(DeleteDocument(gone), caller)
        return result

    monkeypatch.setattr(fm.knowledge, "search", overtaken)
    answer = await ann.post("/api/v1/knowledge/search", json={"query": "redis OOM maxmemory"})
    assert answer.status_code == 200, answer.text
    assert {row["document_id"] for row in answer.json()["results"]} == {kept}


async def _read(fm: FaultMaven, caller: Caller) -> None:
    """Wait until the jobs of his organization have ended."""
    async with asyncio.timeout(60):
        while True:
            page = await fm.jobs.list(ListJobs(), caller)
            if not {job.state for job in page.jobs} & {"queued", "running", "waiting"}:
                return
            await asyncio.sleep(LOOK_SECONDS)


async def test_a_team_s_documents_are_read_by_its_members(
    fm: FaultMaven, ann: httpx2.AsyncClient, root: httpx2.AsyncClient, people: Table
) -> None:
    """And by those who keep everybody's; by nobody else."""
    ours = {"query": "redis", "scopes": ["team:payments"]}
    uploaded = await sent(root, COMMON, scope="team:payments")
    assert (uploaded.status_code, uploaded.json()["scope"]) == (201, "team")
    document = uploaded.json()["document_id"]
    await _read(fm, people.holders["root"].caller)

    async def seen(client: httpx2.AsyncClient) -> None:
        assert [row["document_id"] for row in await found(client, COMMON, scope="team:payments")] == [document]
        answer = await client.post("/api/v1/knowledge/search", json=ours)
        assert [row["document_id"] for row in answer.json()["results"]] == [document]
        assert (await client.get(f"{COMMON}/{document}")).json()["title"] == "Redis is full"

    await seen(root)
    for teams in ((), ("billing",)):
        people.holders["ann"] = replace(people.holders["ann"], teams=teams)
        assert (await ann.get(COMMON, params={"scope": "team:payments"})).status_code == 403
        assert (await ann.post("/api/v1/knowledge/search", json=ours)).status_code == 403
        assert (await ann.get(f"{COMMON}/{document}")).status_code == 403
        assert await found(ann, COMMON) == []
    people.holders["ann"] = replace(people.holders["ann"], teams=("payments",))
    await seen(ann)
    assert (await ann.get(COMMON, params={"scope": "team:billing"})).status_code == 403
