"""What later screens of the dashboard read: finding cases, their reports, and putting cases away."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx2

from faultmaven_core.shared.clock import FixedClock
from tests.shells.http.clients.fields import TEXT, TIME, check
from tests.shells.http.clients.test_conversations import CASE, CASES, DETAIL, opened, transition, turn
from tests.shells.http.clients.test_extension import POD

LOOK_SECONDS = 0.02
REPORT = {
    "report_id": TEXT,
    "case_id": CASE["case_id"],
    "report_type": frozenset(("incident_report", "resolution_summary", "closure_summary")),
    "title": TEXT,
    "content": str,
    "format": "markdown",
    "status": "completed",
    "generated_at": TIME,
    "is_current": True,
    "formats": [frozenset(("md", "html", "json"))],
    "version": int,
}
JOB = {
    "job_id": TEXT,
    "operation": "investigation.run",
    "status": frozenset(("queued", "running", "completed", "failed", "cancelled")),
    "done": int,
    "total": int,
    "progress": (None, float),
    "doing": str,
    "attempts": int,
    "created_at": TIME,
    "started_at": (None, TIME),
    "finished_at": (None, TIME),
    "requested_by": "ann",
    "cancel_requested": False,
    "error": None,
    "result": (None, dict),
}


async def test_cases_are_found_as_a_bare_list(ann: httpx2.AsyncClient) -> None:
    """Each as a row of the list has it; nothing found is an empty list."""
    for title in ("Checkout answers 503", "Search is slow"):
        await ann.post("/api/v1/cases", json={"title": title})
    found = await ann.post("/api/v1/cases/search", json={"query": "checkout", "page": 0, "page_size": 20})
    check(found.json(), [CASE])
    assert [row["title"] for row in found.json()] == ["Checkout answers 503"]
    assert (await ann.post("/api/v1/cases/search", json={"query": "nothing such"})).json() == []


async def test_a_case_is_put_away_and_taken_back(ann: httpx2.AsyncClient) -> None:
    """It is listed only where archived ones are asked for, and told when it was put away."""
    address = await opened(ann)
    assert (await ann.post(f"{address}/archive")).is_success
    check((await ann.get(address)).json(), DETAIL | {"archived_at": TIME})
    usual = (await ann.get("/api/v1/cases?page=0&page_size=20")).json()
    check(usual, CASES)
    assert usual["cases"] == []
    everything = (await ann.get("/api/v1/cases?page=0&page_size=20&include_archived=true")).json()
    check(everything, CASES)
    assert everything["total_count"] == 1
    assert (await ann.post(f"{address}/unarchive")).is_success
    check((await ann.get(address)).json(), DETAIL | {"archived_at": None})


async def test_lists_are_cut_down_by_time_and_by_what_was_said(ann: httpx2.AsyncClient, clock: FixedClock) -> None:
    """From a moment on and up to one, of cases' opening; those that waited long for a first turn can be left out."""
    old = await opened(ann)
    told = await opened(ann)
    await turn(ann, told, query="Checkout is slow.")
    clock.advance(timedelta(hours=1))
    noon, later = "2026-03-01T12:00:00Z", "2026-03-01T12:30:00Z"
    new = await opened(ann)
    for query, wanted in (
        ({}, [new, told, old]),
        ({"include_empty": "true"}, [new, told, old]),
        ({"include_empty": "false"}, [new, told]),
        ({"date_from": later}, [new]),
        ({"date_to": later}, [told, old]),
        ({"date_from": noon, "date_to": later, "include_empty": "false"}, [told]),
        ({"date_to": "2026-03-01T11:59:59Z"}, []),
    ):
        found = (await ann.get("/api/v1/cases", params=query)).json()
        check(found, CASES)
        assert [f"/api/v1/cases/{row['case_id']}" for row in found["cases"]] == wanted, query
        assert found["total_count"] == len(wanted), query


async def test_reports_are_a_bare_list_and_files(ann: httpx2.AsyncClient) -> None:
    """None at first; then the one of the incident, and after its end also that of the end."""
    address = await opened(ann)
    assert (await ann.get(f"{address}/reports")).json() == []
    await turn(ann, address, [("files", ("pod.yaml", POD))], query="Why does web restart?")
    written = await ann.post(f"{address}/reports", json={"report_types": ["incident_report"]})
    assert written.is_success, written.text
    check(written.json(), [REPORT])
    await turn(ann, address, **transition("investigating", "closed"))
    rows: list[dict[str, Any]] = (await ann.get(f"{address}/reports")).json()
    check(rows, [REPORT])
    assert len(rows) == 2
    for row in rows:
        file = await ann.get(f"{address}/reports/{row['report_id']}/download")
        assert re.fullmatch(r'attachment; filename="?[^";]+"?.*', file.headers["content-disposition"])
        assert file.text.startswith("#")


async def test_a_job_is_looked_at_until_it_is_done(ann: httpx2.AsyncClient) -> None:
    """202 while it is at work, then 200; the same members all the way."""
    address = await opened(ann)
    await turn(ann, address, [("files", ("pod.yaml", POD))], query="Why does web restart?")
    begun = await ann.post(f"{address}/investigations", json={})
    assert begun.status_code == 202
    check(begun.json(), JOB)
    async with asyncio.timeout(60):
        while True:
            seen = await ann.get(begun.headers["location"])
            check(seen.json(), JOB)
            if seen.status_code != 202:
                break
            await asyncio.sleep(LOOK_SECONDS)
    assert (seen.status_code, seen.json()["status"]) == (200, "completed")
    assert seen.json()["finished_at"]
