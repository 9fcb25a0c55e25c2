"""Many cases or documents at once: each has its own outcome, and what fails costs the others nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from faultmaven_core.shared.errors import BackendUnavailableError, NotFoundError
from faultmaven_http import bulk
from tests.shells.http.shell import Made, Table, client_of, principal

CASES, DOCUMENTS = "/api/v1/cases/bulk", "/api/v1/knowledge/documents"
NOBODYS = "case_0123456789ab"


async def opened(client: httpx2.AsyncClient, count: int) -> list[str]:
    """New cases' ids."""
    return [(await client.post("/api/v1/cases", json={"title": f"Case {n}"})).json()["case_id"] for n in range(count)]


async def uploaded(client: httpx2.AsyncClient, count: int) -> list[str]:
    """New documents' ids."""
    files = [{"file": (f"{n}.md", f"# Title {n}\n\ntext {n}\n".encode())} for n in range(count)]
    return [(await client.post("/api/v1/documents/upload", files=file)).json()["document_id"] for file in files]


async def shown(client: httpx2.AsyncClient) -> set[str]:
    """The cases that a client sees."""
    return {row["case_id"] for row in (await client.get("/api/v1/cases")).json()["cases"]}


def statuses(answer: httpx2.Response) -> list[int]:
    """Of each item."""
    assert answer.status_code == 200, answer.text
    return [item["status"] for item in answer.json()["results"]]


@pytest.fixture
async def bob(made: Made) -> AsyncIterator[httpx2.AsyncClient]:
    """Of another organization."""
    async with client_of(made(), "bob") as client:
        yield client


async def test_cases_go_and_come_back_together(ann: httpx2.AsyncClient, bob: httpx2.AsyncClient) -> None:
    """What is not there, or another's, is told so by its id, like nothing that ever was."""
    first, second, kept = await opened(ann, 3)
    (foreign,) = await opened(bob, 1)
    answer = await ann.post(f"{CASES}/delete", json={"case_ids": [first, NOBODYS, second, foreign, first]})
    assert statuses(answer) == [204, 404, 204, 404]
    told: dict[str, Any] = answer.json()
    assert (told["succeeded"], told["failed"], told["failed_ids"]) == (2, 2, [NOBODYS, foreign])
    missing = [
        (item["code"], item["detail"].replace(item["id"], "")) for item in told["results"] if item["status"] == 404
    ]
    assert missing[0] == missing[1]
    assert await shown(ann) == {kept}
    assert await shown(bob) == {foreign}
    back = await ann.post(f"{CASES}/restore", json={"case_ids": [second, first, kept]})
    assert statuses(back) == [200, 200, 404]
    assert back.json()["results"][0]["item"]["case_id"] == second
    assert await shown(ann) == {first, second, kept}


async def test_cases_are_archived_together(ann: httpx2.AsyncClient) -> None:
    """They leave the list, and come back to it."""
    cases = await opened(ann, 3)
    assert statuses(await ann.post(f"{CASES}/archive", json={"case_ids": cases[:2]})) == [200, 200]
    assert await shown(ann) == {cases[2]}
    assert statuses(await ann.post(f"{CASES}/unarchive", json={"case_ids": cases})) == [200, 200, 200]
    assert await shown(ann) == set(cases)


async def test_under_one_key_each_happens_once(ann: httpx2.AsyncClient) -> None:
    """Sent again after a lost answer it says the same, though the cases are gone by now."""
    cases = await opened(ann, 2)
    key = {"Idempotency-Key": "bulk-delete-0001"}
    first, again = [await ann.post(f"{CASES}/delete", json={"case_ids": cases}, headers=key) for _ in range(2)]
    assert statuses(first) == [204, 204]
    assert first.json() == again.json()


@pytest.mark.parametrize("ids", [[], [f"case_{n:012x}" for n in range(101)]])
async def test_as_many_as_anybody_means(ann: httpx2.AsyncClient, ids: list[str]) -> None:
    """None, or over a hundred, is a mistake."""
    assert (await ann.post(f"{CASES}/delete", json={"case_ids": ids})).status_code == 422
    assert (await ann.post(f"{DOCUMENTS}/bulk-delete", json={"document_ids": ids})).status_code == 422


@pytest.mark.parametrize("odd", ["", "\0", "é" * 300, "../../x", "x" * 5000, "' OR 1=1 --", "case_0123456789AB"])
async def test_what_is_no_id_is_nobodys(ann: httpx2.AsyncClient, odd: str) -> None:
    """Also with a key, of which each item makes its own."""
    for headers in ({}, {"Idempotency-Key": "bulk-odd-0001"}):
        answer = await ann.post(f"{CASES}/delete", json={"case_ids": [odd]}, headers=headers)
        assert statuses(answer) == [404]


async def test_each_verb_needs_what_it_needs_alone(ann: httpx2.AsyncClient, people: Table, made: Made) -> None:
    """Who may only read changes nothing; who may write and not delete archives."""
    (case,) = await opened(ann, 1)
    full = principal("acme", "cy")
    fewer = full.permissions - {"case:delete"}
    people.holders["cy"] = type(full)(full.caller, "cy", "Cy", "", (), fewer, "sid", "", "pwd", expires_at=None)
    async with client_of(made(), "vic") as vic, client_of(made(), "cy") as cy:
        for verb, as_vic, as_cy in (("delete", 403, 403), ("restore", 403, 403), ("archive", 403, 200)):
            answers = [await one.post(f"{CASES}/{verb}", json={"case_ids": [case]}) for one in (vic, cy)]
            assert [answer.status_code for answer in answers] == [as_vic, as_cy], verb


async def test_documents_go_together(ann: httpx2.AsyncClient, bob: httpx2.AsyncClient) -> None:
    """Each by the rights that its scope asks for: a member does not delete what is everybody's."""
    first, second, kept = await uploaded(ann, 3)
    (foreign,) = await uploaded(bob, 1)
    answer = await ann.post(f"{DOCUMENTS}/bulk-delete", json={"document_ids": [first, foreign, second]})
    assert statuses(answer) == [204, 404, 204]
    listed = (await ann.get("/api/v1/documents")).json()
    assert [row["document_id"] for row in listed["documents"]] == [kept]
    assert (await bob.get("/api/v1/documents")).json()["total_count"] == 1


async def test_a_member_does_not_delete_everybodys_among_his_own(
    ann: httpx2.AsyncClient, people: Table, made: Made
) -> None:
    """The one is refused by itself."""
    (mine,) = await uploaded(ann, 1)
    people.holders["root"] = principal("acme", "root", "admin")
    async with client_of(made(), "root") as root:
        file = {"file": ("common.md", b"# Common\n\ntext\n")}
        common = (await root.post("/api/v1/admin/kb/documents", files=file)).json()["document_id"]
    answer = await ann.post(f"{DOCUMENTS}/bulk-delete", json={"document_ids": [common, mine]})
    assert statuses(answer) == [403, 204]


async def test_documents_are_described_together(ann: httpx2.AsyncClient) -> None:
    """Each differently; of one that is not there nothing is made."""
    first, second = await uploaded(ann, 2)
    wishes = [
        {"document_id": first, "title": "First", "tags": ["a", "b"]},
        {"document_id": "doc_0123456789ab", "title": "Nobody's"},
        {"document_id": second, "category": "dns"},
    ]
    answer = await ann.post(f"{DOCUMENTS}/bulk-update", json={"documents": wishes})
    assert statuses(answer) == [200, 404, 200]
    items = [result["item"] for result in answer.json()["results"]]
    assert (items[0]["title"], items[0]["tags"], items[2]["category"]) == ("First", ["a", "b"], "dns")
    assert items[2]["title"] == "1", "what is not named stays"


async def test_documents_come_together(ann: httpx2.AsyncClient) -> None:
    """What is said beside them is said of each; one that cannot be read is refused by itself, one that is there is the same."""
    files = [
        ("file", (name, content)) for name, content in (("a.md", b"# A"), ("b.exe", b"MZ"), ("c.csv", b"x,y\n1,2"))
    ]
    first = await ann.post(f"{DOCUMENTS}/bulk-upload", files=files, data={"tags": "dns"})
    assert statuses(first) == [201, 415, 201]
    assert [result["id"] for result in first.json()["results"]] == ["a.md", "b.exe", "c.csv"]
    assert [(result["item"] or {}).get("tags") for result in first.json()["results"]] == [["dns"], None, ["dns"]]
    again = await ann.post(f"{DOCUMENTS}/bulk-upload", files=files[:1], data={"tags": "dns"})
    assert statuses(again) == [200]
    assert (await ann.get("/api/v1/documents")).json()["total_count"] == 2
    for odd in ([], [files[0], files[0]], [("other", ("a.md", b"# A"))]):
        answer = await ann.post(f"{DOCUMENTS}/bulk-upload", files=odd, data={"tags": "dns"})
        assert answer.status_code == 422, answer.text
    common = await ann.post(f"{DOCUMENTS}/bulk-upload", files=files, data={"scope": "global"})
    assert common.status_code == 403


async def test_a_backend_that_is_down_ends_it() -> None:
    """What follows was not tried, and is told as the one at which it ended; what was done stays told as done."""
    tried: list[str] = []

    async def work(one: str) -> tuple[int, object]:
        tried.append(one)
        if one == "b":
            raise NotFoundError("There is no b.")
        if one == "c":
            raise BackendUnavailableError("The database cannot be reached.")
        return 204, None

    outcome = await bulk.each(["a", "b", "c", "d", "e"], work)
    assert [(one.id, one.status) for one in outcome.results] == [
        ("a", 204),
        ("b", 404),
        ("c", 503),
        ("d", 503),
        ("e", 503),
    ]
    assert tried == ["a", "b", "c"]
    assert (outcome.succeeded, outcome.failed_ids) == (1, ("b", "c", "d", "e"))
