"""Browsers: whose pages may read our answers, errors too, and that asking costs nothing."""

from __future__ import annotations

import httpx2
import pytest

from tests.shells.http.shell import Made, client_of

EXTENSION = "chrome-extension://" + "abcdefghijklmnop" * 2
ALLOWED = [
    EXTENSION,
    "moz-extension://01234567-89ab-cdef-0123-456789abcdef",
    "http://localhost:3333",
    "http://127.0.0.1:8090",
    "http://localhost",
]
REFUSED = [
    "null",
    "*",
    "https://evil.example",
    "http://localhost.evil.example",
    "http://localhost:3333.evil.example",
    "https://fm.example.org.evil.example",
    "chrome-extension://short",
    EXTENSION + ".evil.example",
    "http://localhost:3333, https://evil.example",
    "file://",
]
WISHES = "authorization,content-type,x-session-id,idempotency-key,x-user-id,x-user-roles"


async def preflight(client: httpx2.AsyncClient, origin: str, **more: str) -> httpx2.Response:
    """What a browser asks before it asks."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": WISHES,
        **more,
    }
    return await client.options("/api/v1/cases", headers=asked)


@pytest.mark.parametrize("origin", ALLOWED)
async def test_clients_on_this_machine_may_call(made: Made, origin: str) -> None:
    """Echoed, never `*`, with all that they send and read; without a token, and uncounted."""
    async with client_of(made(rate=1)) as client:
        for _ in range(3):
            found = await preflight(client, origin)
            assert found.status_code == 200
        assert found.headers["access-control-allow-origin"] == origin
        assert found.headers["access-control-allow-credentials"] == "true"
        assert int(found.headers["access-control-max-age"]) >= 600
        taken = {name.strip().lower() for name in found.headers["access-control-allow-headers"].split(",")}
        assert {*WISHES.split(","), "accept", "x-request-id", "x-correlation-id"} <= taken
        methods = {name.strip() for name in found.headers["access-control-allow-methods"].split(",")}
        assert methods == {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
        assert "origin" in found.headers["vary"].lower()
        private = await preflight(client, origin, **{"Access-Control-Request-Private-Network": "true"})
        assert private.headers["access-control-allow-private-network"] == "true"


@pytest.mark.parametrize("origin", REFUSED)
async def test_no_other_page_may_read_an_answer(made: Made, origin: str) -> None:
    """Not reflected, whatever it looks like; `null` is nobody."""
    async with client_of(made(), "ann") as client:
        asked = await client.get("/api/v1/cases", headers={"Origin": origin})
        for found in (await preflight(client, origin), asked):
            assert "access-control-allow-origin" not in found.headers
            assert "access-control-allow-credentials" not in found.headers
            assert "origin" in found.headers["vary"].lower()


async def test_in_the_cloud_only_listed_origins_may_call(made: Made) -> None:
    """Whoever has an extension of his own is not let in by its form."""
    listed = "https://fm.example.org"
    async with client_of(made(deployment="cloud", origins=(listed,))) as client:
        assert (await preflight(client, listed)).headers["access-control-allow-origin"] == listed
        assert "access-control-allow-origin" not in (await preflight(client, EXTENSION)).headers


async def test_errors_can_be_read_too(made: Made) -> None:
    """A 401 without these headers looks to a page like a broken network, and it tries again for ever."""
    async with client_of(made(rate=1), "ann") as client:
        answers = [
            await client.get("/api/v1/cases", headers={"Origin": EXTENSION, "Authorization": "Bearer nobody"}),
            await client.get("/api/v1/cases/case_0", headers={"Origin": EXTENSION}),
            await client.get("/nowhere", headers={"Origin": EXTENSION}),
            await client.get("/api/v1/../x%2f", headers={"Origin": EXTENSION}),
            await client.request("PATCH", "/api/v1/cases", headers={"Origin": EXTENSION}),
            await client.post("/api/v1/cases", content=b"{", headers={"Origin": EXTENSION, "Content-Type": "text/csv"}),
            *[await client.post("/api/v1/cases", json={}, headers={"Origin": EXTENSION}) for _ in range(12)],
        ]
    assert [answer.status_code for answer in answers[:6]] == [401, 404, 404, 400, 405, 415]
    assert answers[-1].status_code == 429
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == EXTENSION
        shown = answer.headers["access-control-expose-headers"].lower()
        for name in (
            "location",
            "retry-after",
            "x-error-code",
            "x-expected-version",
            "x-actual-version",
            "x-title-source",
        ):
            assert name in shown
