"""Managing people over HTTP: each route reaches its use case, and tells no more than it should."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from faultmaven import FaultMaven
from faultmaven_http.app import create_app
from tests.shells.http.shell import client_of
from tests.shells.http.test_auth import PASSWORD, bearer, registered

MEMBER = {"username": "max", "email": "max@example.org", "display_name": "Max", "password": "many green doors 42"}


@pytest.fixture
async def nobody(fm: FaultMaven) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without a token."""
    async with client_of(create_app(fm.application, fm.settings.http)) as client:
        yield client


@pytest.fixture
async def owner(nobody: httpx2.AsyncClient, fm: FaultMaven) -> AsyncIterator[httpx2.AsyncClient]:
    """The client of somebody who owns his organization."""
    tokens = await registered(nobody)
    async with client_of(create_app(fm.application, fm.settings.http), tokens["access_token"]) as client:
        yield client


async def done(answer: httpx2.Response, status: int = 200) -> dict[str, Any]:
    """The body of what must have worked."""
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_user_is_made_given_roles_disabled_and_removed(
    owner: httpx2.AsyncClient, nobody: httpx2.AsyncClient
) -> None:
    """What he holds ends at once with it."""
    made = await done(await owner.post("/api/v1/admin/users", json=MEMBER), 201)
    address = f"/api/v1/admin/users/{made['user_id']}"
    assert (await done(await owner.get("/api/v1/admin/users?text=max")))["users"][0]["user_id"] == made["user_id"]
    assert (await done(await owner.put(f"{address}/roles", json={"roles": ["viewer"]})))["roles"] == ["viewer"]
    tokens = await done(
        await nobody.post("/api/v1/auth/login", json={"username": "max", "password": MEMBER["password"]})
    )
    assert (await nobody.get(address, headers=bearer(tokens))).status_code == 403
    assert (await nobody.get("/api/v1/cases", headers=bearer(tokens))).status_code == 200
    assert (await done(await owner.post(f"{address}/disable")))["is_active"] is False
    assert (await nobody.get("/api/v1/cases", headers=bearer(tokens))).status_code == 401
    assert (await done(await owner.post(f"{address}/enable")))["is_active"] is True
    await done(await owner.put(f"{address}/password", json={"password": "seven quiet boats 9"}))
    await done(await owner.delete(address))
    assert "password" not in (await owner.get("/api/v1/admin/users")).text


async def test_a_key_lets_a_program_in_until_it_is_revoked(
    owner: httpx2.AsyncClient, nobody: httpx2.AsyncClient
) -> None:
    """Its secret is shown once, and it may no more than it was made for."""
    made = await done(await owner.post("/api/v1/auth/api-keys", json={"name": "ci", "permissions": ["case:read"]}), 201)
    given = {"Authorization": f"Bearer {made['secret']}"}
    assert (await nobody.get("/api/v1/cases", headers=given)).status_code == 200
    assert (await nobody.post("/api/v1/cases", json={}, headers=given)).status_code == 403
    listed = await owner.get("/api/v1/auth/api-keys")
    assert made["secret"] not in listed.text
    await done(await owner.delete(f"/api/v1/auth/api-keys/{made['api_key']['api_key_id']}"))
    assert (await nobody.get("/api/v1/cases", headers=given)).status_code == 401


async def test_somebody_is_invited_and_joins(owner: httpx2.AsyncClient, nobody: httpx2.AsyncClient) -> None:
    """Into the organization that asked him, with the role that it named; an invitation is good once."""
    wish = {"email": "max@example.org", "roles": ["viewer"]}
    made = await done(await owner.post("/api/v1/admin/invitations", json=wish), 201)
    joined = await done(await nobody.post("/api/v1/auth/register", json={**MEMBER, "invitation": made["token"]}), 201)
    me = await done(await nobody.get("/api/v1/auth/me", headers=bearer(joined)))
    own = await done(await owner.get("/api/v1/admin/organization"))
    assert me["organization"]["organization_id"] == own["organization_id"]
    assert "viewer" in me["roles"]
    again = {**MEMBER, "username": "moe", "email": "moe@example.org", "invitation": made["token"]}
    assert (await nobody.post("/api/v1/auth/register", json=again)).status_code >= 400
    other = await done(await owner.post("/api/v1/admin/invitations", json={"email": "eve@example.org"}), 201)
    await done(await nobody.post("/api/v1/auth/invitations/decline", json={"token": other["token"]}))
    third = await done(await owner.post("/api/v1/admin/invitations", json={"email": "kim@example.org"}), 201)
    await done(await owner.delete(f"/api/v1/admin/invitations/{third['invitation']['invitation_id']}"))
    states = {row["state"] for row in (await done(await owner.get("/api/v1/admin/invitations")))["invitations"]}
    assert states == {"accepted", "declined", "revoked"}


async def test_teams_and_roles_are_the_organizations_own(owner: httpx2.AsyncClient) -> None:
    """Made, changed, filled and removed."""
    user = await done(await owner.post("/api/v1/admin/users", json=MEMBER), 201)
    team = await done(await owner.post("/api/v1/teams", json={"name": "payments"}), 201)
    address = f"/api/v1/teams/{team['team_id']}"
    assert (await done(await owner.patch(address, json={"name": "billing"})))["name"] == "billing"
    filled = await done(await owner.put(f"{address}/members/{user['user_id']}"))
    assert filled["members"] == [user["user_id"]]
    assert (await done(await owner.delete(f"{address}/members/{user['user_id']}")))["members"] == []
    await done(await owner.delete(address))
    assert (await done(await owner.get("/api/v1/teams")))["teams"] == []
    await done(await owner.put("/api/v1/admin/roles/reader", json={"permissions": ["case:read"]}))
    assert "reader" in {role["name"] for role in (await done(await owner.get("/api/v1/admin/roles")))["roles"]}
    await done(await owner.delete("/api/v1/admin/roles/reader"))
    changed = await done(await owner.patch("/api/v1/admin/organization", json={"name": "Acme"}))
    assert changed["name"] == "Acme"


async def test_one_sees_where_one_is_signed_in_and_ends_it(
    owner: httpx2.AsyncClient, nobody: httpx2.AsyncClient
) -> None:
    """One of them, or all others; a new password ends them too."""
    entry = {"username": "ann", "password": PASSWORD}
    others = [await done(await nobody.post("/api/v1/auth/login", json=entry)) for _ in range(3)]
    listed = (await done(await owner.get("/api/v1/auth/sessions")))["sessions"]
    assert len(listed) == 4
    assert [row["current"] for row in listed].count(True) == 1
    ended = next(row["session_id"] for row in listed if not row["current"])
    await done(await owner.delete(f"/api/v1/auth/sessions/{ended}"))
    statuses = [(await nobody.get("/api/v1/auth/me", headers=bearer(one))).status_code for one in others]
    assert sorted(statuses) == [200, 200, 401]
    assert (await done(await owner.delete("/api/v1/auth/sessions")))["ended"] == 2
    assert (await owner.get("/api/v1/auth/me")).status_code == 200
    wrong = await owner.post("/api/v1/auth/password", json={"current": "not it", "password": "nine tall windows 8"})
    assert wrong.status_code >= 400
    await done(await owner.post("/api/v1/auth/password", json={"current": PASSWORD, "password": "nine tall windows 8"}))


async def test_what_was_done_is_in_the_log_of_the_organization(owner: httpx2.AsyncClient) -> None:
    """With who, from where and under which request; its chain holds."""
    made = await owner.post("/api/v1/admin/users", json=MEMBER)
    events = (await done(await owner.get("/api/v1/admin/audit")))["events"]
    created = next(event for event in events if event["request_id"] == made.headers["x-request-id"])
    assert created["action"].startswith("user.")
    assert created["address"]
    checked = await done(await owner.get("/api/v1/admin/audit/verification"))
    assert (checked["intact"], checked["events"]) == (True, len(events))


async def test_a_reset_tells_nobody_whether_there_is_an_account(
    owner: httpx2.AsyncClient, nobody: httpx2.AsyncClient
) -> None:
    """The same answer for every address; a text that was never sent opens nothing."""
    assert (await owner.get("/api/v1/auth/me")).status_code == 200
    known, unknown = [
        await nobody.post("/api/v1/auth/password/reset", json={"email": mail})
        for mail in ("ann@example.org", "nobody@example.org")
    ]
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    body = {"token": "fmp_rubbish", "password": "nine tall windows 8"}
    assert (await nobody.post("/api/v1/auth/password/reset/complete", json=body)).status_code in {400, 401, 404, 422}


async def test_lists_of_people_and_the_audit_log_lead_to_their_next_page(owner: httpx2.AsyncClient) -> None:
    """By a Link header that is `after` the `next` of the page; followed to the end nothing is left out or seen twice."""
    for name in ("max", "eva", "kim"):
        wish = {"username": name, "email": f"{name}@example.org", "password": MEMBER["password"]}
        await done(await owner.post("/api/v1/admin/users", json=wish), 201)
    for path, rows, name in (
        ("/api/v1/admin/users?limit=2", "users", "user_id"),
        ("/api/v1/admin/organization/members?limit=2", "members", "user_id"),
        ("/api/v1/admin/audit?limit=2", "events", "sequence"),
    ):
        whole = await done(await owner.get(path.replace("limit=2", "limit=1000")))
        found: list[Any] = []
        place: str | None = path
        while place:
            answer = await owner.get(place)
            found += (await done(answer))[rows]
            place = answer.links.get("next", {}).get("url")
            assert (place is None) == (answer.json()["next"] is None)
        assert [row[name] for row in found] == [row[name] for row in whole[rows]]
        assert len(found) > 3
