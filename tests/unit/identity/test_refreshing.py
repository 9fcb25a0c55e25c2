"""Refresh tokens: one use each, one successor, and what happens when one comes again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from faultmaven_contract_tests.identity_installation import ELSEWHERE, HOME, OTHER_PASSWORD, PASSWORD, People
from faultmaven_core.identity import commands as c
from faultmaven_core.identity.credentials import digest
from faultmaven_core.identity.opening import session_id
from faultmaven_core.shared.errors import BackendUnavailableError, UnauthenticatedError


async def test_a_refresh_gives_the_next_pair_of_the_same_session(people: People) -> None:
    """T-7: the presented one dies, both new ones work."""
    first = await people.sign_up("ann")
    people.later(minutes=5)
    second = await people.refresh(first)
    assert second.refresh_token != first.refresh_token
    assert second.session_id == first.session_id
    assert (await people.principal(second)).username == "ann"
    people.later(seconds=1)
    assert (await people.refresh(second)).refresh_token not in {first.refresh_token, second.refresh_token}


async def test_only_digests_are_stored(people: People) -> None:
    """T-7: whoever reads the database has no token."""
    pair = await people.sign_up("ann")
    found = await people.directory.by_refresh_digest(digest(pair.refresh_token))
    assert found is not None
    async with people.units(found.organization, read_only=True) as unit:
        row = await unit.refresh_tokens.by_digest(digest(pair.refresh_token))
    assert pair.refresh_token.removeprefix("fmr_") not in repr(row)
    assert pair.refresh_token not in repr(pair)


async def test_fifty_refreshes_at_once_yield_one_successor(people: People) -> None:
    """T-8: all get the same text, and it is good."""
    first = await people.sign_up("ann")
    pairs = await asyncio.gather(*(people.refresh(first) for _ in range(50)))
    assert len({pair.refresh_token for pair in pairs}) == 1
    assert await people.refresh(pairs[0])


async def test_the_same_token_gives_the_same_successor_for_ten_seconds(people: People) -> None:
    """T-8: for an answer that was lost on its way."""
    first = await people.sign_up("ann")
    second = await people.refresh(first)
    people.later(seconds=10)
    assert (await people.refresh(first)).refresh_token == second.refresh_token


async def test_a_token_that_comes_again_later_ends_its_family_and_session(people: People) -> None:
    """T-8: audited, mailed; another sign-in of the same user goes on."""
    first = await people.sign_up("ann", email="ann@example.org")
    other = await people.sign_in("ann")
    second = await people.refresh(first)
    third = await people.refresh(second)
    people.later(seconds=11)
    with pytest.raises(UnauthenticatedError):
        await people.refresh(first)
    for pair in (first, second, third):
        with pytest.raises(UnauthenticatedError):
            await people.refresh(pair)
        with pytest.raises(UnauthenticatedError):
            await people.service.authenticate(pair.access_token)
    principal = await people.principal(other)
    reused = await people.actions(principal, "refresh_token.reused")
    assert [(event.outcome, event.target) for event in reused] == [("denied", principal.caller.user)]
    assert [letter.subject for letter in await people.post()] == ["FaultMaven: A sign-in of yours was ended"]
    assert await people.refresh(other)


async def test_the_idle_time_slides_and_the_absolute_time_does_not(people: People) -> None:
    """T-7: 14 days without a refresh, 30 days at most."""
    idle = await people.sign_up("ann")
    busy = await people.sign_in("ann")
    for _ in range(2):
        people.later(days=13)
        busy = await people.refresh(busy)
    with pytest.raises(UnauthenticatedError):
        await people.refresh(idle)
    assert busy.refresh_expires_in == 4 * 86400
    people.later(days=4)
    with pytest.raises(UnauthenticatedError):
        await people.refresh(busy)


async def test_a_session_that_idled_out_is_resumed_by_a_refresh(people: People) -> None:
    """The session's idle time is shorter than the refresh token's; the user stays signed in."""
    first = await people.sign_up("ann")
    people.later(days=2)
    assert await people.sessions.get(session_id(first.session_id)) is None
    pairs = await asyncio.gather(*(people.refresh(first) for _ in range(5)))
    session = await people.sessions.get(session_id(first.session_id))
    assert session is not None
    assert session.sign_in.method == "pwd"
    assert (await people.principal(pairs[0])).sid == first.session_id


async def test_whoever_signs_out_cannot_refresh(people: People) -> None:
    """T-10, for this sign-in or for all of them."""
    one, two, three = [await people.sign_up("ann"), await people.sign_in("ann"), await people.sign_in("ann")]
    alone = await people.service.logout(c.LogOut(everywhere=False), await people.principal(one))
    assert (alone.revoked_tokens, alone.all_sessions_ended) == (1, False)
    with pytest.raises(UnauthenticatedError):
        await people.refresh(one)
    with pytest.raises(UnauthenticatedError):
        await people.service.authenticate(one.access_token)
    assert await people.service.authenticate(two.access_token)
    everywhere = await people.service.logout(c.LogOut(), await people.principal(two))
    assert (everywhere.revoked_tokens, everywhere.all_sessions_ended) == (2, True)
    for pair in (two, three):
        with pytest.raises(UnauthenticatedError):
            await people.refresh(pair)
        with pytest.raises(UnauthenticatedError):
            await people.service.authenticate(pair.access_token)


async def test_a_refresh_that_began_before_signing_out_gives_nothing_after_it(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T-10: between the look at the token and its use lies time enough to sign out."""
    pair = await people.sign_up("ann")
    principal = await people.principal(pair)
    get = people.sessions.get

    async def late(*args: object, **kwargs: object) -> object:
        monkeypatch.setattr(people.sessions, "get", get)
        found = await get(*args, **kwargs)  # type: ignore[arg-type]  # passed on
        await people.service.logout(c.LogOut(), principal)
        return found

    monkeypatch.setattr(people.sessions, "get", late)
    with pytest.raises(UnauthenticatedError):
        await people.refresh(pair)


async def test_a_sign_in_is_ended_from_another_one(people: People) -> None:
    """S-3: by its id, among one's own."""
    one = await people.sign_up("ann")
    people.later(seconds=1)
    two = await people.sign_in("ann", client=ELSEWHERE)
    stranger = await people.sign_up("bob")
    principal = await people.principal(one)
    listed = (await people.service.sessions.list(principal)).sessions
    assert [(each.device, each.current) for each in listed] == [(HOME.device, True), (ELSEWHERE.device, False)]
    await people.service.sessions.end(c.EndSession(two.session_id), principal)
    with pytest.raises(UnauthenticatedError):
        await people.refresh(two)
    for name in (stranger.session_id, two.session_id, "nonsense", ""):
        with pytest.raises(Exception, match="You have no such sign-in"):
            await people.service.sessions.end(c.EndSession(name), principal)
    assert await people.refresh(stranger)


async def test_all_other_sign_ins_end_but_the_one_that_asks(people: People) -> None:
    """S-3."""
    one, two = await people.sign_up("ann"), await people.sign_in("ann")
    ended = await people.service.sessions.end_others(await people.principal(one))
    assert ended.ended == 1
    with pytest.raises(UnauthenticatedError):
        await people.refresh(two)
    assert await people.refresh(one)


@pytest.mark.parametrize(
    "token", ["", "fmr_", "fmr_" + "A" * 43, "x" * 10_000, "fmr_" + "\u00e9" * 43, "eyJhbGciOiJub25lIn0.e30."]
)
async def test_what_is_no_refresh_token_is_refused(people: People, token: str) -> None:
    """With the words of all others."""
    with pytest.raises(UnauthenticatedError, match="sign in again"):
        await people.service.refresh(c.Refresh(token), HOME)


async def test_access_and_refresh_tokens_are_not_taken_for_each_other(people: People) -> None:
    """T-3."""
    pair = await people.sign_up("ann")
    with pytest.raises(UnauthenticatedError):
        await people.service.authenticate(pair.refresh_token)
    with pytest.raises(UnauthenticatedError):
        await people.service.refresh(c.Refresh(pair.access_token), HOME)


async def test_a_store_that_is_down_signs_nobody_out(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """S-7: unavailable, never "no session"; the refresh token is good afterwards."""
    pair = await people.sign_up("ann")

    async def down(*_: object, **__: object) -> None:
        raise BackendUnavailableError("The session store cannot be reached.")

    with monkeypatch.context() as patch:
        patch.setattr(people.sessions, "get", down)
        patch.setattr(people.sessions, "create", down)
        for attempt in (
            people.service.authenticate(pair.access_token),
            people.refresh(pair),
            people.sign_in("ann"),
        ):
            with pytest.raises(BackendUnavailableError):
                await attempt
    assert await people.refresh(pair)


async def test_nobody_refreshes_after_his_password_changed(people: People) -> None:
    """T-10: but the sign-in that changed it goes on."""
    one, two = await people.sign_up("ann"), await people.sign_in("ann")
    principal = await people.principal(one)
    await people.service.passwords.change(c.ChangePassword(PASSWORD, OTHER_PASSWORD), principal)
    with pytest.raises(UnauthenticatedError):
        await people.refresh(two)
    with pytest.raises(UnauthenticatedError):
        await people.service.authenticate(two.access_token)
    assert await people.refresh(one)


async def test_old_families_are_swept_when_somebody_signs_in(people: People) -> None:
    """What ended by its absolute time is of no use even as a proof of reuse."""
    first = await people.sign_up("ann")
    people.later(days=31)
    await people.sign_in("ann")
    assert await people.directory.by_refresh_digest(digest(first.refresh_token)) is None
    assert people.clock.now() - first.expires_at > timedelta(days=30)
