"""The probes, and the numbers for monitoring."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx2
import pytest

from faultmaven import FaultMaven
from faultmaven_core.ports.health import Pingable
from faultmaven_core.shared.errors import BackendUnavailableError
from faultmaven_http import health
from faultmaven_http.app import HttpApplication, create_app
from tests.shells.http.shell import client_of


class Probe(Pingable):
    """A backend that answers, fails or hangs."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.hangs = False
        self.asked = 0

    async def ping(self) -> None:
        """See Pingable."""
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def probe() -> Probe:
    """The database."""
    return Probe()


@pytest.fixture
def app(fm: FaultMaven, probe: Probe, monkeypatch: pytest.MonkeyPatch) -> HttpApplication:
    """An application that stands on the probe and on something that always answers; every look is a new one."""
    monkeypatch.setattr(health, "FRESH", -1.0)
    application = replace(fm.application, probes={"database": probe, "cache": Probe()})
    return create_app(application, fm.settings.http)


@pytest.fixture
async def client(app: HttpApplication) -> AsyncIterator[httpx2.AsyncClient]:
    """Whoever probes has no token."""
    async with client_of(app) as made:
        yield made


async def test_a_service_whose_backends_answer_is_ready(client: httpx2.AsyncClient) -> None:
    """One client needs exactly the word healthy."""
    for path in ("/health", "/health/ready"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.json()["status"] == "healthy"
        assert {found["name"]: found["status"] for found in answer.json()["dependencies"]} == {
            "database": "up",
            "cache": "up",
        }


async def test_what_is_away_is_named_and_the_rest_still_told(client: httpx2.AsyncClient, probe: Probe) -> None:
    """Not ready, but alive; where the backend is, nobody learns."""
    probe.failure = BackendUnavailableError("PostgreSQL at db.internal:5432 is away.")
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    database, cache = answer.json()["dependencies"]
    assert (database["name"], database["status"], database["problem"]) == ("database", "down", "unavailable")
    assert cache["status"] == "up"
    assert "db.internal" not in answer.text
    assert (await client.get("/health/live")).status_code == 200
    assert (await client.get("/health")).json()["status"] == "unhealthy"
    probe.failure = None
    assert (await client.get("/health/ready")).status_code == 200


async def test_what_hangs_is_given_up(
    client: httpx2.AsyncClient, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A probe that waits for ever is no answer."""
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    probe.hangs = True
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["dependencies"][0]["problem"] == "deadline_exceeded"


async def test_probes_are_no_load(client: httpx2.AsyncClient, probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer holds for a moment, whoever asks; being alive asks nobody."""
    monkeypatch.setattr(health, "FRESH", 3600.0)
    await asyncio.gather(*(client.get("/health/ready") for _ in range(20)))
    await client.get("/health/live")
    assert probe.asked == 1


async def test_a_service_that_leaves_is_not_ready_and_lets_connections_go(
    client: httpx2.AsyncClient, app: HttpApplication
) -> None:
    """It still answers: requests that are on their way are not lost."""
    app.readiness.leaving = True
    answer = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "stopping")
    assert answer.headers["connection"] == "close"
    assert (await client.get("/health/live")).status_code == 200


async def test_requests_are_counted_by_route_and_never_by_what_a_client_writes(client: httpx2.AsyncClient) -> None:
    """Else anybody could make metrics without end."""
    for path in ("/api/v1/cases/case_0", "/api/v1/cases/case_1", "/nowhere/1", "/nowhere/2"):
        await client.get(path)
    text = (await client.get("/metrics")).text
    one = 'faultmaven_http_requests_total{method="GET",route="/api/v1/cases/{case_id}",status="401"} 2.0'
    assert one in text
    assert 'route="unmatched",status="404"} 2.0' in text
    assert "nowhere" not in text
    assert "faultmaven_http_request_seconds_bucket" in text
