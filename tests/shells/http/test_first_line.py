"""The thinnest line through the shell: probes, capabilities, a case opened and listed."""

from __future__ import annotations

import httpx2


async def test_a_case_is_opened_and_listed(ann: httpx2.AsyncClient) -> None:
    """From the request to the database and back."""
    opened = await ann.post("/api/v1/cases", json={"title": "Checkout fails"})
    assert opened.status_code == 201, opened.text
    assert opened.json()["title"] == "Checkout fails"
    listed = await ann.get("/api/v1/cases", params={"limit": 50})
    assert [case["case_id"] for case in listed.json()["cases"]] == [opened.json()["case_id"]]


async def test_probes_and_capabilities_answer_anybody(ann: httpx2.AsyncClient) -> None:
    """No token is asked for."""
    for path in ("/health", "/health/live", "/health/ready", "/metrics", "/v1/meta/capabilities"):
        found = await ann.get(path, headers={"Authorization": ""})
        assert found.status_code == 200, (path, found.text)
