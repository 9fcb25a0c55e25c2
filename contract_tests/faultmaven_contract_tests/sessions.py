"""What every store of sessions promises."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias
from uuid import uuid4

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.samples import ACME, OTHER
from faultmaven_core.sessions.expiry import SessionLimits
from faultmaven_core.sessions.model import MOST_DATA, Session, SessionId, SessionToken, SignIn
from faultmaven_core.sessions.ports import SessionStore
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import (
    AlreadyExistsError,
    ConflictError,
    NotFoundError,
    StaleVersionError,
    TooLargeError,
)
from faultmaven_core.shared.ids import UserId

Later: TypeAlias = Callable[[float], Awaitable[None]]
"""Lets so many seconds pass."""

ANN = Caller(ACME, UserId("ann"))
BOB = Caller(ACME, UserId("bob"))
ANN_ELSEWHERE = Caller(OTHER, UserId("ann"))
LONG = SessionLimits(timedelta(minutes=20), timedelta(hours=8))


def sign_in(owner: Caller = ANN, device: str = "Firefox") -> SignIn:
    """A new one."""
    return SignIn(SessionToken.new(owner).id, owner.organization, owner.user, "password", device, "192.0.2.1", "Bern")


async def begin(store: SessionStore, owner: Caller = ANN, limits: SessionLimits = LONG) -> Session:
    """A new session."""
    return await store.create(sign_in(owner), limits=limits)


async def listed(store: SessionStore, owner: Caller = ANN) -> list[SessionId]:
    """The ids of a user's sessions, in the order of the list."""
    return [session.id async for session in store.list(owner)]


async def append(store: SessionStore, sid: SessionId, message: bytes) -> None:
    """Read, add, write; again where somebody else was first."""
    while True:
        found = await store.get(sid)
        assert found is not None
        try:
            await store.update(replace(found, data=found.data + message), change=uuid4())
        except StaleVersionError:
            await asyncio.sleep(random.random() / 20)
        else:
            return


class SessionLifeContract(Contract):
    """A binding gives the fixtures `subject`, a fresh and empty store, and `later`."""

    async def test_a_session_is_read_as_it_began(self, subject: SessionStore) -> None:
        """With all that was said at sign-in, whatever people's devices call themselves."""
        told = replace(
            sign_in(), device='Zoë\'s "phone" \U0001f600 {x}', address="2001:db8::1", place="", method="oidc"
        )
        began = await subject.create(told, limits=LONG)
        assert (began.sign_in, began.data, began.version) == (told, b"", 1)
        assert began.created_at == began.seen_at
        assert began.expires_at == began.created_at + LONG.idle
        assert await subject.get(told.id, slide=False) == began

    async def test_what_nobody_began_is_no_session(self, subject: SessionStore) -> None:
        """Also where the user has others."""
        await begin(subject)
        assert await subject.get(sign_in().id) is None
        assert await subject.get(sign_in(BOB).id) is None

    async def test_a_session_that_nobody_uses_expires(self, subject: SessionStore, later: Later) -> None:
        """To look at it, to list it and to change its data is no use of it; the list forgets it."""
        quick = SessionLimits(timedelta(seconds=1), timedelta(hours=1))
        session = await begin(subject, limits=quick)
        await later(0.002)
        lasting = await begin(subject)
        await later(0.5)
        looked = await subject.get(session.id, slide=False)
        assert looked == session
        await subject.update(replace(session, data=b"x"), change=uuid4())
        assert await listed(subject) == [session.id, lasting.id]
        await later(0.55)
        assert await subject.get(session.id) is None
        assert await listed(subject) == [lasting.id]
        with pytest.raises(NotFoundError):
            await subject.update(replace(session, version=2), change=uuid4())

    async def test_use_moves_the_idle_time_but_never_the_end(self, subject: SessionStore, later: Later) -> None:
        """However often it is used."""
        session = await begin(subject, limits=SessionLimits(timedelta(seconds=1.2), timedelta(seconds=2)))
        before = session
        for _ in range(3):
            await later(0.5)
            used = await subject.get(session.id)
            assert used is not None
            assert before.seen_at < used.seen_at
            assert used.expires_at == min(used.seen_at + timedelta(seconds=1.2), used.created_at + timedelta(seconds=2))
            before = used
        await later(0.55)
        assert await subject.get(session.id) is None

    async def test_use_changes_nothing_but_the_times(self, subject: SessionStore, later: Later) -> None:
        """A heartbeat is neither a change nor a conflict with one."""
        session = await begin(subject)
        await later(0.002)
        used = await subject.get(session.id)
        assert used is not None
        assert used.seen_at > session.seen_at
        assert replace(used, seen_at=session.seen_at, expires_at=session.expires_at) == session
        await subject.update(replace(session, data=b"x"), change=uuid4())

    async def test_a_sign_in_that_is_repeated_is_one_session(self, subject: SessionStore) -> None:
        """Its first answer may have been lost."""
        told = sign_in()
        began = await subject.create(told, limits=LONG)
        await subject.update(replace(began, data=b"kept"), change=uuid4())
        again = await subject.create(told, limits=LONG)
        assert (again.data, again.version, again.created_at) == (b"kept", 2, began.created_at)
        assert await listed(subject) == [told.id]

    async def test_an_id_belongs_to_one_sign_in(self, subject: SessionStore) -> None:
        """Neither another one gets it, nor the same after its end."""
        session = await begin(subject)
        with pytest.raises(AlreadyExistsError):
            await subject.create(replace(session.sign_in, device="another"), limits=LONG)
        await subject.end(session.id)
        with pytest.raises(AlreadyExistsError):
            await subject.create(session.sign_in, limits=LONG)
        assert await listed(subject) == []

    async def test_a_closed_store_refuses(self, subject: SessionStore) -> None:
        """With an error that says so; closing twice is no error."""
        await subject.ping()
        assert (await subject.inspect()).product
        await subject.aclose()
        await subject.aclose()
        with pytest.raises(ConflictError):
            await subject.get(sign_in().id)


class SessionChangeContract(Contract):
    """A binding gives the fixtures `subject`, a fresh and empty store, and `others`: three more processes' stores."""

    @pytest.mark.parametrize("data", [b"", b"\xff\x00\r\n", b"x" * MOST_DATA])
    async def test_an_update_keeps_the_data(self, subject: SessionStore, data: bytes) -> None:
        """Whatever bytes they are; the version grows by one."""
        session = await begin(subject)
        await subject.update(replace(session, data=data), change=uuid4())
        found = await subject.get(session.id, slide=False)
        assert found == replace(session, data=data, version=2)

    async def test_an_update_with_an_old_version_is_refused(self, subject: SessionStore) -> None:
        """And changes nothing, nor does one with a version that never was."""
        session = await begin(subject)
        await subject.update(replace(session, data=b"first"), change=uuid4())
        for version in (1, 3):
            with pytest.raises(StaleVersionError):
                await subject.update(replace(session, data=b"second", version=version), change=uuid4())
        found = await subject.get(session.id)
        assert found is not None
        assert (found.data, found.version) == (b"first", 2)

    async def test_an_update_that_is_repeated_counts_once(self, subject: SessionStore) -> None:
        """Its first answer may have been lost. A change of one's own that says the same is another one, and comes late."""
        session, change = await begin(subject), uuid4()
        for _ in range(2):
            await subject.update(replace(session, data=b"x"), change=change)
        with pytest.raises(StaleVersionError):
            await subject.update(replace(session, data=b"x"), change=uuid4())
        found = await subject.get(session.id)
        assert found is not None
        assert found.version == 2

    async def test_too_much_data_is_refused(self, subject: SessionStore) -> None:
        """By the session itself, so no backend ever sees it."""
        session = await begin(subject)
        with pytest.raises(TooLargeError):
            await subject.update(replace(session, data=b"x" * (MOST_DATA + 1)), change=uuid4())

    async def test_an_update_of_what_is_over_is_refused(self, subject: SessionStore) -> None:
        """It does not bring the session back."""
        session = await begin(subject)
        await subject.end(session.id)
        with pytest.raises(NotFoundError):
            await subject.update(replace(session, data=b"x"), change=uuid4())
        assert await subject.get(session.id) is None

    async def test_a_hundred_appends_at_once_are_all_there(
        self, subject: SessionStore, others: Sequence[SessionStore]
    ) -> None:
        """No write is lost, whichever process makes it."""
        session, stores = await begin(subject), [subject, *others]
        await asyncio.gather(*(append(stores[n % len(stores)], session.id, b"%02d." % n) for n in range(100)))
        found = await subject.get(session.id)
        assert found is not None
        assert found.version == 101
        assert sorted(found.data.split(b".")[:-1]) == [b"%02d" % n for n in range(100)]


class SessionsOfUsersContract(Contract):
    """A binding gives the fixtures `subject`, `others` (three more processes' stores) and `later`."""

    async def test_an_ended_session_is_over(self, subject: SessionStore) -> None:
        """At once, for everybody; the others go on."""
        session, other = await begin(subject), await begin(subject)
        await subject.end(session.id)
        assert await subject.get(session.id) is None
        assert await subject.get(session.id, slide=False) is None
        assert await listed(subject) == [other.id]

    async def test_to_end_what_is_over_is_no_error(self, subject: SessionStore) -> None:
        """Nor what never was."""
        session = await begin(subject)
        for _ in range(2):
            await subject.end(session.id)
        await subject.end(sign_in().id)
        await subject.end(sign_in(BOB).id)
        assert await listed(subject) == []

    async def test_all_but_one_are_ended(self, subject: SessionStore) -> None:
        """The answer is how many; the list has no rests."""
        kept, *others = [await begin(subject) for _ in range(4)]
        assert await subject.end_all(ANN, keep=kept.id) == 3
        assert [await subject.get(session.id) for session in others] == [None] * 3
        assert await listed(subject) == [kept.id]
        assert await subject.end_all(ANN, keep=kept.id) == 0
        found = await subject.get(kept.id)
        assert found is not None

    async def test_all_are_ended(self, subject: SessionStore) -> None:
        """With nothing to keep, or a session to keep that is another user's."""
        session, foreign = await begin(subject), await begin(subject, BOB)
        assert await subject.end_all(ANN) == 1
        assert await subject.get(session.id) is None
        await begin(subject)
        assert await subject.end_all(ANN, keep=foreign.id) == 1
        assert await listed(subject) == []
        assert await subject.end_all(ANN) == 0

    async def test_the_list_is_in_order_of_creation(self, subject: SessionStore, later: Later) -> None:
        """Whichever were used since."""
        made = []
        for _ in range(4):
            made.append((await begin(subject)).id)
            await later(0.002)
        await subject.get(made[0])
        assert await listed(subject) == made
        assert [session.sign_in.device async for session in subject.list(ANN)] == ["Firefox"] * 4

    async def test_nobody_elses_sessions_are_touched(self, subject: SessionStore) -> None:
        """Not those of a user of the same name in another organization, nor of another user of the same."""
        mine = await begin(subject)
        theirs = {owner: await begin(subject, owner) for owner in (BOB, ANN_ELSEWHERE)}
        only_one = replace(LONG, most=1)
        mine = await begin(subject, limits=only_one)
        await subject.end_all(ANN, keep=mine.id)
        await subject.end(mine.id)
        await subject.end_all(ANN)
        for owner, session in theirs.items():
            assert await listed(subject, owner) == [session.id]
            assert await subject.get(session.id, slide=False) == session

    async def test_a_user_has_never_more_sessions_than_allowed(
        self, subject: SessionStore, others: Sequence[SessionStore]
    ) -> None:
        """However many sign in at once, wherever."""
        stores, five = [subject, *others], replace(LONG, most=5)
        made = await asyncio.gather(*(begin(stores[n % len(stores)], limits=five) for n in range(40)))
        live = await listed(subject)
        assert len(live) == 5
        found = [await subject.get(session.id, slide=False) for session in made]
        assert sorted(session.id.digest for session in found if session) == sorted(sid.digest for sid in live)

    async def test_for_a_new_session_the_one_ends_that_would_expire_first(
        self, subject: SessionStore, later: Later
    ) -> None:
        """So the one that was not used for longest, where all have the same limits."""
        three = replace(LONG, most=3)
        made = []
        for _ in range(3):
            made.append(await begin(subject, limits=three))
            await later(0.002)
        await subject.get(made[0].id)
        await later(0.002)
        newest = await begin(subject, limits=replace(three, idle=timedelta(seconds=1)))
        assert await listed(subject) == [made[0].id, made[2].id, newest.id]
        assert await subject.get(made[1].id) is None
