"""T-9: what a token is good for is told to programs, and nothing of tokens that are none of their business."""

from __future__ import annotations

from datetime import timedelta

import pytest

from faultmaven_contract_tests.identity_installation import People
from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.api_keys import new_key
from faultmaven_core.identity.model import Principal
from faultmaven_core.shared.errors import BackendUnavailableError, PermissionDeniedError, UnauthenticatedError


async def program(people: People, principal: Principal, *permissions: str) -> Principal:
    """An API key of somebody, with these permissions."""
    made = await people.service.api_keys.create(c.CreateApiKey("gateway", permissions), principal)
    return await people.service.authenticate(made.secret)


async def asked(people: People, text: str, who: Principal) -> v.TokenState | None:
    """What is told of a text."""
    return await people.service.introspection.introspect(c.Introspect(text), who)


async def test_a_program_learns_whose_a_token_is_and_what_it_may_do(people: People) -> None:
    """Of access tokens, refresh tokens and API keys of its organization."""
    pair = await people.sign_up("ann")
    ann = await people.principal(pair)
    gateway = await program(people, ann, "user:read")
    bob = await people.join(ann, "bob", "viewer")
    found = await asked(people, bob.access_token, gateway)
    assert found
    assert (found.username, found.user_id, found.organization_id) == ("bob", bob.user.user_id, ann.caller.organization)
    assert set(found.scope.split()) == (await people.principal(bob)).permissions
    assert (found.expires_at, found.issuer, found.token_type) == (bob.expires_at, "https://fm.example", "Bearer")
    refreshing = await asked(people, bob.refresh_token, gateway)
    assert refreshing
    assert (refreshing.user_id, refreshing.token_type) == (bob.user.user_id, "")
    key = await people.service.api_keys.create(c.CreateApiKey("CI", ("case:read",)), ann)
    of_key = await asked(people, key.secret, gateway)
    assert of_key
    assert (of_key.scope, of_key.client_id) == ("case:read", key.api_key.api_key_id)


async def test_foreign_tokens_are_as_good_as_none(people: People) -> None:
    """Of other organizations always, of other users without the permission to see them."""
    ann, eve = [await people.principal(await people.sign_up(name)) for name in ("ann", "eve")]
    foreign = await people.sign_in("eve")
    key = await people.service.api_keys.create(c.CreateApiKey("hers"), eve)
    gateway = await program(people, ann, "user:read")
    for text in (foreign.access_token, foreign.refresh_token, key.secret, new_key(), "rubbish", ""):
        assert await asked(people, text, gateway) is None
    blind = await program(people, ann, "case:read")
    own, colleague = await people.sign_in("ann"), await people.join(ann, "bob")
    assert await asked(people, own.access_token, blind)
    for text in (colleague.access_token, colleague.refresh_token):
        assert await asked(people, text, blind) is None
        assert await asked(people, text, gateway)


async def test_who_is_no_program_with_a_key_asks_in_vain(people: People) -> None:
    """Neither a person nor a client that a person lent his rights."""
    pair = await people.sign_up("ann")
    with pytest.raises(PermissionDeniedError, match="API key"):
        await asked(people, pair.access_token, await people.principal(pair))


async def test_what_is_over_is_told_as_over(people: People) -> None:
    """By signing out, by use, by time, and with its user."""
    ann = await people.principal(await people.sign_up("ann"))
    gateway = await program(people, ann, "user:read")
    out, used, old = await people.join(ann, "bob"), await people.join(ann, "cem"), await people.join(ann, "dan")
    await people.service.sessions.logout(c.LogOut(everywhere=False), await people.principal(out))
    await people.refresh(used)
    await people.service.users.disable(c.DisableUser(old.user.user_id), ann)
    for text in (out.access_token, out.refresh_token, used.refresh_token, old.access_token, old.refresh_token):
        assert await asked(people, text, gateway) is None
    late = await people.sign_in("cem")
    people.clock.advance(timedelta(days=15))
    for text in (late.access_token, late.refresh_token):
        assert await asked(people, text, gateway) is None


async def test_a_refresh_token_is_told_to_be_good_for_as_long_as_it_is(people: People) -> None:
    """When its session idled out a refresh has it again, but not where the organization chose the idle time itself."""
    ann = await people.principal(await people.sign_up("ann"))
    gateway = await program(people, ann, "user:read")
    pair = await people.sign_in("ann")
    people.later(hours=13)
    assert await asked(people, pair.access_token, gateway) is None
    assert await asked(people, pair.refresh_token, gateway)
    pair = await people.refresh(pair)
    assert await asked(people, pair.refresh_token, gateway)
    await people.service.organizations.change(c.ChangeOrganization(session_idle_seconds=900), ann)
    chosen = await people.sign_in("ann")
    people.later(minutes=14)
    assert await asked(people, chosen.refresh_token, gateway)
    people.later(minutes=1)
    assert await asked(people, chosen.refresh_token, gateway) is None
    with pytest.raises(UnauthenticatedError):
        await people.refresh(chosen)


async def test_looking_at_a_token_does_not_use_it(people: People) -> None:
    """Neither does its session last longer, nor is a key's last use another."""
    pair = await people.sign_up("ann")
    ann = await people.principal(pair)
    gateway = await program(people, ann)
    key = await people.service.api_keys.create(c.CreateApiKey("idle", ("case:read",)), ann)
    before = (await people.service.sessions.list(ann)).sessions
    people.clock.advance(timedelta(minutes=5))
    assert await asked(people, pair.access_token, gateway)
    assert await asked(people, pair.refresh_token, gateway)
    assert await asked(people, key.secret, gateway)
    after = (await people.service.sessions.list(ann)).sessions
    assert [one.seen_at for one in after] == [one.seen_at for one in before]
    listed = (await people.service.api_keys.list(c.ListApiKeys(), ann)).api_keys
    assert next(row.last_used_at for row in listed if row.name == "idle") is None
    assert await people.service.authenticate(key.secret)


async def test_without_the_session_store_nothing_is_told(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token is not called worthless because nobody could look."""
    pair = await people.sign_up("ann")
    gateway = await program(people, await people.principal(pair))

    async def down(*_: object, **__: object) -> None:
        raise BackendUnavailableError("The session store cannot be reached.")

    monkeypatch.setattr(people.sessions, "get", down)
    for text in (pair.access_token, pair.refresh_token):
        with pytest.raises(BackendUnavailableError):
            await asked(people, text, gateway)
