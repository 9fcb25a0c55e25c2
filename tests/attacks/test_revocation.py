"""What is taken from somebody is gone at once, also for tokens that are still good by their signature."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from faultmaven_core.identity import commands as c
from faultmaven_core.identity.model import Principal
from faultmaven_core.identity.service import IdentityService
from faultmaven_core.shared.clock import FixedClock
from tests.attacks.installation import PASSWORD, Installation, installed

ANOTHER = "seven lamps under 4402 ferns"


@dataclass
class Live:
    """Alice, who owns an organization, and Mallory, its administrator, signed in twice and with a key for programs."""

    place: Installation
    owner: Principal
    user: str
    tokens: list[dict[str, Any]]
    api_key: str
    clock: FixedClock

    @property
    def identity(self) -> IdentityService:
        """The service."""
        return self.place.fm.application.identity

    async def status(self, token: str, path: str = "/api/v1/cases") -> int:
        """What a request with this token gets."""
        async with self.place.client(token) as client:
            return (await client.get(path)).status_code

    async def refreshed(self, tokens: dict[str, Any]) -> int:
        """What giving the refresh token for another gets."""
        async with self.place.client() as client:
            body = {"refresh_token": tokens["refresh_token"]}
            return (await client.post("/api/v1/auth/refresh", json=body)).status_code


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    """See Live."""
    clock = FixedClock(datetime.now(UTC))
    async with installed(tmp_path / "home", clock=clock, FM_DATABASE_URL="memory:") as place:
        alice = await place.signed_up("alice")
        owner = await place.principal(alice["access_token"])
        identity = place.fm.application.identity
        user = await identity.users.create(
            c.CreateUser("mallory", "mallory@example.org", password=PASSWORD, roles=("admin",)), owner
        )
        tokens = []
        for _ in range(2):
            async with place.client() as client:
                answer = await client.post("/api/v1/auth/login", json={"username": "mallory", "password": PASSWORD})
            tokens.append(dict(answer.json()))
        own = await place.principal(tokens[0]["access_token"])
        key = await identity.api_keys.create(c.CreateApiKey("program"), own)
        opened = Live(place, owner, user.user_id, tokens, key.secret, clock)
        for token in (*(each["access_token"] for each in tokens), key.secret):
            assert await opened.status(token) == 200
        yield opened


async def _disabled(live: Live) -> None:
    await live.identity.users.disable(c.DisableUser(live.user), live.owner)


async def _deleted(live: Live) -> None:
    await live.identity.users.delete(c.DeleteUser(live.user), live.owner)


async def _suspended(live: Live) -> None:
    await live.identity.organizations.suspend(c.SuspendOrganization(suspended=True), live.owner)


@pytest.mark.parametrize("way", [_disabled, _deleted, _suspended], ids=["disabled", "deleted", "suspended"])
async def test_whoever_is_shut_out_is_out_at_once(live: Live, way: Callable[[Live], Awaitable[None]]) -> None:
    """T-10: live access tokens, keys of programs and refresh tokens."""
    await way(live)
    for tokens in live.tokens:
        assert await live.status(tokens["access_token"]) == 401
        assert await live.refreshed(tokens) == 401
    assert await live.status(live.api_key) == 401


async def test_a_password_that_somebody_sets_ends_all_sessions(live: Live) -> None:
    """T-10: whoever knew the old one is out, and cannot come back with it."""
    await live.identity.users.set_password(c.SetPassword(live.user, ANOTHER), live.owner)
    for tokens in live.tokens:
        assert await live.status(tokens["access_token"]) == 401
        assert await live.refreshed(tokens) == 401
    async with live.place.client() as client:
        answer = await client.post("/api/v1/auth/login", json={"username": "mallory", "password": PASSWORD})
    assert answer.status_code == 401


async def test_a_password_that_its_owner_changes_ends_the_others(live: Live) -> None:
    """T-10: the session that changes it stays."""
    here, elsewhere = live.tokens
    principal = await live.place.principal(here["access_token"])
    await live.identity.passwords.change(c.ChangePassword(PASSWORD, ANOTHER), principal)
    assert await live.status(here["access_token"]) == 200
    assert await live.status(elsewhere["access_token"]) == 401
    assert await live.refreshed(elsewhere) == 401


async def test_a_role_that_is_taken_is_gone_though_tokens_name_it(live: Live) -> None:
    """T-10: an administrator's token is a viewer's from the next request on, and so is his key."""
    case = {"title": "Checkout fails"}
    await live.identity.users.set_roles(c.SetRoles(live.user, ("viewer",)), live.owner)
    for token in (live.tokens[0]["access_token"], live.api_key):
        assert await live.status(token) == 200
        async with live.place.client(token) as client:
            assert (await client.post("/api/v1/cases", json=case)).status_code == 403
    async with live.place.client() as client:
        body = {"refresh_token": live.tokens[0]["refresh_token"]}
        answer = (await client.post("/api/v1/auth/refresh", json=body)).json()
    assert "admin" not in answer["roles"]
    async with live.place.client(answer["access_token"]) as client:
        assert (await client.post("/api/v1/cases", json=case)).status_code == 403


async def test_a_role_that_loses_a_permission_loses_it_for_all_its_holders(live: Live) -> None:
    """T-10: in the middle of their sessions."""
    organizations = live.identity.organizations
    await organizations.save_role(c.SaveRole("desk", ("case:read", "case:write")), live.owner)
    await live.identity.users.set_roles(c.SetRoles(live.user, ("desk",)), live.owner)
    token = live.tokens[0]["access_token"]
    async with live.place.client(token) as client:
        assert (await client.post("/api/v1/cases", json={"title": "One"})).status_code == 201
        await organizations.save_role(c.SaveRole("desk", ("case:read",)), live.owner)
        assert (await client.post("/api/v1/cases", json={"title": "Two"})).status_code == 403
        assert (await client.get("/api/v1/cases")).status_code == 200


async def test_signing_out_ends_every_token_of_the_user_and_nobody_else_s(live: Live) -> None:
    """T-10: access and refresh tokens of all his sessions; the owner goes on working."""
    async with live.place.client(live.tokens[0]["access_token"]) as client:
        answer = await client.post("/api/v1/auth/logout")
    assert answer.status_code == 200
    assert answer.json()["revoked_tokens"] == 2
    for tokens in live.tokens:
        assert await live.status(tokens["access_token"]) == 401
        assert await live.refreshed(tokens) == 401


async def test_revoking_a_refresh_token_ends_its_session_alone(live: Live) -> None:
    """T-9: by RFC 7009; a token that nobody knows is answered alike."""
    first, second = live.tokens
    answers = []
    for token in (first["refresh_token"], "fmr_" + "A" * 43):
        async with live.place.client() as client:
            answers.append(await client.post("/api/v1/auth/oauth/revoke", json={"token": token}))
    assert (answers[0].status_code, answers[0].content) == (answers[1].status_code, answers[1].content)
    assert await live.status(first["access_token"]) == 401
    assert await live.status(second["access_token"]) == 200


async def test_a_stolen_refresh_token_ends_the_session_that_it_was_stolen_from(live: Live) -> None:
    """T-8: the thief and the robbed hold the same family; used twice, it ends with all access tokens of it."""
    tokens = live.tokens[0]
    async with live.place.client() as client:
        first = await client.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
        newer = first.json()
        second = await client.post("/api/v1/auth/refresh", json={"refresh_token": newer["refresh_token"]})
        assert second.status_code == 200
        live.clock.advance(timedelta(seconds=11))  # until then the client itself may have lost the answer
        stolen = await client.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert stolen.status_code == 401
    for token in (tokens["access_token"], newer["access_token"], second.json()["access_token"]):
        assert await live.status(token) == 401
    assert await live.status(live.tokens[1]["access_token"]) == 200
