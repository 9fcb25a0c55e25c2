"""An investigation over HTTP: asked for, waited for, read, judged."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2
import pytest

from faultmaven import FaultMaven
from faultmaven_core.cases.commands import OpenCase
from faultmaven_core.evidence.commands import AddEvidence
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.ids import OrganizationId, UserId
from tests.shells.http.shell import Made, client_of

ANN = Caller(OrganizationId("acme"), UserId("ann"))
POD = """apiVersion: v1
kind: Pod
metadata: {name: web-1, namespace: shop}
spec: {containers: [{name: web, image: shop/web:1}]}
status:
  phase: Running
  containerStatuses:
  - name: web
    restartCount: 12
    state: {waiting: {reason: CrashLoopBackOff}}
    lastState: {terminated: {reason: OOMKilled, exitCode: 137, finishedAt: "2026-03-02T14:05:01Z"}}
"""


@pytest.fixture
async def case_id(fm: FaultMaven, tmp_path: Path) -> str:
    """A case with a pod that ran out of memory."""
    (tmp_path / "pod.yaml").write_text(POD)
    opened = await fm.cases.open(OpenCase("Why does web restart?"), ANN)
    await fm.evidence.add(AddEvidence(opened.case_id, str(tmp_path / "pod.yaml")), ANN)
    return opened.case_id


async def investigated(ann: httpx2.AsyncClient, case_id: str) -> httpx2.Response:
    """The job's last answer."""
    asked = await ann.post(f"/api/v1/cases/{case_id}/investigations", json={})
    assert asked.status_code == 202, asked.text
    place = asked.headers["location"]
    assert place == f"/api/v1/jobs/{asked.json()['job_id']}"
    async with asyncio.timeout(60):
        while (answer := await ann.get(place)).status_code == 202:
            assert int(answer.headers["retry-after"]) > 0
            await asyncio.sleep(0.05)
    return answer


async def test_a_case_is_investigated_in_the_background_and_reported(ann: httpx2.AsyncClient, case_id: str) -> None:
    """202 and a place to look at, then the report in three forms, and a person's word on it."""
    answer = await investigated(ann, case_id)
    assert (answer.status_code, answer.json()["status"]) == (200, "completed"), answer.text
    report = await ann.get(f"/api/v1/cases/{case_id}/report")
    assert report.headers["content-type"].startswith("text/markdown")
    assert "OOM" in report.text or "memory" in report.text
    page = await ann.get(f"/api/v1/cases/{case_id}/report?format=html")
    assert page.headers["content-type"].startswith("text/html")
    (policy,) = page.headers.get_list("content-security-policy")
    assert {"sandbox", "style-src 'unsafe-inline'", "frame-ancestors 'none'"} <= set(policy.split("; "))
    assert "<script" not in page.text.lower()
    record = (await ann.get(f"/api/v1/cases/{case_id}/record")).json()
    assert record["root_cause"]["entity"]["name"] == "web-1"
    judged = await ann.post(f"/api/v1/cases/{case_id}/confirm", json={"note": "Right."})
    assert judged.status_code == 200
    closed = await ann.post(f"/api/v1/cases/{case_id}/close", json={"reason": "resolved"})
    assert closed.json()["state"] == "resolved"
    again = await ann.post(f"/api/v1/cases/{case_id}/investigations", json={})
    assert again.status_code == 409
    kinds = [entry["kind"] for entry in (await ann.get(f"/api/v1/cases/{case_id}/journal")).json()["entries"]]
    assert kinds.count("cause_confirmed") == 1


async def test_the_same_key_asks_for_one_investigation(ann: httpx2.AsyncClient, case_id: str) -> None:
    """Also when the first one is done."""
    place = f"/api/v1/cases/{case_id}/investigations"
    first = await ann.post(place, json={}, headers={"idempotency-key": "press-0001"})
    again = await ann.post(place, json={}, headers={"idempotency-key": "press-0001"})
    assert first.json()["job_id"] == again.json()["job_id"]


async def test_a_stranger_finds_neither_case_nor_job(made: Made, ann: httpx2.AsyncClient, case_id: str) -> None:
    """As if they had never been."""
    job = (await ann.post(f"/api/v1/cases/{case_id}/investigations", json={})).json()["job_id"]
    async with client_of(made(), "bob") as bob:
        for method, place in (
            ("POST", f"/api/v1/cases/{case_id}/investigations"),
            ("GET", f"/api/v1/cases/{case_id}/report"),
            ("GET", f"/api/v1/cases/{case_id}/record"),
            ("GET", f"/api/v1/cases/{case_id}/guidance"),
            ("GET", f"/api/v1/cases/{case_id}/journal"),
            ("POST", f"/api/v1/cases/{case_id}/confirm"),
            ("POST", f"/api/v1/cases/{case_id}/close"),
            ("POST", f"/api/v1/cases/{case_id}/restore"),
            ("GET", f"/api/v1/jobs/{job}"),
            ("POST", f"/api/v1/jobs/{job}/cancel"),
            ("POST", f"/api/v1/jobs/{job}/retry"),
        ):
            assert (await bob.request(method, place)).status_code == 404, place
        assert (await bob.get("/api/v1/jobs")).json()["jobs"] == []


async def test_whoever_may_only_read_starts_nothing(made: Made, case_id: str) -> None:
    """But sees what others found."""
    async with client_of(made(), "vic") as vic:
        assert (await vic.post(f"/api/v1/cases/{case_id}/investigations", json={})).status_code == 403
        assert (await vic.get(f"/api/v1/cases/{case_id}/journal")).status_code == 200
