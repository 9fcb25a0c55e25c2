"""Keys for programs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faultmaven_contract_tests.identity_installation import HOME, PASSWORD, People
from faultmaven_core.identity import commands as c
from faultmaven_core.identity.api_keys import new_key, well_formed
from faultmaven_core.shared.errors import (
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    UnauthenticatedError,
)


async def test_a_key_lets_its_user_in_within_its_permissions(people: People) -> None:
    """T-12: shown once, no session behind it."""
    owner = await people.principal(await people.sign_up("ann"))
    made = await people.service.api_keys.create(c.CreateApiKey("CI", ("case:read", "case:write")), owner)
    principal = await people.service.authenticate(made.secret)
    assert (principal.caller, principal.method, principal.sid) == (owner.caller, "api_key", "")
    assert principal.permissions == {"case:read", "case:write"}
    assert principal.expires_at == made.api_key.expires_at
    assert made.secret not in repr(made)
    listed = (await people.service.api_keys.list(c.ListApiKeys(), owner)).api_keys
    assert [key.name for key in listed] == ["CI"]
    assert made.secret.startswith(listed[0].hint)
    assert len(listed[0].hint) < 15


async def test_a_key_is_never_wider_than_its_user_is_now(people: People) -> None:
    """T-12: when he loses a right, it does; what it has stays what it was made with."""
    owner = await people.principal(await people.sign_up("ann"))
    member = await people.principal(await people.join(owner, "bob"))
    made = await people.service.api_keys.create(c.CreateApiKey("mine"), member)
    assert (await people.service.authenticate(made.secret)).permissions == member.permissions
    await people.service.users.set_roles(c.SetRoles(member.caller.user, ("viewer",)), owner)
    assert not (await people.service.authenticate(made.secret)).may("case:write")
    await people.service.users.set_roles(c.SetRoles(member.caller.user, ("admin",)), owner)
    assert not (await people.service.authenticate(made.secret)).may("user:write")


async def test_a_program_makes_itself_no_longer_life(people: People) -> None:
    """T-12: neither another key, nor a password, nor an end to those who could stop it; it may end itself."""
    owner = await people.principal(await people.sign_up("ann"))
    kept = await people.service.api_keys.create(c.CreateApiKey("kept"), owner)
    made = await people.service.api_keys.create(c.CreateApiKey("program"), owner)
    program = await people.service.authenticate(made.secret)
    client = replace(owner, method="oauth", client_id="faultmaven-copilot", sid="")
    for who in (program, client):
        for attempt in (
            people.service.api_keys.create(c.CreateApiKey("another"), who),
            people.service.api_keys.revoke(c.RevokeApiKey(kept.api_key.api_key_id), who),
            people.service.passwords.change(c.ChangePassword(PASSWORD, "another good one"), who),
            people.service.sessions.end(c.EndSession(owner.sid), who),
            people.service.sessions.end_others(who),
        ):
            with pytest.raises(PermissionDeniedError, match="signed in himself"):
                await attempt
    await people.service.api_keys.revoke(c.RevokeApiKey(made.api_key.api_key_id), program)
    with pytest.raises(UnauthenticatedError):
        await people.service.authenticate(made.secret)


async def test_a_key_is_not_wider_than_who_makes_it(people: People) -> None:
    """T-12: by name, or by asking for all."""
    owner = await people.principal(await people.sign_up("ann"))
    member = await people.principal(await people.join(owner, "bob"))
    with pytest.raises(PermissionDeniedError):
        await people.service.api_keys.create(c.CreateApiKey("wide", ("user:write",)), member)
    made = await people.service.api_keys.create(c.CreateApiKey("all that I may"), member)
    assert frozenset(made.api_key.permissions) == member.permissions


async def test_a_key_ends_by_its_time_or_by_hand(people: People) -> None:
    """T-12: or when its user may not come in any more."""
    owner = await people.principal(await people.sign_up("ann"))
    member = await people.principal(await people.join(owner, "bob"))
    old, gone, kept = [
        await people.service.api_keys.create(c.CreateApiKey("x", days=days), member) for days in (1, 9, 9)
    ]
    await people.service.api_keys.revoke(c.RevokeApiKey(gone.api_key.api_key_id), member)
    again = await people.service.api_keys.revoke(c.RevokeApiKey(gone.api_key.api_key_id), member)
    assert again.revoked_at is not None
    people.later(days=1)
    for key in (old, gone):
        with pytest.raises(UnauthenticatedError):
            await people.service.authenticate(key.secret)
    assert await people.service.authenticate(kept.secret)
    await people.service.users.disable(c.DisableUser(member.caller.user), owner)
    with pytest.raises(UnauthenticatedError):
        await people.service.authenticate(kept.secret)


async def test_others_keys_are_for_those_who_manage_users(people: People) -> None:
    """Of the same organization; another's look like none."""
    owner = await people.principal(await people.sign_up("ann"))
    member = await people.principal(await people.join(owner, "bob"))
    stranger = await people.principal(await people.sign_up("eve"))
    key = (await people.service.api_keys.create(c.CreateApiKey("x"), owner)).api_key
    with pytest.raises(PermissionDeniedError):
        await people.service.api_keys.list(c.ListApiKeys(owner.caller.user), member)
    for who in (member, stranger):
        with pytest.raises(NotFoundError):
            await people.service.api_keys.revoke(c.RevokeApiKey(key.api_key_id), who)
    with pytest.raises(NotFoundError):
        await people.service.api_keys.list(c.ListApiKeys(owner.caller.user), stranger)
    mine = (await people.service.api_keys.create(c.CreateApiKey("y"), member)).api_key
    assert (await people.service.api_keys.list(c.ListApiKeys(member.caller.user), owner)).api_keys == (mine,)
    assert (await people.service.api_keys.revoke(c.RevokeApiKey(mine.api_key_id), owner)).revoked_at


async def test_its_last_use_is_known_within_minutes(people: People) -> None:
    """T-12: without a write for every request."""
    owner = await people.principal(await people.sign_up("ann"))
    made = await people.service.api_keys.create(c.CreateApiKey("x"), owner)
    used = []
    for _ in range(3):
        await people.service.authenticate(made.secret)
        used.append((await people.service.api_keys.list(c.ListApiKeys(), owner)).api_keys[0].last_used_at)
        people.later(minutes=3)
    assert used[0] == used[1]
    assert used[2] is not None
    assert used[1] is not None
    assert used[2] > used[1]


@pytest.mark.parametrize(
    "command",
    [
        c.CreateApiKey(""),
        c.CreateApiKey("x", ("case:everything",)),
        c.CreateApiKey("x", days=0),
        c.CreateApiKey("x", days=366),
    ],
)
async def test_a_key_that_makes_no_sense_is_refused(people: People, command: c.CreateApiKey) -> None:
    """With its field."""
    owner = await people.principal(await people.sign_up("ann"))
    with pytest.raises(InvalidInputError):
        await people.service.api_keys.create(command, owner)


async def test_a_user_has_a_hundred_live_keys_at_most(people: People) -> None:
    """Revoked ones do not count."""
    owner = await people.principal(await people.sign_up("ann"))
    made = [await people.service.api_keys.create(c.CreateApiKey("x"), owner) for _ in range(100)]
    with pytest.raises(QuotaExceededError):
        await people.service.api_keys.create(c.CreateApiKey("x"), owner)
    await people.service.api_keys.revoke(c.RevokeApiKey(made[0].api_key.api_key_id), owner)
    assert await people.service.api_keys.create(c.CreateApiKey("x"), owner)


async def test_garbage_is_known_by_its_looks(people: People) -> None:
    """T-12: prefix and check sum; a good-looking one that nobody made is refused as well."""
    key = new_key()
    assert well_formed(key)
    for place in range(4, len(key)):
        assert not well_formed(key[:place] + ("0" if key[place] != "0" else "1") + key[place + 1 :])
    for bearer in (key, key[:-1], "fmk_", "fmk_" + "x" * 100_000):
        with pytest.raises(UnauthenticatedError):
            await people.service.authenticate(bearer)


async def test_a_repeated_request_never_stores_the_secret(people: People) -> None:
    """What is answered under a request key is kept; a key's text must not be."""
    owner = await people.principal(await people.sign_up("ann"), HOME)
    keyed = replace(owner, caller=replace(owner.caller, request_key="once-and-only"))
    made = await people.service.api_keys.create(c.CreateApiKey("x"), keyed)
    async with people.units(owner.caller.organization, read_only=True) as unit:
        assert await unit.answers.find(keyed.caller) is None
    assert made.secret
