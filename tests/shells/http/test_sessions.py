"""Sessions of clients: begun, resumed, kept, named in a header, and over without anybody being signed out."""

from __future__ import annotations

import httpx2

from tests.shells.http.shell import Made, Table, client_of, principal

CLIENT = "0b2f6a54-6c2f-4f43-9d39-7d1b6f0a1c11"
WISH = {"client_id": CLIENT, "session_type": "troubleshooting", "timeout_minutes": 180, "metadata": {"v": 1}}


async def begun(client: httpx2.AsyncClient) -> dict[str, object]:
    """A session."""
    answer = await client.post("/api/v1/sessions", json=WISH)
    assert answer.status_code == 201, answer.text
    found: dict[str, object] = answer.json()
    return found


async def test_a_client_begins_a_session_and_resumes_it(ann: httpx2.AsyncClient) -> None:
    """The same for as long as it lives; all that the client reads is there."""
    first, second = await begun(ann), await begun(ann)
    assert first["session_id"] == second["session_id"]
    assert (first["session_resumed"], second["session_resumed"]) == (False, True)
    assert (first["client_id"], first["user_id"], first["status"]) == (CLIENT, "ann", "active")
    assert {
        "created_at",
        "last_activity",
        "expires_at",
        "session_type",
        "metadata",
        "message",
        "schema_version",
    } <= set(first)
    kept = await ann.post(f"/api/v1/sessions/{first['session_id']}/heartbeat")
    assert kept.status_code == 200
    listed = (await ann.get("/api/v1/sessions")).json()
    assert [row["session_id"] for row in listed["sessions"]] == [first["session_id"]]


async def test_nobody_gets_a_session_without_having_signed_in(made: Made) -> None:
    """The client asks before its user has; 401 is what it waits for."""
    async with client_of(made()) as client:
        assert (await client.post("/api/v1/sessions", json=WISH)).status_code == 401


async def test_two_users_of_one_browser_have_two_sessions(made: Made, people: Table) -> None:
    """The second never goes on with the first one's."""
    people.holders["eve"] = principal("acme", "eve")
    app = made()
    async with client_of(app, "ann") as ann, client_of(app, "eve") as eve, client_of(app, "bob") as bob:
        first = await begun(ann)
        for other in (eve, bob):
            theirs = await begun(other)
            assert theirs["session_resumed"] is False
            assert theirs["session_id"] != first["session_id"]
            named = await other.get("/api/v1/cases", headers={"X-Session-Id": str(first["session_id"])})
            assert named.status_code == 401
            assert named.json()["code"] == "SESSION_EXPIRED"


async def test_a_session_that_is_over_is_told_so_that_the_client_begins_another(ann: httpx2.AsyncClient) -> None:
    """By label and words; the token stays good, and the session's own calls still work."""
    session = await begun(ann)
    named = {"X-Session-Id": str(session["session_id"])}
    assert (await ann.get("/api/v1/cases", headers=named)).status_code == 200
    assert (await ann.delete(f"/api/v1/sessions/{session['session_id']}")).status_code == 204
    for over in (named, {"X-Session-Id": "rubbish"}, {"X-Session-Id": "a" * 300}):
        answer = await ann.get("/api/v1/cases", headers=over)
        assert answer.status_code == 401
        assert answer.json()["code"] == "SESSION_EXPIRED"
        assert "session expired" in answer.json()["detail"].lower()
    again = await ann.post("/api/v1/sessions", json=WISH, headers=named)
    assert again.status_code == 201
    assert again.json()["session_resumed"] is False
    assert (await ann.get("/api/v1/cases")).status_code == 200
