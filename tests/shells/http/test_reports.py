"""Reports of a case by type: which there are, what they say, and what they never do."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest

from faultmaven import FaultMaven
from faultmaven_core.jobs.commands import ListJobs
from faultmaven_core.knowledge.commands import AddDocumentContent
from tests.attacks.installation import pieces
from tests.shells.http.shell import Made, client_of
from tests.shells.http.test_case_lists import ANN
from tests.shells.http.test_investigations import POD
from tests.shells.http.test_turns import check

ROW = {
    "report_id": str,
    "case_id": str,
    "report_type": str,
    "title": str,
    "status": str,
    "format": str,
    "formats": list,
    "version": int,
    "is_current": bool,
    "generated_at": str,
    "content": str,
}
RUNBOOK = """# Pods that are OOMKilled

When a container is OOMKilled its memory limit is too low, or it leaks memory: raise the memory limit of the container.
"""


@pytest.fixture
async def address(ann: httpx2.AsyncClient) -> str:
    """A case in which a pod was found to be out of memory."""
    address = f"/api/v1/cases/{(await ann.post('/api/v1/cases', json={'title': 'Web restarts'})).json()['case_id']}"
    files = {"files": ("pod.yaml", POD.encode())}
    check(await ann.post(f"{address}/turns", data={"query": "Why does web restart?"}, files=files))
    return address


async def rows(client: httpx2.AsyncClient, address: str) -> list[dict[str, Any]]:
    """The reports, with all their members."""
    found: list[dict[str, Any]] = (await client.get(f"{address}/reports")).json()
    for row in found:
        assert {name: type(row[name]) for name in ROW} == ROW
        assert (row["status"], row["format"], row["is_current"]) == ("completed", "markdown", True)
        assert row["generated_at"].endswith("Z")
    return found


async def test_reports_are_listed_written_and_fetched(ann: httpx2.AsyncClient, address: str) -> None:
    """Without anything around the rows; each in its forms, to be kept as a file."""
    (row,) = await rows(ann, address)
    assert (row["report_type"], row["content"]) == ("incident_report", "")
    written = await ann.post(f"{address}/reports", json={"report_types": ["incident_report", "incident_report"]})
    assert written.status_code == 201
    (fresh,) = written.json()
    assert fresh["report_id"] == row["report_id"]
    assert "memory" in fresh["content"]
    for form, media in (("markdown", "text/markdown"), ("md", "text/markdown"), ("html", "text/html")):
        file = await ann.get(f"{address}/reports/{row['report_id']}/download?format={form}")
        assert file.headers["content-type"].startswith(media)
        assert file.headers["content-disposition"].startswith("attachment; filename=")
        assert file.headers.get_list("content-security-policy")[0].startswith("sandbox")
    assert (await ann.get(f"{address}/reports/{row['report_id']}/download")).text == fresh["content"]
    record = (await ann.get(f"{address}/reports/{row['report_id']}/download?format=json")).json()
    assert record["root_cause"]["entity"]["name"] == "web-1"


async def test_an_ended_case_has_a_summary_of_its_end(ann: httpx2.AsyncClient, address: str) -> None:
    """Of the right kind, with cause, solution and who found it right."""
    await ann.post(f"{address}/confirm", json={"note": "Right."})
    await ann.post(f"{address}/close", json={"reason": "resolved"})
    incident, summary = await rows(ann, address)
    assert (incident["report_type"], summary["report_type"]) == ("incident_report", "resolution_summary")
    text = (await ann.get(f"{address}/reports/{summary['report_id']}/download")).text
    screen = (await ann.get(f"{address}/ui")).json()
    assert text.startswith("# Web restarts\n\nThe case is resolved.")
    assert "A person found it right." in text
    for part in ("## Root cause", "## Solution", "## Verification", "## In numbers"):
        assert part in text
    assert [one["report_type"] for one in screen["reports_available"]] == ["resolution_summary"]
    closure = await ann.post(f"{address}/reports", json={"report_types": ["closure_summary"]})
    assert (closure.status_code, "x-error-code" in closure.headers) == (409, False)


async def test_a_case_that_was_closed_without_evidence_says_so(ann: httpx2.AsyncClient) -> None:
    """There is nothing to tell of an incident; its end is told, and none of its texts is markup."""
    title = "![x](https://evil.example/p.png) <script>"
    address = f"/api/v1/cases/{(await ann.post('/api/v1/cases', json={'title': title})).json()['case_id']}"
    assert await rows(ann, address) == []
    refused = await ann.post(f"{address}/reports", json={"report_types": ["incident_report"]})
    assert refused.status_code == 409
    advice = (await ann.get(f"{address}/report-recommendations")).json()
    assert (advice["available_for_generation"], advice["runbook_recommendation"]["action"]) == ([], "none")
    await ann.post(f"{address}/close", json={"reason": "inquiry_only"})
    (row,) = await rows(ann, address)
    assert row["report_type"] == "closure_summary"
    text = (await ann.get(f"{address}/reports/{row['report_id']}/download")).text
    assert "No cause was found." in text
    assert re.search(r"(?<!\\)(?:<|\]\()", text) is None


@pytest.mark.parametrize(
    ("method", "rest", "body", "status"),
    [
        ("POST", "/reports", {"report_types": []}, 422),
        ("POST", "/reports", {"report_types": ["poem"]}, 422),
        ("POST", "/reports", {}, 422),
        ("GET", "/reports/rep_000000000000/download", None, 404),
        ("GET", "/reports/REPORT/download?format=docx", None, 422),
        ("GET", "/reports/REPORT/download?format=pdf", None, 501),
    ],
)
async def test_what_there_is_none_of_is_told(
    ann: httpx2.AsyncClient, address: str, method: str, rest: str, body: dict[str, Any] | None, status: int
) -> None:
    """In a sentence."""
    (row,) = await rows(ann, address)
    answer = await ann.request(method, address + rest.replace("REPORT", row["report_id"]), json=body)
    assert answer.status_code == status
    assert answer.json()["detail"]


async def test_a_runbook_is_advised_where_there_is_none(ann: httpx2.AsyncClient, address: str, fm: FaultMaven) -> None:
    """And where there is one, that."""
    advice = (await ann.get(f"{address}/report-recommendations")).json()
    assert advice["available_for_generation"] == ["incident_report"]
    assert advice["runbook_recommendation"]["action"] == "generate"
    await fm.knowledge.add_content(AddDocumentContent("oom.md", "global"), pieces(RUNBOOK), ANN)
    while any(job.finished_at is None for job in (await fm.jobs.list(ListJobs(), ANN)).jobs):
        await fm.application.runner.run_due()
    advice = (await ann.get(f"{address}/report-recommendations")).json()["runbook_recommendation"]
    assert advice["action"] == "review_existing"
    assert advice["existing"][0]["name"] == "oom.md"


async def test_nobody_else_reads_a_report(made: Made, ann: httpx2.AsyncClient, address: str) -> None:
    """To another organization the case is not there."""
    (row,) = await rows(ann, address)
    async with client_of(made(), "bob") as bob:
        for rest in ("/reports", f"/reports/{row['report_id']}/download", "/report-recommendations"):
            assert (await bob.get(address + rest)).status_code == 404
        assert (await bob.post(f"{address}/reports", json={"report_types": ["incident_report"]})).status_code == 404
