"""Lists over HTTP in parts: followed by cursor each row is seen once, whatever is changed or added meanwhile."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest

from faultmaven import FaultMaven
from faultmaven_core.cases.turn_commands import AddNotice
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.ids import OrganizationId, UserId
from tests.shells.http.shell import BASE, Made, client_of

ANN = Caller(OrganizationId("acme"), UserId("ann"))


async def opened(client: httpx2.AsyncClient, title: str) -> str:
    """A new case's id."""
    return str((await client.post("/api/v1/cases", json={"title": title})).json()["case_id"])


async def followed(client: httpx2.AsyncClient, path: str, rows: str) -> list[Any]:
    """All rows of a list, page by page along the Link header, which says what `next_cursor` says."""
    found: list[Any] = []
    place: str | None = path
    while place:
        answer = await client.get(place)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found += body[rows]
        link = answer.links.get("next", {}).get("url")
        assert (link is None) == (body["next_cursor"] is None), "both say where it goes on, or neither does"
        place = urljoin(BASE, link) if link else None
        assert len(found) < 100
    return found


async def test_every_list_is_followed_to_its_end(ann: httpx2.AsyncClient, fm: FaultMaven) -> None:
    """Cases, messages, evidence, files, documents, jobs, sessions: two at a time, none twice and none left out."""
    cases = [await opened(ann, f"Case {number}") for number in range(5)]
    case = f"/api/v1/cases/{cases[0]}"
    for number in range(5):
        await fm.cases.notify(AddNotice(cases[0], f"notice {number}"), ANN)
        await ann.post(f"{case}/evidence?name={number}.log", content=b"x" * (number + 1))
        file = {"file": (f"{number}.md", f"# Title {number}\n\ntext {number}\n".encode())}
        assert (await ann.post("/api/v1/documents/upload", files=file)).status_code == 201
        session = {"client_id": f"client-{number}"}
        assert (await ann.post("/api/v1/sessions", json=session)).status_code == 201
    for path, rows, name in (
        ("/api/v1/cases?limit=2", "cases", "case_id"),
        (f"{case}/messages?limit=2", "messages", "message_id"),
        (f"{case}/evidence?limit=2", "items", "evidence_id"),
        (f"{case}/uploaded-files?limit=2", "files", "file_id"),
        ("/api/v1/documents?limit=2", "documents", "document_id"),
        ("/api/v1/sessions?limit=2", "sessions", "session_id"),
    ):
        found = [row[name] for row in await followed(ann, path, rows)]
        assert (len(found), len(set(found))) == (5, 5), path
    jobs = [row["job_id"] for row in await followed(ann, "/api/v1/jobs?limit=2", "jobs")]
    assert len(jobs) == len(set(jobs)) >= 5


async def test_what_changes_between_two_pages_hides_nothing(ann: httpx2.AsyncClient) -> None:
    """By offset, the case that moved to the front would push another one onto the next page again."""
    cases = [await opened(ann, f"Case {number}") for number in range(6)]
    first = (await ann.get("/api/v1/cases", params={"limit": 2})).json()
    assert [row["case_id"] for row in first["cases"]] == [cases[5], cases[4]]
    await ann.put(f"/api/v1/cases/{cases[0]}", json={"title": "Changed"})
    rest = await followed(ann, f"/api/v1/cases?limit=2&cursor={first['next_cursor']}", "cases")
    assert [row["case_id"] for row in rest] == [cases[3], cases[2], cases[1]]


async def test_the_link_keeps_what_was_asked_for(ann: httpx2.AsyncClient) -> None:
    """Filters and texts with letters of any kind; the offset falls away, for the cursor takes its place."""
    for number in range(3):
        await opened(ann, f"Überlauf & mehr {number}")
    await opened(ann, "other")
    first = await ann.get("/api/v1/cases", params={"limit": 1, "offset": 1, "text": "überlauf mehr"})
    link = first.links["next"]["url"]
    assert "offset" not in link
    second = await ann.get(urljoin(BASE, link))
    assert second.json()["total_count"] == 3
    assert (len(second.json()["cases"]), second.json()["next_cursor"]) == (1, None)
    assert "next" not in second.links


async def test_counting_from_the_beginning_goes_on_working(ann: httpx2.AsyncClient) -> None:
    """As the clients that are out there do it; totals are of everything that matches."""
    for number in range(5):
        file = {"file": (f"{number}.md", f"# Title {number}\n\ntext {number}\n".encode())}
        await ann.post("/api/v1/documents/upload", files=file, data={"document_type": "faq" if number % 2 else ""})
    listed = (await ann.get("/api/v1/documents", params={"limit": 2, "offset": 3})).json()
    assert [row["title"] for row in listed["documents"]] == ["1", "0"]
    assert (listed["total_count"], listed["limit"], listed["offset"]) == (5, 2, 3)
    faq = (await ann.get("/api/v1/documents", params={"document_type": "faq"})).json()
    assert ([row["title"] for row in faq["documents"]], faq["total_count"]) == (["3", "1"], 2)


@pytest.mark.parametrize(
    "cursor", ["0", "zz", "1.2", "-1.0", "9" * 400, "ffffffffffffffff.00", "é", "/", "x' OR 1=1 --"]
)
async def test_a_cursor_of_nobody_is_refused(ann: httpx2.AsyncClient, cursor: str) -> None:
    """Whatever stands in it: an answer of 4xx, and never a list from its beginning."""
    case = f"/api/v1/cases/{await opened(ann, 'Mine')}"
    for path in (
        "/api/v1/cases",
        f"{case}/evidence",
        f"{case}/uploaded-files",
        "/api/v1/documents",
        "/api/v1/jobs",
        "/api/v1/sessions",
    ):
        answer = await ann.get(path, params={"cursor": cursor})
        assert answer.status_code in {400, 422}, (path, answer.text)
    messages = await ann.get(f"{case}/messages", params={"cursor": cursor})
    assert messages.status_code in {400, 422} or messages.json()["messages"] == []


async def test_a_cursor_of_another_organization_shows_nothing_of_it(ann: httpx2.AsyncClient, made: Made) -> None:
    """It says where to go on, and not whose list that is."""
    for number in range(3):
        await opened(ann, f"Case {number}")
    cursor = (await ann.get("/api/v1/cases", params={"limit": 1})).json()["next_cursor"]
    async with client_of(made(), "bob") as bob:
        answer = (await bob.get("/api/v1/cases", params={"cursor": cursor})).json()
    assert (answer["cases"], answer["total_count"]) == ([], 0)


async def test_cases_are_searched_for(ann: httpx2.AsyncClient, made: Made) -> None:
    """By words or by id; the answer is a bare list, in pages that count from 0."""
    cases = [await opened(ann, f"Checkout fails {number}") for number in range(3)]
    await opened(ann, "Something else")
    found = await ann.post("/api/v1/cases/search", json={"query": "checkout fail", "page": 0, "page_size": 2})
    assert found.status_code == 200, found.text
    assert [row["case_id"] for row in found.json()] == [cases[2], cases[1]]
    assert found.headers["x-total-count"] == "3"
    rest = await ann.post("/api/v1/cases/search", json={"query": "checkout fail", "page": 1, "page_size": 2})
    assert [row["case_id"] for row in rest.json()] == [cases[0]]
    by_id = await ann.post("/api/v1/cases/search", json={"query": cases[1]})
    assert [row["title"] for row in by_id.json()] == ["Checkout fails 1"]
    nobody = await ann.post("/api/v1/cases/search", json={"query": "case_0123456789ab"})
    async with client_of(made(), "bob") as bob:
        foreign = await bob.post("/api/v1/cases/search", json={"query": cases[1]})
        words = await bob.post("/api/v1/cases/search", json={"query": "checkout"})
    assert nobody.json() == foreign.json() == words.json() == []
    for wrong in ({"page": -1}, {"page_size": 0}, {"page_size": 101}):
        assert (await ann.post("/api/v1/cases/search", json=wrong)).status_code == 422
