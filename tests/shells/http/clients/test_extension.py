"""The browser extension against a real server, from its first start to its end, as it was observed."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from faultmaven import FaultMaven
from faultmaven_core.shared.clock import FixedClock
from faultmaven_http.app import create_app
from tests.shells.http.clients.calling import EXTENSION, JSON, Extension, page_of
from tests.shells.http.clients.conftest import Installed
from tests.shells.http.clients.fields import check
from tests.shells.http.clients.test_sign_in_page import ASKED, BACK, VERIFIER, filled
from tests.shells.http.clients.test_sign_in_page import told as back_with
from tests.shells.http.clients.test_signing_in import TOKEN, TOKENS

REVOKE = "/api/v1/auth/oauth/revoke"
PASSWORD = "wide river, 7 old lanterns"
LOG = "".join(f"2026-03-02T14:00:{n:02d}Z ERROR checkout: connection refused to payments:8443\n" for n in range(40))
POD = b"""apiVersion: v1
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
async def extension(fm: FaultMaven, clock: FixedClock) -> AsyncIterator[Extension]:
    """A fresh profile; Ann has an account."""
    app = create_app(fm.application, fm.settings.http)
    async with page_of(app, EXTENSION, clock) as page:
        ann = {"username": "ann", "email": "ann@example.org", "display_name": "Ann", "password": PASSWORD}
        assert (await page.server.post("/api/v1/auth/register", json=ann)).status_code == 201
        yield Extension(page)


async def started(extension: Extension) -> list[dict[str, Any]]:
    """The first eight steps: from a fresh profile to the list of cases."""
    assert (await extension.call("GET", "/v1/meta/capabilities")).body["deploymentMode"] == "self-hosted"
    assert (await extension.begin()).status == 401
    assert (await extension.call("GET", "/api/v1/auth/config")).body["auth_mode"] == "local"
    assert (await extension.sign_in("ann", PASSWORD)).status == 200
    assert (await extension.call("GET", "/v1/meta/capabilities")).status == 200
    assert (await extension.call("GET", "/api/v1/cases?limit=50")).body["cases"] == []
    assert (await extension.begin()).status == 201
    assert (await extension.call("GET", "/api/v1/auth/me")).body["organization"]["name"]
    cases: list[dict[str, Any]] = (await extension.call("GET", "/api/v1/cases?limit=100&offset=0")).body["cases"]
    return cases


async def test_from_the_first_start_to_an_answer(extension: Extension) -> None:
    """Eighteen steps, each with what the extension reads of it, and each status as it expects it."""
    assert await started(extension) == []
    opened = await extension.call("POST", "/api/v1/cases", key="case", json={"title": None, "priority": "low"})
    assert opened.status == 201
    assert opened.body["source"] == "copilot"
    case_id, title = opened.body["case_id"], opened.body["title"]
    assert re.fullmatch(r"Case-\d{6}-\d+", title)
    one = f"/api/v1/cases/{case_id}"

    screen, listed, answered = await asyncio.gather(
        extension.call("GET", f"{one}/ui"),
        extension.call("GET", "/api/v1/cases?limit=100&offset=0"),
        extension.turn(case_id, query="Since noon checkout answers 503. Why?"),
    )
    assert screen.body["state"] == "inquiry"
    assert [row["case_id"] for row in listed.body["cases"]] == [case_id]
    assert answered.status == 200, answered.content
    assert answered.body["agent_response"].strip()
    assert answered.body["attachments_processed"] == []
    screen = await extension.call("GET", f"{one}/ui")
    assert screen.body["current_turn"] == answered.body["turn_number"] == 1

    await clicked(extension, case_id, answered.body)
    sent = await extension.turn(
        case_id, query="This is the pod.", input_type="file", files=("pod.yaml", POD, "text/plain")
    )
    assert sent.status == 200, sent.content
    (attachment,) = sent.body["attachments_processed"]
    await read_back(extension, one, attachment)

    listed = await extension.call("GET", "/api/v1/cases?limit=100&offset=0")
    assert listed.body["cases"][0]["state"] == sent.body["case_state"] == "investigating"
    assert listed.body["cases"][0]["title"] != title
    await closed(extension, case_id)

    held = (await extension.call("GET", f"{one}/messages?limit=100")).body["messages"]
    row = (await extension.call("GET", one)).body
    assert (row["state"], row["is_terminal"]) == ("closed", True)
    rest = await extension.call("GET", f"{one}/messages?limit=100&offset={len(held)}")
    assert rest.body["messages"] == []
    assert (await extension.call("GET", f"{one}/ui")).body["state"] == "closed"
    assert (await extension.call("PUT", one, json={"title": "Web runs out of memory"})).status == 200
    assert (await extension.call("GET", f"{one}/ui")).body["title"] == "Web runs out of memory"
    gone = await extension.call("DELETE", one)
    assert (gone.status, gone.content) == (204, b"")
    assert (await extension.call("GET", "/api/v1/cases?limit=100&offset=0")).body["cases"] == []
    await extension.call("GET", "/api/v1/auth/config")
    assert (await extension.call("POST", "/api/v1/auth/logout")).body["all_sessions_ended"] is True
    statuses = [status for _, path, status in extension.page.calls if "/auth/" not in path]
    assert statuses.count(401) == 1, "only the session that was asked for before the sign-in"
    assert max(status for status in statuses if status != 401) < 300


async def clicked(extension: Extension, case_id: str, answer: dict[str, Any]) -> None:
    """A click sends a suggestion's message and its intent, if it has one."""
    clickable = [one for one in answer["suggested_actions"] or [] if one["type"] == "DECIDE"]
    for one in answer["suggested_actions"] or []:
        assert one["type"] in {"DECIDE", "RUN", "EVIDENCE", "FREE_SPEECH"}
        assert one["label"]
        assert one["hints"] is None or isinstance(one["hints"], list)
    assert clickable, answer
    chosen = clickable[0]
    assert chosen["payload"]
    form = {"query": chosen["payload"]}
    if chosen["intent"]:
        form |= {"intent_type": chosen["intent"]["type"], "intent_data": json.dumps(chosen["intent"])}
    taken = await extension.turn(case_id, **form)
    assert taken.status == 200, taken.content
    assert taken.body["turn_number"] == answer["turn_number"] + 1


async def read_back(extension: Extension, one: str, attachment: dict[str, Any]) -> None:
    """The panel of files, and one of them."""
    files = (await extension.call("GET", f"{one}/uploaded-files")).body
    (row,) = files["files"]
    assert files["total_count"] == 1
    assert row["file_id"] == attachment["file_id"]
    assert (row["filename"], row["size_bytes"], row["uploaded_at_turn"]) == ("pod.yaml", len(POD), 3)
    detail = (await extension.call("GET", f"{one}/uploaded-files/{row['file_id']}")).body
    screen = (await extension.call("GET", f"{one}/ui")).body
    assert screen["uploaded_files_count"] == 1
    assert detail["evidence_count"] == row["evidence_count"] == len(detail["derived_evidence"])
    assert screen["progress"]["total_evidence"] == row["evidence_count"]


async def closed(extension: Extension, case_id: str) -> None:
    """The menu of the header."""
    intent = {"from_state": "investigating", "to_state": "closed", "user_confirmed": True}
    form = {"query": "Close this case", "intent_type": "status_transition", "intent_data": json.dumps(intent)}
    done = await extension.turn(case_id, **form)
    assert (done.status, done.body["case_state"]) == (200, "closed")


async def test_after_so_many_turns_there_are_twice_so_many_rows(extension: Extension) -> None:
    """The extension asks for what comes after the rows that it holds, so none may move, vanish or come between."""
    await started(extension)
    opened = await extension.call("POST", "/api/v1/cases", key="case", json={"title": None, "priority": "low"})
    case_id = opened.body["case_id"]
    held: list[dict[str, Any]] = []
    sent: list[dict[str, Any]] = [
        {"query": "Checkout is slow."},
        {"pasted_content": LOG, "input_type": "paste"},
        {"files": ("app.log", LOG.encode(), "text/plain"), "input_type": "file"},
        {"query": ""},
        {"query": "What do you know?"},
    ]
    turns = 0
    for form in sent:
        turns += (await extension.turn(case_id, **form)).status == 200
        page = (await extension.call("GET", f"/api/v1/cases/{case_id}/messages?limit=100&offset={len(held)}")).body
        held += page["messages"]
        said = [row for row in held if row["role"] != "system"]
        assert [(row["role"], row["turn_number"]) for row in said] == [
            (role, turn) for turn in range(1, turns + 1) for role in ("user", "assistant")
        ]
        assert all(row["content"].strip() for row in held)
    assert turns == 4
    again = (await extension.call("GET", f"/api/v1/cases/{case_id}/messages?limit=100")).body
    assert again["messages"] == held
    assert len({row["message_id"] for row in held}) == len(held)


async def test_where_a_browser_is_needed_the_extension_signs_in_by_the_page(
    installed: Installed, clock: FixedClock
) -> None:
    """It opens the page, takes the code from the address at the end, stays signed in, and gives its tokens back."""
    fm = await installed(FM_AUTH_MODE="oauth", FM_DASHBOARD_URL="http://localhost:8090")
    async with page_of(create_app(fm.application, fm.settings.http), EXTENSION, clock) as page:
        ann = {"username": "ann", "email": "ann@example.org", "display_name": "Ann", "password": PASSWORD}
        assert (await page.server.post("/api/v1/auth/register", json=ann)).status_code == 201
        told = (await page.fetch("GET", "/api/v1/auth/config", JSON)).body
        assert told["auth_mode"] == "oauth"
        asked = ASKED | {"client_id": told["oauth"]["client_id"], "scope": " ".join(told["oauth"]["scopes"])}
        place = urlsplit(told["oauth"]["authorize_url"]).path
        form = filled(await page.server.get(place, params=asked), "allow", username="ann", password=PASSWORD)
        code = back_with(await page.server.post(place, data=form))["code"]
        grant = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "redirect_uri": BACK}
        tokens = await page.fetch("POST", TOKEN, JSON, json=grant | {"client_id": "faultmaven-copilot"})
        check(tokens.body, TOKENS)
        extension = Extension(page, tokens.body)
        assert (await extension.call("GET", "/api/v1/auth/me")).body["user_id"] == tokens.body["user_id"]
        assert (await extension.begin()).status == 201
        opened = await extension.call("POST", "/api/v1/cases", key="case", json={"title": None})
        assert (await extension.turn(opened.body["case_id"], query="Checkout answers 503.")).status == 200
        kept = {"refresh_token": tokens.body["refresh_token"], "client_id": "faultmaven-copilot"}
        renewed = await page.fetch("POST", TOKEN, JSON, json=kept | {"grant_type": "refresh_token"})
        check(renewed.body, TOKENS)
        extension.tokens = renewed.body
        left = {"token": renewed.body["refresh_token"], "token_type_hint": "refresh_token"}
        gone = await page.fetch("POST", REVOKE, JSON, json=left | {"client_id": "faultmaven-copilot"})
        assert gone.status == 200
        assert (await extension.call("GET", "/api/v1/auth/me")).status == 401
