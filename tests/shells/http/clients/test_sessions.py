"""Sessions of the extension: each member, each way on, and how long they stay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2

from faultmaven_core.shared.clock import FixedClock
from tests.shells.http.clients.fields import TEXT, TIME, check
from tests.shells.http.shell import Made, Table, client_of, principal

CLIENT = "0b2f6a54-6c2f-4f43-9d39-7d1b6f0a1c11"
WISH = {"client_id": CLIENT, "session_type": "troubleshooting", "timeout_minutes": 180}
SESSION = {
    "session_id": TEXT,
    "session_resumed": bool,
    "client_id": CLIENT,
    "user_id": TEXT,
    "status": "active",
    "created_at": TIME,
    "last_activity": TIME,
    "expires_at": TIME,
    "session_type": "troubleshooting",
    "metadata": dict,
    "message": TEXT,
    "schema_version": "2.0.0",
}


async def begun(client: httpx2.AsyncClient, **wish: object) -> dict[str, Any]:
    """A session, exactly as the extension reads it."""
    answer = await client.post("/api/v1/sessions", json=WISH | wish)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    check(body, SESSION)
    return body


async def test_a_session_has_exactly_these_members(ann: httpx2.AsyncClient) -> None:
    """With metadata and without, new and resumed."""
    told = await begun(ann, metadata={"browser": "firefox"})
    assert told["metadata"] == {"browser": "firefox"}
    assert (await begun(ann))["session_resumed"] is True
    for least_and_most in (60, 480):
        await begun(ann, timeout_minutes=least_and_most)
    bare = await ann.post("/api/v1/sessions", json={"client_id": CLIENT})
    check(bare.json(), SESSION)


async def test_what_is_over_or_another_users_is_a_new_session(
    ann: httpx2.AsyncClient, made: Made, people: Table, clock: FixedClock
) -> None:
    """201 and another id; never 404 or 410, from which the extension does not recover."""
    first = await begun(ann)
    clock.advance(timedelta(minutes=181))
    second = await begun(ann)
    people.holders["eve"] = principal("acme", "eve")
    async with client_of(made(), "eve") as eve:
        third = await begun(eve)
    assert len({one["session_id"] for one in (first, second, third)}) == 3
    assert not second["session_resumed"]
    assert not third["session_resumed"]


async def test_a_session_is_kept_for_hours(ann: httpx2.AsyncClient, clock: FixedClock) -> None:
    """The panel beats every ten minutes at most; two missed beats are no end."""
    named = {"X-Session-Id": (await begun(ann))["session_id"]}
    for _ in range(6):
        clock.advance(timedelta(minutes=179))
        assert (await ann.get("/api/v1/cases", headers=named)).status_code == 200
    clock.advance(timedelta(minutes=181))
    over = await ann.get("/api/v1/cases", headers=named)
    assert (over.status_code, over.json()["code"]) == (401, "SESSION_EXPIRED")
    assert "session expired" in over.json()["detail"].lower()


async def test_a_heartbeat_extends_a_session(ann: httpx2.AsyncClient, clock: FixedClock) -> None:
    """Without a body, under the type of JSON; what is over is not brought back."""
    session = await begun(ann)
    beat = f"/api/v1/sessions/{session['session_id']}/heartbeat"
    typed = {"Content-Type": "application/json", "X-Session-Id": session["session_id"]}
    for _ in range(3):
        clock.advance(timedelta(minutes=170))
        kept = await ann.post(beat, headers=typed)
        assert kept.status_code == 200
        check(kept.json(), SESSION)
        assert kept.json()["expires_at"] > session["expires_at"]
    clock.advance(timedelta(minutes=181))
    over = await ann.post(beat, headers=typed)
    assert (over.status_code, over.json()["code"]) == (401, "SESSION_EXPIRED")


async def test_a_client_that_begins_too_many_waits(made: Made) -> None:
    """429 in whole seconds, which the extension waits."""
    async with client_of(made(rate=1), "ann") as client:
        answers = [await client.post("/api/v1/sessions", json=WISH) for _ in range(21)]
    assert {answer.status_code for answer in answers[:20]} == {201}
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) == answers[-1].json()["retry_after"] > 0
