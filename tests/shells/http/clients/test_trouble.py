"""What the browser extension does when something is refused, without any permission but what CORS gives it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from faultmaven import FaultMaven
from faultmaven_core.investigation.turn_commands import TakeTurn
from faultmaven_core.shared.clock import FixedClock
from faultmaven_http.app import create_app
from tests.shells.http.clients.calling import EXTENSION, JSON, Extension, NetworkError, Page, Seen, page_of
from tests.shells.http.clients.fields import TEXT, check
from tests.shells.http.clients.test_conversations import TURN
from tests.shells.http.clients.test_later_screens import JOB
from tests.shells.http.clients.test_rules import DEAD_SESSION, PROBLEM

LOOK_SECONDS = 0.02
PASSWORD = "wide river, 7 old lanterns"
Started = Callable[..., AbstractAsyncContextManager[tuple[Extension, str]]]
"""Starts the extension of somebody who is signed in and has a case; the limits of the server are the test's."""


@pytest.fixture
def started(fm: FaultMaven, clock: FixedClock) -> Started:
    """See Started."""

    @asynccontextmanager
    async def start(**different: Any) -> AsyncIterator[tuple[Extension, str]]:
        app = create_app(fm.application, replace(fm.settings.http, **different))
        async with page_of(app, EXTENSION, clock) as page:
            ann = {"username": "ann", "email": "ann@example.org", "display_name": "Ann", "password": PASSWORD}
            assert (await page.server.post("/api/v1/auth/register", json=ann)).status_code == 201
            extension = Extension(page)
            await extension.sign_in("ann", PASSWORD)
            await extension.begin()
            opened = await extension.call("POST", "/api/v1/cases", key="case", json={"title": None})
            page.calls.clear()
            yield extension, opened.body["case_id"]

    return start


async def said(extension: Extension, case_id: str) -> list[str]:
    """Who spoke, in order."""
    seen = await extension.call("GET", f"/api/v1/cases/{case_id}/messages?limit=100")
    return [row["role"] for row in seen.body["messages"] if row["role"] != "system"]


async def ended(extension: Extension, place: str) -> Seen:
    """What stands at a place when it is no longer at work."""
    while True:
        seen = await extension.call("GET", place)
        if seen.status != 202:
            return seen
        await asyncio.sleep(LOOK_SECONDS)


async def test_a_turn_that_came_too_soon_is_taken_with_the_same_key(started: Started) -> None:
    """429 with whole seconds, the wait, then 200: each turn is one pair of messages."""
    async with started(rate=20) as (extension, case_id):
        for text in ("First", "Second", "Third"):
            assert (await extension.turn(case_id, query=text)).status == 200
        turns = [status for method, path, status in extension.page.calls if path.endswith("/turns")]
        assert 429 in turns
        assert turns.count(200) == 3
        assert await said(extension, case_id) == ["user", "assistant"] * 3


async def test_a_conflict_is_told_by_what_it_is(
    started: Started, fm: FaultMaven, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A case that changed meanwhile: it is read, and the user sends again under the same key. An ended one: a sentence."""
    async with started() as (extension, case_id):
        keep, first = fm.application.cases.keep_turn, True

        async def overtaken(command: Any, caller: Any) -> Any:
            nonlocal first
            if first:
                first = False
                other = TakeTurn(case_id, "What do you need to know?")
                await fm.application.turns.take(other, replace(caller, request_key=""))
            return await keep(command, caller)

        with monkeypatch.context() as patch:
            patch.setattr(fm.application.cases, "keep_turn", overtaken)
            late = await extension.turn(case_id, key="opt_msg_1764000000000_9", query="Why?")
        assert (late.status, late.headers["x-error-code"]) == (409, "CASE_VERSION_CONFLICT")
        check(late.body, PROBLEM | {"status": 409, "code": "CASE_VERSION_CONFLICT", "errors": []})
        expected, actual = int(late.headers["x-expected-version"]), int(late.headers["x-actual-version"])
        assert expected < actual
        assert (await extension.call("GET", f"/api/v1/cases/{case_id}")).body["current_turn"] == 1
        assert await said(extension, case_id) == ["user", "assistant"]
        assert (await extension.turn(case_id, key="opt_msg_1764000000000_9", query="Why?")).status == 200
        assert await said(extension, case_id) == ["user", "assistant"] * 2

        intent = json.dumps({"from_state": "inquiry", "to_state": "closed", "user_confirmed": True})
        await extension.turn(case_id, query="Close", intent_type="status_transition", intent_data=intent)
        for form in ({"pasted_content": "x" * 300, "input_type": "paste"}, {"files": ("a.log", b"x\n", "text/plain")}):
            ended = await extension.turn(case_id, **form)
            assert ended.status == 409
            assert "x-error-code" not in ended.headers
            check(ended.body, PROBLEM | {"status": 409, "code": "", "errors": []})


async def test_a_slow_turn_is_looked_for_until_it_is_answered(
    started: Started, fm: FaultMaven, monkeypatch: pytest.MonkeyPatch
) -> None:
    """202 and a place on the same server; 202 again while it is at work, then 200 with the answer itself, and one pair."""
    async with started(turn_wait=0.0) as (extension, case_id):
        keep, may_end = fm.application.cases.keep_turn, asyncio.Event()

        async def held(command: Any, caller: Any) -> Any:
            await may_end.wait()
            return await keep(command, caller)

        monkeypatch.setattr(fm.application.cases, "keep_turn", held)
        taken = await extension.turn(case_id, query="Why?")
        assert taken.status == 202
        place = taken.headers["location"]
        assert place.startswith("/api/v1/jobs/")
        for _ in range(2):
            assert (await extension.call("GET", place)).status == 202
        may_end.set()
        async with asyncio.timeout(60):
            seen = await ended(extension, place)
        assert seen.status == 200
        check(seen.body, JOB | TURN | {"operation": "turn.finish", "requested_by": TEXT, "turn_number": 1})
        assert seen.body["status"] == "completed"
        assert seen.body["attachments_processed"] == []
        assert seen.body["case_state"] == "inquiry"
        assert await said(extension, case_id) == ["user", "assistant"]


async def test_a_session_that_is_over_is_begun_anew_for_the_same_turn(started: Started) -> None:
    """401 by its label, a new session, the same turn with the same key; nobody is signed out."""
    async with started() as (extension, case_id):
        extension.page.clock.advance(timedelta(minutes=3))
        await extension.call("DELETE", f"/api/v1/sessions/{extension.session}")
        over = extension.session
        extension.page.calls.clear()
        assert (await extension.turn(case_id, query="Why?")).status == 200
        assert extension.session != over
        assert [(path.rpartition("/")[2], status) for _, path, status in extension.page.calls] == [
            ("turns", 401),
            ("sessions", 201),
            ("turns", 200),
        ]
        assert await said(extension, case_id) == ["user", "assistant"]


async def test_a_token_near_its_end_is_renewed(started: Started) -> None:
    """Once in five minutes at most, so that it goes on working for a day without a sign-in."""
    async with started() as (extension, _):
        for _ in range(5):
            first = extension.tokens["access_token"]
            await extension.renew()
            assert extension.tokens["access_token"] == first, "a new token is not near its end"
            extension.page.clock.advance(timedelta(minutes=6))
            await extension.renew()
            assert extension.tokens["access_token"] != first
            assert (await extension.call("GET", "/api/v1/cases?limit=100&offset=0")).status == 200
        extension.page.clock.advance(timedelta(hours=5))
        await extension.renew()
        assert (await extension.call("GET", "/api/v1/cases?limit=100&offset=0")).status == 200


async def test_a_page_reads_refusals_as_what_they_are(started: Started, clock: FixedClock) -> None:
    """A 401, a 404 and a 429 with all that they say; a page of another origin reads nothing at all."""
    async with started(rate=20) as (extension, case_id):
        page = extension.page
        wrong = await page.fetch("GET", "/api/v1/cases", {**JSON, "Authorization": "Bearer rubbish"})
        assert wrong.status == 401
        check(wrong.body, PROBLEM | {"status": 401, "code": "", "errors": []})
        assert not any(text in wrong.body["detail"].lower() for text in DEAD_SESSION)
        nowhere = await page.fetch("GET", "/nowhere", {})
        assert nowhere.status == 404
        check(nowhere.body, PROBLEM | {"status": 404, "errors": []})
        headers = extension.headers() | JSON
        for _ in range(30):
            slowed = await page.fetch("POST", f"/api/v1/cases/{case_id}/title", headers, json={"hint": "Slow checkout"})
            if slowed.status == 429:
                break
        assert slowed.status == 429
        check(slowed.body, PROBLEM | {"status": 429, "errors": []})
        assert int(slowed.headers["retry-after"]) == slowed.body["retry_after"] > 0
        for origin in ("https://evil.example", "null", "http://localhost.evil.example"):
            with pytest.raises(NetworkError):
                await Page(page.server, origin, clock).fetch("GET", "/api/v1/cases", headers)
