"""Who comes in, and what those learn who do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from faultmaven_adapters.passwords.argon2 import Argon2Passwords
from faultmaven_contract_tests.identity_installation import ELSEWHERE, HOME, OTHER_PASSWORD, PASSWORD, People
from faultmaven_core.identity import commands as c
from faultmaven_core.identity.model import ClientInfo
from faultmaven_core.identity.opening import session_id
from faultmaven_core.identity.policy import IdentityPolicy
from faultmaven_core.shared.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    UnauthenticatedError,
)
from faultmaven_core.shared.ids import OrganizationId


async def test_who_signs_up_owns_an_organization_of_his_own(people: People) -> None:
    """A-8: nobody gets into an organization that exists by signing up."""
    ann, bob = await people.sign_up("Ann", email="ann@example.org"), await people.sign_up("bob")
    assert ann.user.organization_id != bob.user.organization_id
    assert ann.user.roles == ("owner", "admin")
    assert (ann.user.is_admin, ann.user.is_dev_user, ann.user.is_active) == (True, False, True)
    principal = await people.principal(ann)
    assert principal.username == "ann"
    assert principal.may("organization:delete")


async def test_a_password_and_a_name_or_address_let_one_in(people: People) -> None:
    """Case and compatibility forms of the name do not matter; those of the password do."""
    await people.sign_up("Ann", email="Ann@Example.org")
    for name in ("ann", "ANN", "\uff41nn", "ann@example.ORG"):
        assert (await people.sign_in(name)).user.username == "ann"
    with pytest.raises(UnauthenticatedError):
        await people.sign_in("ann", PASSWORD.upper())


async def test_tokens_live_as_long_as_the_policy_says(people: People) -> None:
    """T-1, T-7."""
    pair = await people.sign_up("ann")
    assert pair.expires_in == 600
    assert pair.expires_at == people.clock.now() + timedelta(minutes=10)
    assert pair.refresh_expires_in == 14 * 86400
    people.later(minutes=10, seconds=59)
    assert await people.service.authenticate(pair.access_token)
    people.later(seconds=2)
    with pytest.raises(UnauthenticatedError):
        await people.service.authenticate(pair.access_token)


async def test_everybody_who_does_not_come_in_hears_the_same(people: People) -> None:
    """A-4: unknown, wrong, disabled, locked, without a password: one sentence."""
    owner = await people.principal(await people.sign_up("ann"))
    await people.join(owner, "off")
    off = next(user for user in (await people.service.users.list(c.ListUsers("off"), owner)).users)
    await people.service.users.disable(c.DisableUser(off.user_id), owner)
    await people.service.users.create(c.CreateUser("bare"), owner)
    said = set()
    for name, password in (("nobody", PASSWORD), ("ann", "wrong"), ("off", PASSWORD), ("bare", ""), ("", "")):
        with pytest.raises(UnauthenticatedError) as refused:
            await people.sign_in(name, password)
        said.add(str(refused.value))
    assert said == {"The user name or the password is wrong."}


async def test_a_wrong_name_costs_as_much_as_a_wrong_password(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """A-4: the same questions to the database, one computation of the same cost, one event written."""
    await people.sign_up("ann")
    parts = people.service._parts
    asked: list[str] = []

    def counted(name: str, owner: object, method: str) -> None:
        original = getattr(owner, method)

        async def call(*args: object, **kwargs: object) -> object:
            asked.append(f"{name} {str(args[0]).rpartition('$')[0].rpartition('$')[0] if name == 'verify' else ''}")
            return await original(*args, **kwargs)

        monkeypatch.setattr(owner, method, call)

    async with people.units(OrganizationId("local"), read_only=True) as unit:
        kinds = {"user": type(unit.users), "organization": type(unit.organizations), "audit": type(unit.audit)}
    counted("by_username", parts.directory, "by_username")
    counted("verify", parts.hasher, "verify")
    counted("hit", parts.guard._limiter, "hit")
    for name, kind in kinds.items():
        for method in ("get", "add", "last"):
            if hasattr(kind, method):
                counted(f"{name} {method}", kind, method)
    work = []
    for name, password in (("nobody", PASSWORD), ("ann", "a wrong password")):
        asked.clear()
        with pytest.raises(UnauthenticatedError):
            await people.sign_in(name, password)
        work.append([*asked])
    assert work[0] == work[1]
    assert sum(each.startswith("verify $argon2id$") for each in work[0]) == 1


@pytest.mark.parametrize("name", ["ann\0", "\ud800", "a@b\0", "\x1b[31m", "x" * 100_000])
async def test_a_name_that_no_database_takes_is_nobody_s(people: People, name: str) -> None:
    """The same answer as for all others."""
    with pytest.raises(UnauthenticatedError, match="The user name or the password is wrong"):
        await people.sign_in(name, "\ud800\0")


async def test_too_many_tries_lock_strangers_out_and_the_owner_is_told(people: People) -> None:
    """A-4, A-5: the right password is refused like a wrong one; a device that was used before still comes in."""
    await people.sign_up("ann", email="ann@example.org")
    for _ in range(10):
        with pytest.raises(UnauthenticatedError):
            await people.sign_in("ann", "wrong password", client=ELSEWHERE)
    for password in ("wrong password", PASSWORD):
        with pytest.raises(UnauthenticatedError, match="The user name or the password is wrong"):
            await people.sign_in("ann", password, client=ELSEWHERE)
    assert (await people.sign_in("ann", client=HOME)).user.username == "ann"
    subjects = [letter.subject for letter in await people.post()]
    assert subjects.count("FaultMaven: Sign-in to your account is slowed down") == 2
    people.later(minutes=5)
    assert await people.sign_in("ann", client=ELSEWHERE)


async def test_the_name_and_the_address_of_an_account_share_one_allowance(people: People) -> None:
    """A-5: whoever tries both has no more tries."""
    await people.sign_up("ann", email="ann@example.org")
    for turn in range(10):
        with pytest.raises(UnauthenticatedError):
            await people.sign_in("ann" if turn % 2 else "ann@example.org", "wrong", client=ELSEWHERE)
    with pytest.raises(UnauthenticatedError):
        await people.sign_in("ann", client=ELSEWHERE)


@pytest.mark.parametrize(
    ("addresses", "allowed"),
    [
        (["203.0.113.5"], 30),
        ([f"2001:db8:0:1::{host:x}" for host in range(1, 31)], 120),
        ([f"::ffff:203.0.113.{host}" for host in range(1, 31)], 120),
        (["not an address"], 30),
    ],
)
async def test_an_address_and_its_network_have_so_many_tries(
    people: People, addresses: list[str], allowed: int
) -> None:
    """A-5: counted whoever is tried, and told apart from a wrong password: it says nothing of an account."""
    for turn in range(allowed):
        with pytest.raises(UnauthenticatedError):
            await people.sign_in(f"user{turn}", client=ClientInfo(addresses[turn % len(addresses)]))
    with pytest.raises(RateLimitedError) as refused:
        await people.sign_in("user", client=ClientInfo(addresses[0]))
    assert refused.value.retry_after > 0


async def test_failures_and_successes_are_in_the_audit_log(people: People) -> None:
    """O-4: who, from where, by which request."""
    owner = await people.principal(await people.sign_up("ann", client=ClientInfo("192.0.2.1", request_id="r\n1")))
    with pytest.raises(UnauthenticatedError):
        await people.sign_in("ann", "wrong")
    events = await people.actions(owner)
    assert [event.action for event in events] == [
        "organization.created",
        "user.created",
        "user.signed_in",
        "user.sign_in_failed",
    ]
    assert {(event.address, event.request_id) for event in events[:3]} == {("192.0.2.1", "r1")}
    assert (events[-1].outcome, events[-1].target, events[-1].actor) == ("failure", owner.caller.user, "")


async def test_a_tried_name_that_nobody_has_is_not_written_down(people: People) -> None:
    """People type passwords into the field for the name."""
    with pytest.raises(UnauthenticatedError):
        await people.sign_in("hunter2 is my secret", "x")
    events = await people.actions(people.service.installation.operator())
    assert [(event.action, event.target) for event in events] == [("user.sign_in_failed", "")]
    assert "hunter2" not in str(events)


async def test_a_new_device_is_told_of(people: People) -> None:
    """The second device is news, the first and a known one are none."""
    await people.sign_up("ann", email="ann@example.org")
    await people.sign_in("ann", client=HOME)
    assert await people.post() == []
    await people.sign_in("ann", client=ELSEWHERE)
    await people.sign_in("ann", client=ELSEWHERE)
    letters = await people.post()
    assert [letter.subject for letter in letters] == ["FaultMaven: New sign-in to your account"]
    assert "Somebody's script" in letters[0].text


async def test_a_password_hash_of_a_lower_cost_is_made_anew(people: People) -> None:
    """A-1: at the next login, by itself."""
    ann = await people.sign_up("ann")
    cheap = Argon2Passwords(memory_kib=16, passes=1)
    owner = await people.principal(ann)
    async with people.units(owner.caller.organization) as unit:
        user = await unit.users.get(owner.caller.user)
        await unit.users.save(replace(user, password=await cheap.hash(PASSWORD)))
        await unit.commit()
    await cheap.aclose()
    await people.sign_in("ann")
    async with people.units(owner.caller.organization, read_only=True) as unit:
        assert "m=8,t=1" in (await unit.users.get(owner.caller.user)).password
    assert await people.sign_in("ann")


async def test_a_taken_name_or_address_is_a_conflict(people: People) -> None:
    """Over the whole installation, in any spelling."""
    await people.sign_up("ann", email="ann@example.org")
    with pytest.raises(ConflictError):
        await people.sign_up("ANN")
    with pytest.raises(ConflictError):
        await people.sign_up("other", email="ANN@example.org")


@pytest.mark.parametrize(
    "command",
    [
        c.Register("", password=PASSWORD),
        c.Register("a b", password=PASSWORD),
        c.Register("usr_123456789abc", password=PASSWORD),
        c.Register("x" * 65, password=PASSWORD),
        c.Register("ann", email="no address", password=PASSWORD),
        c.Register("ann", email="a@b\r\nBcc: c@d", password=PASSWORD),
        c.Register("ann", display_name="x" * 121, password=PASSWORD),
        c.Register("ann", display_name="Ann\u202egro.elpmaxe", password=PASSWORD),
        c.Register("ann"),
        c.Register("ann", password=PASSWORD, invitation="fmi_unknown"),
    ],
)
async def test_what_cannot_be_used_is_refused_with_its_field(people: People, command: c.Register) -> None:
    """One sentence and the field's name; the command itself shows no password."""
    with pytest.raises(InvalidInputError) as refused:
        await people.service.register(command, HOME)
    assert refused.value.fields
    assert PASSWORD not in repr(command)


async def test_signing_up_can_be_closed(make: Callable[[IdentityPolicy], People]) -> None:
    """By the installation; invitations still work (see their tests)."""
    closed = make(IdentityPolicy(OrganizationId("local"), registration=False))
    with pytest.raises(PermissionDeniedError):
        await closed.sign_up("ann")


async def test_a_name_is_enough_only_where_that_is_switched_on(people: People, developers: People) -> None:
    """And never for an account with a password."""
    with pytest.raises(NotFoundError):
        await people.service.dev_login(c.DevLogin("dev"), HOME)
    dev = await developers.service.dev_login(c.DevLogin("Dev"), HOME)
    assert (dev.user.is_dev_user, dev.user.organization_id, dev.user.roles) == (True, "local", ("owner", "admin"))
    assert dev.expires_in == 8 * 3600
    again = await developers.service.dev_login(c.DevLogin("dev"), HOME)
    assert again.user.user_id == dev.user.user_id
    second = await developers.service.dev_login(c.DevLogin("second"), HOME)
    assert second.user.roles == ("member",)
    await people.sign_up("ann")
    with pytest.raises(UnauthenticatedError):
        await developers.service.dev_login(c.DevLogin("ann"), HOME)
    bare = await developers.service.register(c.Register("bare"), HOME)
    assert bare.user.is_dev_user
    with pytest.raises(UnauthenticatedError):
        await developers.sign_in("bare", "")


async def test_a_session_belongs_to_each_sign_in(people: People) -> None:
    """Its device and address are what the client said."""
    pair = await people.sign_up("ann", client=ClientInfo("192.0.2.1", "A \x1b[31mdevice" + "x" * 600))
    session = await people.sessions.get(session_id(pair.session_id))
    assert session is not None
    assert session.sign_in.device.startswith("A [31mdevicexxx")
    assert len(session.sign_in.device) == 512


async def test_a_password_that_changed_while_it_was_checked_lets_nobody_in(people: People) -> None:
    """The proof is held against the row again; the session that was begun ends."""
    owner = await people.principal(await people.sign_up("ann"))
    hasher = people.service._parts.hasher
    verify = hasher.verify

    async def slow(stored: str, password: str) -> object:
        check = await verify(stored, password)
        if stored.startswith("$"):
            hasher.verify = verify  # type: ignore[method-assign]  # the change comes between proof and entry
            await people.service.passwords.change(c.ChangePassword(PASSWORD, OTHER_PASSWORD), owner)
        return check

    hasher.verify = slow  # type: ignore[method-assign,assignment]  # as above
    with pytest.raises(UnauthenticatedError):
        await people.sign_in("ann")
    left = (await people.service.sessions.list(owner)).sessions
    assert [session.current for session in left] == [True]
