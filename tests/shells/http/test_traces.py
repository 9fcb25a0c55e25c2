"""A request is one trace, from whoever began it to the last job that it led to; and no trace holds what people wrote."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from faultmaven import FaultMaven, load_settings
from faultmaven_core.jobs.commands import ListJobs, ShowJob
from faultmaven_http.app import create_app
from tests.shells.http.shell import Table, client_of, principal
from tests.unit.telemetry.collector import Collector, Received, collecting

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CLIENTS = f"00-{TRACE}-00f067aa0ba902b7-00"
CANARY = "canaryword"


@pytest.fixture
def collector() -> Iterator[Collector]:
    """It listens on this machine."""
    with collecting() as found:
        yield found


@asynccontextmanager
async def recorded(home: Path, url: str) -> AsyncIterator[tuple[FaultMaven, httpx2.AsyncClient]]:
    """An installation that tells a collector, and a client of it; at the end all that is left is handed over."""
    settings = load_settings(
        {
            "FM_HOME": str(home),
            "FM_OTLP_URL": url,
            "FM_OTLP_HEADERS": f"x-key={CANARY}-header",
            "FM_OTLP_SERVICE": "faultmaven-test",
        }
    )
    async with FaultMaven.open(settings) as fm:
        app = create_app(fm.application, settings.http, authenticator=Table({CANARY: principal("acme", "ann")}))
        async with client_of(app, CANARY) as client:
            yield fm, client


async def ended(fm: FaultMaven, operation: str) -> None:
    """Wait until the jobs of an operation have ended."""
    caller = principal("acme", "ann").caller
    while True:
        jobs = (await fm.jobs.list(ListJobs(operation=operation), caller)).jobs
        if jobs and all(job.finished_at for job in jobs):
            return
        await fm.application.runner.run_due()


def tree(collector: Collector, root: Received) -> list[str]:
    """The names within a span, each after that within which it began."""
    found: list[str] = []
    for span in collector.within(root):
        found += [span.name, *tree(collector, span)]
    return found


async def test_a_request_is_told_with_what_it_called(tmp_path: Path, collector: Collector) -> None:
    """The client's trace goes on; the answer names the span, and its request id ends with it."""
    async with recorded(tmp_path, collector.url) as (_, client):
        made = await client.post("/api/v1/cases", json={"title": "x"}, headers={"traceparent": CLIENTS})
        assert made.status_code == 201
        missing = await client.get("/api/v1/cases/case_000000000000")
        assert missing.status_code == 404
        assert (await client.get("/health/ready")).status_code == 200
    request = collector.wait_for("POST /api/v1/cases")
    assert (request.kind, request.trace, request.parent) == ("server", TRACE, "00f067aa0ba902b7")
    assert request.traceparent[:-2] == made.headers["traceparent"][:-2]
    assert made.headers["x-request-id"].endswith(request.id)
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/api/v1/cases",
        "http.response.status_code": 201,
        "url.scheme": "http",
        "faultmaven.request": made.headers["x-request-id"],
        "faultmaven.organization": "acme",
    }
    assert request.resource["service.name"] == "faultmaven-test"
    (operation,) = [span for span in collector.within(request) if span.name == "case.open"]
    (unit,) = collector.within(operation)[:1]
    assert (unit.name, unit.kind) == ("database.cases", "client")
    assert unit.attributes == {"faultmaven.port": "database", "faultmaven.backend": "sqlite"}
    assert "rate_limits.hit" in tree(collector, request)
    lost = collector.named("GET /api/v1/cases/{case_id}")[0]
    assert (lost.attributes["error.type"], lost.failed, lost.trace == TRACE) == ("not_found", False, False)
    assert not [span for span in collector.spans if "health" in span.name or "ping" in span.name]


async def test_a_job_goes_on_in_the_trace_of_who_asked_for_it(tmp_path: Path, collector: Collector) -> None:
    """From the request over the queue to what the job calls, and to the jobs that it asks for."""
    async with recorded(tmp_path, collector.url) as (fm, client):
        file = {"file": ("book.md", f"# Restart\n\nRestart the {CANARY} pod.\n".encode(), "text/markdown")}
        sent = await client.post("/api/v1/knowledge/documents", files=file, headers={"traceparent": CLIENTS})
        assert sent.status_code < 300, sent.text
        await ended(fm, "knowledge.ingest")
    job = collector.wait_for("job knowledge.ingest")
    assert (job.kind, job.trace) == ("consumer", TRACE)
    assert job.attributes["faultmaven.attempt"] == 1
    assert {"knowledge.ingest", "blobs.open", "database.knowledge"} <= set(tree(collector, job))
    (asked,) = [span for span in collector.spans if span.id == job.parent]
    assert asked.trace == TRACE
    assert not collector.named("database.jobs.claim"), "To look for work is no part of any."


async def test_no_trace_holds_what_people_wrote_nor_what_they_keep_secret(tmp_path: Path, collector: Collector) -> None:
    """Titles, evidence, questions, names of files, tokens, queries and the collector's own key: of none a word leaves."""
    async with recorded(tmp_path, collector.url) as (fm, client):
        case = (await client.post("/api/v1/cases", json={"title": CANARY, "description": CANARY})).json()["case_id"]
        log = f"2026-03-02T14:00:00Z ERROR {CANARY} token=sk-{CANARY}\n".encode()
        evidence = {"file": (f"{CANARY}.log", log, "text/plain")}
        assert (await client.post(f"/api/v1/cases/{case}/evidence", files=evidence)).status_code < 300
        turn = await client.post(f"/api/v1/cases/{case}/turns", data={"query": f"why {CANARY}?"})
        assert turn.status_code < 300, turn.text
        await client.get(f"/api/v1/cases/{CANARY}?search={CANARY}", headers={"x-request-id": CANARY})
        await client.get(f"/{CANARY}", headers={"user-agent": CANARY, "cookie": CANARY})
        await client.post("/api/v1/auth/login", json={"username": CANARY, "password": CANARY})
        await client.request(CANARY.upper(), "/api/v1/cases")
        await client.post("/api/v1/cases", json={CANARY: CANARY}, headers={"authorization": f"Bearer {CANARY}x"})
        await fm.application.runner.run_due()
    assert len(collector.spans) > 20
    everything = json.dumps([repr(span) for span in collector.spans]) + repr(collector.bodies)
    assert CANARY not in everything.lower()
    assert all(not span.words for span in collector.spans)


async def test_without_a_collector_nothing_is_wrapped_and_a_job_still_knows_its_trace(tmp_path: Path) -> None:
    """Off costs nothing: the services hold the stores themselves."""
    settings = load_settings({"FM_HOME": str(tmp_path)})
    async with FaultMaven.open(settings) as fm:
        assert not fm.application.telemetry.records
        assert type(fm.application.rate_limiter).__module__ == "faultmaven_adapters.ratelimit.memory"
        assert type(fm.application.probes["database"]).__module__ == "faultmaven_adapters.sql.storage"
        app = create_app(fm.application, settings.http, authenticator=Table({"ann": principal("acme", "ann")}))
        async with client_of(app, "ann") as client:
            case = (await client.post("/api/v1/cases", json={"title": "x"}, headers={"traceparent": CLIENTS})).json()
            gone = await client.delete(f"/api/v1/cases/{case['case_id']}", headers={"traceparent": CLIENTS})
            assert gone.status_code < 300
            (job,) = (await client.get("/api/v1/jobs")).json()["jobs"]
            shown = await fm.jobs.show(ShowJob(job["job_id"]), principal("acme", "ann").caller)
    assert shown.trace == gone.headers["traceparent"]
    assert TRACE in shown.trace
