"""An organization's people as the dashboard's screens manage them, and the letters by which people come in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from faultmaven import FaultMaven, load_settings
from faultmaven_http.app import create_app
from mail_sink import Sink, listening
from tests.shells.http.shell import client_of
from tests.shells.http.test_auth import PASSWORD, bearer, registered
from tests.shells.http.test_people import MEMBER, done

USERS, MEMBERS = "/api/v1/admin/users", "/api/v1/admin/organization/members"
SCOPES = "/api/v1/auth/me/available-scopes"
OTHER_PASSWORD = "seven quiet boats 9"
_SECRET = re.compile(r"fm[pi]_[A-Za-z0-9_-]+")


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


async def made(owner: httpx2.AsyncClient, name: str) -> str:
    """A member's id."""
    body = {**MEMBER, "username": name, "email": f"{name}@example.org", "display_name": name.title()}
    return str((await done(await owner.post(USERS, json=body), 201))["user_id"])


async def signed_in(nobody: httpx2.AsyncClient, name: str, password: str = MEMBER["password"]) -> dict[str, str]:
    """The header of somebody's token."""
    return bearer(await done(await nobody.post("/api/v1/auth/login", json={"username": name, "password": password})))


async def test_users_come_in_pages_by_offset_or_cursor(owner: httpx2.AsyncClient) -> None:
    """And are searched for by either name of the parameter."""
    ids = [await made(owner, name) for name in ("max", "moe", "kim")]
    for address, rows in ((USERS, "users"), (MEMBERS, "members")):
        whole = await done(await owner.get(address))
        assert [row["user_id"] for row in whole[rows]][1:] == ids
        assert whole["next"] is None
        second = await done(await owner.get(f"{address}?limit=2&offset=1"))
        assert [row["user_id"] for row in second[rows]] == ids[:2]
        rest = await done(await owner.get(f"{address}?limit=2&after={second['next']}"))
        assert [row["user_id"] for row in rest[rows]] == ids[2:]
        for query in ("search=MOE", "text=moe@"):
            assert [row["username"] for row in (await done(await owner.get(f"{address}?{query}")))[rows]] == ["moe"]
        for wrong in ("offset=-1", "offset=1000001", "limit=0", "after=x"):
            assert (await owner.get(f"{address}?{wrong}")).status_code == 422


async def test_roles_are_given_and_taken_one_by_one(owner: httpx2.AsyncClient, nobody: httpx2.AsyncClient) -> None:
    """Nobody gives or takes what he lacks, nor the last owner's; what is taken is gone at once."""
    max_ = await made(owner, "max")
    address = f"{USERS}/{max_}/roles"
    given = await done(await owner.post(address, json={"role": "admin"}))
    assert given["roles"] == ["member", "admin"]
    assert (await done(await owner.post(address, json={"role": "admin"})))["roles"] == ["member", "admin"]
    token = await signed_in(nobody, "max")
    assert (await nobody.get(USERS, headers=token)).status_code == 200
    assert (await nobody.post(address, json={"role": "owner"}, headers=token)).status_code == 403
    me = (await done(await owner.get("/api/v1/auth/me")))["user_id"]
    assert (await nobody.delete(f"{USERS}/{me}/roles/owner", headers=token)).status_code == 403
    assert (await done(await owner.delete(f"{address}/admin")))["roles"] == ["member"]
    assert (await nobody.post(address, json={"role": "viewer"}, headers=token)).status_code == 403
    assert (await owner.delete(f"{address}/admin")).status_code == 404
    assert (await owner.delete(f"{USERS}/{me}/roles/owner")).status_code == 409
    assert (await owner.post(address, json={"role": "no-such"})).status_code == 422
    assert (await owner.post(address, json={"role": "viewer", "user_id": me})).status_code == 422
    events = (await done(await owner.get("/api/v1/admin/audit")))["events"]
    told = [event["detail"] for event in events if event["action"] == "user.roles_changed"]
    assert {"given": "admin"} in told
    assert {"taken": "admin"} in told


async def test_members_are_invited_changed_and_removed(owner: httpx2.AsyncClient, nobody: httpx2.AsyncClient) -> None:
    """With a role each; whoever is deactivated or removed is out at once."""
    asked = await done(await owner.post(MEMBERS, json={"email": "max@example.org", "roles": ["viewer"]}), 201)
    assert asked["invitation"]["roles"] == ["viewer"]
    joining = {**MEMBER, "invitation": asked["token"]}
    joined = await done(await nobody.post("/api/v1/auth/register", json=joining), 201)
    address = f"{MEMBERS}/{joined['user_id']}"
    assert (await done(await owner.patch(address, json={"roles": ["member"]})))["roles"] == ["member"]
    assert (await owner.patch(address, json={"roles": ["member"], "is_admin": True})).status_code == 422
    assert (await nobody.patch(address, json={"roles": ["admin"]}, headers=bearer(joined))).status_code == 403
    assert (await done(await owner.post(f"{USERS}/{joined['user_id']}/deactivate")))["is_active"] is False
    assert (await nobody.get("/api/v1/auth/me", headers=bearer(joined))).status_code == 401
    assert (await owner.delete(address)).status_code == 204
    assert (await owner.delete(address)).status_code == 404
    assert joined["user_id"] not in (await owner.get(MEMBERS)).text


async def test_where_one_may_put_documents(owner: httpx2.AsyncClient, nobody: httpx2.AsyncClient) -> None:
    """What is told is what an upload takes, for each role."""
    user = await made(owner, "max")
    form = {"title": "One", "document_type": "guide"}
    for role, scopes in (
        ("owner", ["personal", "global", "team"]),
        ("admin", ["personal", "global", "team"]),
        ("member", ["personal"]),
        ("viewer", []),
    ):
        await done(await owner.put(f"{USERS}/{user}/roles", json={"roles": [role]}))
        token = await signed_in(nobody, "max")
        assert await done(await nobody.get(SCOPES, headers=token)) == {"scopes": scopes}
        for number, scope in enumerate(("personal", "global", "team")):
            written = {"personal": "personal", "global": "global", "team": "team:web"}[scope]
            answer = await nobody.post(
                "/api/v1/knowledge/documents",
                data={**form, "scope": written},
                files={"file": (f"{role}{number}.md", b"# One\n\nText.\n", "text/markdown")},
                headers=token,
            )
            assert (answer.status_code in (200, 201)) is (scope in scopes), (role, scope, answer.text)


async def test_one_leaves_a_team_oneself(owner: httpx2.AsyncClient, nobody: httpx2.AsyncClient) -> None:
    """With no right over anybody else."""
    ids = [await made(owner, name) for name in ("max", "moe")]
    team = await done(await owner.post("/api/v1/teams", json={"name": "web"}), 201)
    address = f"/api/v1/teams/{team['team_id']}"
    for user in ids:
        await done(await owner.put(f"{address}/members/{user}"))
    token = await signed_in(nobody, "max")
    assert (await nobody.delete(f"{address}/members/{ids[1]}", headers=token)).status_code == 403
    assert (await nobody.delete(f"{address}/members/me", headers=token)).status_code == 204
    assert (await done(await owner.get(address)))["members"] == ids[1:]


@pytest.fixture
async def posting(tmp_path: Path) -> AsyncIterator[tuple[FaultMaven, Sink]]:
    """An installation whose letters go to a real mail server, which keeps them."""
    sink = Sink()
    async with listening(sink) as port:
        urls = {"FM_DATABASE_URL": "memory:", "FM_BLOBS_URL": "memory:", "FM_HOME": str(tmp_path / "home")}
        mail = {"FM_MAIL_URL": f"smtp://127.0.0.1:{port}", "FM_MAIL_FROM": "faultmaven@example.org"}
        async with FaultMaven.open(load_settings({**urls, **mail, "FM_DEV_LOGIN": "off"})) as fm:
            yield fm, sink


async def letter(fm: FaultMaven, sink: Sink, to: str) -> str:
    """The secret in the last letter to somebody."""
    await fm.application.identity.aclose()
    return str([_SECRET.findall(mail.text) for mail in sink.arrived() if mail.to == to][-1][0])


async def test_a_letter_sets_a_new_password(posting: tuple[FaultMaven, Sink]) -> None:
    """A-7: from the form to the mail server to the form: once, and all that was signed in before is out."""
    fm, sink = posting
    async with client_of(create_app(fm.application, fm.settings.http)) as nobody:
        before = bearer(await registered(nobody))
        for address in ("ann@example.org", "stranger@example.org"):
            await done(await nobody.post("/api/v1/auth/password/reset", json={"email": address}))
        secret = await letter(fm, sink, "ann@example.org")
        assert {mail.to for mail in sink.arrived()} == {"ann@example.org"}
        body = {"token": secret, "password": OTHER_PASSWORD}
        await done(await nobody.post("/api/v1/auth/password/reset/complete", json=body))
        again = await nobody.post("/api/v1/auth/password/reset/complete", json=body)
        assert again.status_code == 422
        assert (await nobody.get("/api/v1/auth/me", headers=before)).status_code == 401
        old = await nobody.post("/api/v1/auth/login", json={"username": "ann", "password": PASSWORD})
        assert old.status_code == 401
        assert await signed_in(nobody, "ann", OTHER_PASSWORD)


async def test_a_letter_lets_somebody_join(posting: tuple[FaultMaven, Sink]) -> None:
    """A-8: what the invited person reads is what he signs up with; the letter tells of nobody else."""
    fm, sink = posting
    async with client_of(create_app(fm.application, fm.settings.http)) as nobody:
        owner: dict[str, Any] = await registered(nobody)
        asked = await nobody.post(MEMBERS, json={"email": MEMBER["email"]}, headers=bearer(owner))
        assert asked.status_code == 201
        joining = {**MEMBER, "invitation": await letter(fm, sink, MEMBER["email"])}
        joined = await done(await nobody.post("/api/v1/auth/register", json=joining), 201)
        listed = await done(await nobody.get(MEMBERS, headers=bearer(owner)))
    assert [row["user_id"] for row in listed["members"]] == [owner["user_id"], joined["user_id"]]
    assert "ann@example.org" not in "".join(mail.text for mail in sink.arrived() if mail.to == MEMBER["email"])
