"""What every answer of the shell has, whatever it answers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from faultmaven_core.shared.errors import BackendUnavailableError
from tests.shells.http.shell import Made, Table, client_of

ID = re.compile(r"[0-9a-f]{32}")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def test_every_answer_is_safe_for_browsers_and_says_nothing_of_the_server(ann: httpx2.AsyncClient) -> None:
    """Good ones, refused ones and those of no address."""
    for path in ("/api/v1/cases", "/nowhere", "/health", "/api/v1/cases/case_0"):
        headers = (await ann.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert len(headers.keys()) == len(headers.multi_items()), "each stands once"
        assert "server" not in headers
        assert "x-powered-by" not in headers
        assert "set-cookie" not in headers


async def test_only_over_tls_it_is_said_that_tls_is_a_must(made: Made) -> None:
    """A machine of one's own has none, and would lock itself out."""
    for url, told in (("https://fm.example.org", True), ("http://localhost:8090", False)):
        async with client_of(made(public_url=url)) as client:
            assert ("strict-transport-security" in (await client.get("/health")).headers) is told


async def test_every_answer_has_a_new_id_and_the_clients_beside_it(ann: httpx2.AsyncClient) -> None:
    """Ours is always new, so that nobody can make two requests look like one in the log."""
    given = {"X-Request-ID": "mine-1"}
    first, second = [await ann.get("/nowhere", headers=given) for _ in range(2)]
    ids = {answer.headers["x-request-id"] for answer in (first, second)}
    assert len(ids) == 2
    assert all(ID.fullmatch(name) for name in ids)
    assert first.headers["x-correlation-id"] == "mine-1"
    assert first.json()["correlation_id"] == first.headers["x-request-id"]
    for bad in ("a b", "x" * 129, "a\tb", '"', "<script>"):
        answer = await ann.get("/nowhere", headers={"X-Request-ID": bad})
        assert answer.headers["x-correlation-id"] == answer.headers["x-request-id"]


async def test_a_trace_goes_on_if_it_is_one(ann: httpx2.AsyncClient) -> None:
    """Of W3C's form; anything else begins a new one."""
    good = f"00-{TRACE}-00f067aa0ba902b7-01"
    told = (await ann.get("/health", headers={"traceparent": good})).headers["traceparent"].split("-")
    assert (told[1], told[3]) == (TRACE, "01")
    assert told[2] != "00f067aa0ba902b7"
    for bad in (f"01-{TRACE}-00f067aa0ba902b7-01", f"00-{'0' * 32}-00f067aa0ba902b7-01", good.upper(), good + "-x", ""):
        new = (await ann.get("/health", headers={"traceparent": bad})).headers["traceparent"].split("-")[1]
        assert new not in {TRACE, "0" * 32}


async def test_what_is_not_offered_is_told_as_a_problem(ann: httpx2.AsyncClient) -> None:
    """Also an address with a slash too many: a redirect would lose token and body."""
    for path, method, status in (
        ("/nowhere", "GET", 404),
        ("/api/v1/cases/", "GET", 404),
        ("/API/v1/cases", "GET", 404),
        ("/api/v1/cases", "PATCH", 405),
        ("/api/v1/cases/case_1/title", "GET", 405),
    ):
        answer = await ann.request(method, path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]
        assert status != 405 or answer.headers["allow"]


async def test_a_head_is_answered_as_its_get(ann: httpx2.AsyncClient) -> None:
    """The same headers; the server leaves out the body."""
    assert (await ann.head("/api/v1/cases")).status_code == 200
    assert (await ann.head("/api/v1/cases/case_0")).status_code == 404


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic YTpi",
        "Bearer",
        "Bearer ",
        "Bearer nobody",
        "bearer\x0bann",
        "Bearer ann, Bearer bob",
        "Bearer " + "a" * 9000,
    ],
)
async def test_without_a_valid_token_nothing_is_told_but_that(made: Made, header: str) -> None:
    """401 with one text for all tokens that are not valid, and the way in."""
    async with client_of(made()) as client:
        answer = await client.get("/api/v1/cases", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "session" not in answer.json()["detail"].lower()


async def test_a_store_that_is_down_is_no_reason_to_sign_out(made: Made, people: Table) -> None:
    """503 and never 401: clients throw their tokens away on that."""
    people.away = BackendUnavailableError("Redis at 10.1.2.3 is away.")
    async with client_of(made(), "ann") as client:
        answer = await client.get("/api/v1/cases")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert "10.1.2.3" not in answer.text


async def test_a_role_that_lacks_the_permission_is_refused(made: Made) -> None:
    """403, and which one it would have been."""
    async with client_of(made(), "vic") as client:
        assert (await client.get("/api/v1/cases")).status_code == 200
        answer = await client.post("/api/v1/cases", json={})
    assert answer.status_code == 403
    assert "case:write" in answer.json()["detail"]


async def test_the_body_of_a_stranger_is_not_read(made: Made) -> None:
    """Whoever may not upload is told so before he has uploaded."""
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield b"x" * 1000

    async with client_of(made(), "nobody") as client:
        answer = await client.post("/api/v1/cases", content=body(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 401
    assert read <= 1


async def test_an_empty_body_of_type_json_is_legal(ann: httpx2.AsyncClient) -> None:
    """One client says this type on everything."""
    typed = {"Content-Type": "application/json"}
    assert (await ann.get("/api/v1/cases", headers=typed)).status_code == 200
    assert (await ann.post("/api/v1/cases", headers=typed)).status_code == 201
