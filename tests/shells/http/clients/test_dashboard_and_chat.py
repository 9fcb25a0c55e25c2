"""The dashboard and the Slack agent against a real server, as they were observed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from faultmaven import FaultMaven
from faultmaven_core.shared.clock import FixedClock
from faultmaven_http.app import create_app
from tests.shells.http.clients.calling import DASHBOARD, JSON, Page, page_of
from tests.shells.http.clients.fields import TEXT, check
from tests.shells.http.clients.test_rules import PROBLEM

RUNBOOK = b"# Redis\n\nWhen redis answers OOM command not allowed, raise maxmemory or evict keys.\n"
ALERT = "FIRING: CheckoutErrors\n" + "2026-03-01T11:59:01Z ERROR checkout: connection refused to payments:8443\n" * 30
MOST_IN_A_BUTTON = 1900


@pytest.fixture
async def page(fm: FaultMaven, clock: FixedClock) -> AsyncIterator[Page]:
    """A page of the dashboard."""
    async with page_of(create_app(fm.application, fm.settings.http), DASHBOARD, clock) as opened:
        yield opened


async def test_the_dashboard_keeps_documents(page: Page, clock: FixedClock) -> None:
    """It signs in by name, lists, uploads and deletes its own and everybody's documents, and signs out."""
    signed = (await page.fetch("POST", "/api/v1/auth/dev-login", JSON, json={"username": "dora"})).body
    assert signed["expires_at"] > clock.now().timestamp() * 1000
    assert "admin" in signed["user"]["roles"], "the first user of an installation keeps everybody's documents"
    who = {
        "Authorization": f"Bearer {signed['access_token']}",
        "X-User-ID": signed["user"]["user_id"],
        "X-User-Roles": ",".join(signed["user"]["roles"]),
    }
    for place, upload, scope in (
        ("/api/v1/documents", "/api/v1/documents/upload", "personal"),
        ("/api/v1/admin/kb/documents", "/api/v1/admin/kb/documents", "global"),
    ):
        for _ in range(2):
            assert (await page.fetch("GET", f"{place}?limit=20&offset=0", who)).body["documents"] == []
        form = {"title": "Redis is full", "document_type": "guide", "tags": "redis, cache"}
        sent = await page.fetch("POST", upload, who, data=form, files={"file": ("redis.md", RUNBOOK)})
        assert sent.status in (200, 201)
        (row,) = (await page.fetch("GET", f"{place}?limit=20&offset=0", who)).body["documents"]
        assert (row["document_id"], row["scope"]) == (sent.body["document_id"], scope)
        assert row["title"].lower() == "redis is full"
        assert row["tags"] == ["redis", "cache"]
        gone = await page.fetch("DELETE", f"{place}/{row['document_id']}", who)
        assert (gone.status, gone.content) == (204, b"")
        left = (await page.fetch("GET", f"{place}?limit=20&offset=0", who)).body
        assert (left["documents"], left["total_count"]) == ([], 0)
    token = {"Authorization": who["Authorization"]}
    assert (await page.fetch("POST", "/v1/auth/logout", token)).status == 200
    assert (await page.fetch("GET", "/api/v1/documents?limit=20&offset=0", who)).status == 401


class Agent:
    """The Slack agent: no browser, no keys, no session; one case per thread."""

    def __init__(self, server: httpx2.AsyncClient) -> None:
        self.server, self.tokens = server, dict[str, Any]()
        self.thread = ""

    async def start(self) -> None:
        """Its checks before it listens to anybody."""
        health = await self.server.get("/health")
        assert health.json()["status"] == "healthy"
        signed = await self.server.post("/api/v1/auth/dev-login", json={"username": "slack"})
        self.tokens = signed.json()
        assert (await self.server.get("/api/v1/auth/me", headers=self.bearer)).status_code == 200

    @property
    def bearer(self) -> dict[str, str]:
        """The header of its token."""
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}

    async def renew(self) -> httpx2.Response:
        """By the refresh grant, as a form."""
        grant = {
            "grant_type": "refresh_token",
            "refresh_token": self.tokens["refresh_token"],
            "client_id": "faultmaven-slack-agent",
        }
        answer = await self.server.post("/api/v1/auth/oauth/token", data=grant)
        if answer.status_code == 200:
            self.tokens = answer.json()
        return answer

    async def say(self, files: Any = None, **form: str) -> httpx2.Response:
        """A message of the thread: a turn, in a case that is opened with the first one, or anew where it is gone."""
        for _ in range(2):
            if not self.thread:
                opened = await self.server.post("/api/v1/cases", json={"title": None}, headers=self.bearer)
                self.thread = opened.json()["case_id"]
            path = f"/api/v1/cases/{self.thread}/turns"
            answer = await self.server.post(path, data=form, files=files, headers=self.bearer)
            if answer.status_code == 401:
                assert (await self.renew()).status_code == 200
            elif answer.status_code == 404:
                self.thread = ""
            else:
                break
        return answer


@pytest.fixture
async def agent(page: Page) -> Agent:
    """One that has started."""
    agent = Agent(page.server)
    await agent.start()
    return agent


async def test_the_agent_answers_a_thread(agent: Agent) -> None:
    """Text as a form, an alert with a file and its page, and a button of the answer, pressed."""
    first = await agent.say(query="Checkout answers 503 since noon.")
    assert (first.status_code, first.json()["turn_number"]) == (200, 1)
    told = {
        "query": "This is the alert.",
        "pasted_content": ALERT,
        "input_type": "paste",
        "source_url": "https://acme.slack.com/archives/C1/p1764000000000100",
        "observed_at": "2026-03-01T13:00:00+01:00",
    }
    second = await agent.say(files={"files": ("checkout.log", ALERT.encode(), "text/plain")}, **told)
    assert second.status_code == 200, second.text
    assert len(second.json()["attachments_processed"]) == 2
    case_id = agent.thread
    pressed = 0
    for one in second.json()["suggested_actions"] or []:
        if one["type"] == "DECIDE":
            button = json.dumps({"payload": one["payload"], "intent": one["intent"], "case_id": case_id})
            assert len(button) <= MOST_IN_A_BUTTON
            assert len(one["label"]) <= 75
            data = {**(one["intent"] or {}), "user_confirmed": True}
            form = {"query": one["payload"], "intent_type": data.get("type", ""), "intent_data": json.dumps(data)}
            for _ in range(2):  # Slack delivers a press again
                assert (await agent.say(**form)).status_code in (200, 409)
            pressed += 1
    assert pressed
    assert agent.thread == case_id, "no press made the agent forget its case"
    rows = (await agent.server.get(f"/api/v1/cases/{case_id}/messages?limit=100", headers=agent.bearer)).json()
    assert rows["messages"][0]["content"] == "Checkout answers 503 since noon."


async def test_the_agent_finds_its_way_out_of_trouble(agent: Agent, clock: FixedClock) -> None:
    """An old token is renewed; a closed case is told as such, a deleted one forgotten; a refused renewal ends it.

    A button that is pressed again, as Slack delivers it, changes nothing more.
    """
    await agent.say(query="Checkout answers 503.")
    first = agent.thread
    used = agent.tokens["refresh_token"]
    assert (await agent.renew()).status_code == 200
    assert agent.tokens["refresh_token"] != used
    clock.advance(timedelta(hours=9))
    assert (await agent.say(query="And now?")).status_code == 200
    assert agent.thread == first
    intent = json.dumps(
        {"type": "status_transition", "from_state": "inquiry", "to_state": "closed", "user_confirmed": True}
    )
    closing = {"query": "Close", "intent_type": "status_transition", "intent_data": intent}
    pressed = await agent.say(**closing)
    assert (pressed.status_code, pressed.json()["case_state"]) == (200, "closed")
    again = await agent.say(**closing)
    assert (again.status_code, agent.thread) == (409, first)
    assert "x-error-code" not in again.headers
    check(again.json(), PROBLEM | {"status": 409, "code": "", "errors": []})
    assert (await agent.say(query="What was it?")).json()["case_state"] == "closed"
    late = await agent.say(files={"files": ("a.log", b"2026-03-01 x\n", "text/plain")}, query="See")
    assert late.status_code == 409
    assert "x-error-code" not in late.headers
    check(late.json(), PROBLEM | {"status": 409, "code": "", "errors": []})
    rows = (await agent.server.get(f"/api/v1/cases/{first}/messages", headers=agent.bearer)).json()
    assert rows["total_count"] == 2 * 4, "what was refused has added no row"
    await agent.server.delete(f"/api/v1/cases/{first}", headers=agent.bearer)
    gone = await agent.server.post(f"/api/v1/cases/{first}/turns", data={"query": "Hello?"}, headers=agent.bearer)
    assert gone.status_code == 404
    check(gone.json(), PROBLEM | {"status": 404, "errors": []})
    assert (await agent.say(query="Something new")).status_code == 200
    assert agent.thread != first
    agent.tokens["refresh_token"] = used
    refused = await agent.renew()
    assert refused.status_code == 400
    check(refused.json(), PROBLEM | {"status": 400, "error": "invalid_grant", "error_description": TEXT, "errors": []})
