"""What a browser's panel keeps open while its user works."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from faultmaven_adapters.sessions.memory import MemorySessionStore
from faultmaven_contract_tests.sessions import ANN, ANN_ELSEWHERE, BOB, begin
from faultmaven_core.sessions.commands import EndSession, KeepSession, ListSessions, OpenSession
from faultmaven_core.sessions.service import SessionExpiredError, SessionService
from faultmaven_core.shared.errors import InvalidInputError, UnauthenticatedError


class HandClock:
    """Moves when told."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """The moment."""
        return self.at


@pytest.fixture
def clock() -> HandClock:
    """At a new year."""
    return HandClock()


@pytest.fixture
def store(clock: HandClock) -> MemorySessionStore:
    """Of sign-ins and of clients alike."""
    return MemorySessionStore(clock)


@pytest.fixture
def sessions(store: MemorySessionStore) -> SessionService:
    """Over that store."""
    return SessionService(store)


async def test_the_same_client_of_the_same_user_goes_on(sessions: SessionService) -> None:
    """A panel that was closed and opened again finds its session; what it keeps is there."""
    first = await sessions.open(OpenSession("panel-1", metadata={"tab": 3}), ANN)
    again = await sessions.open(OpenSession("panel-1"), ANN)
    assert (first.session_resumed, again.session_resumed) == (False, True)
    assert again.session_id == first.session_id
    assert again.metadata == {"tab": 3}
    assert (await sessions.open(OpenSession("panel-2"), ANN)).session_id != first.session_id


@pytest.mark.parametrize("other", [BOB, ANN_ELSEWHERE])
async def test_two_users_of_one_browser_never_share_a_session(sessions: SessionService, other: object) -> None:
    """The client's id is the browser's; neither a colleague nor a namesake elsewhere resumes what is not his."""
    mine = await sessions.open(OpenSession("panel-1"), ANN)
    theirs = await sessions.open(OpenSession("panel-1"), other)  # type: ignore[arg-type]  # one of two callers
    assert not theirs.session_resumed
    assert theirs.session_id != mine.session_id
    with pytest.raises(SessionExpiredError, match="Session expired"):
        await sessions.keep(KeepSession(mine.session_id), other)  # type: ignore[arg-type]  # as above
    await sessions.end(EndSession(mine.session_id), other)  # type: ignore[arg-type]  # as above
    assert (await sessions.keep(KeepSession(mine.session_id), ANN)).session_id == mine.session_id


async def test_use_keeps_it_and_silence_ends_it(sessions: SessionService, clock: HandClock) -> None:
    """Then the client begins another, which is no error to it."""
    first = await sessions.open(OpenSession("panel-1", timeout_minutes=60), ANN)
    for _ in range(3):
        clock.at += timedelta(minutes=50)
        assert (await sessions.keep(KeepSession(first.session_id), ANN)).last_activity == clock.at
    clock.at += timedelta(minutes=61)
    with pytest.raises(SessionExpiredError):
        await sessions.keep(KeepSession(first.session_id), ANN)
    assert not (await sessions.open(OpenSession("panel-1"), ANN)).session_resumed


async def test_resuming_is_use(sessions: SessionService, clock: HandClock) -> None:
    """Else it could end a minute after it was resumed."""
    first = await sessions.open(OpenSession("panel-1", timeout_minutes=60), ANN)
    clock.at += timedelta(minutes=50)
    await sessions.open(OpenSession("panel-1", timeout_minutes=60), ANN)
    clock.at += timedelta(minutes=50)
    assert await sessions.keep(KeepSession(first.session_id), ANN)


async def test_what_was_ended_is_over_and_ending_twice_is_no_error(sessions: SessionService) -> None:
    """Only the caller's own are listed, and no sign-ins."""
    first, second = [await sessions.open(OpenSession(f"panel-{n}"), ANN) for n in range(2)]
    await sessions.open(OpenSession("panel-0"), BOB)
    await sessions.end(EndSession(first.session_id), ANN)
    await sessions.end(EndSession(first.session_id), ANN)
    assert [view.session_id for view in (await sessions.list(ListSessions(), ANN)).sessions] == [second.session_id]


async def test_a_sign_in_is_no_session_of_a_client(sessions: SessionService, store: MemorySessionStore) -> None:
    """Neither to be kept nor to be ended by this door."""
    signed_in = await begin(store)
    name = str(signed_in.id)
    with pytest.raises(SessionExpiredError):
        await sessions.keep(KeepSession(name), ANN)
    await sessions.end(EndSession(name), ANN)
    assert await store.get(signed_in.id) is not None
    assert (await sessions.list(ListSessions(), ANN)).sessions == ()


@pytest.mark.parametrize("name", ["", ".", "x", "x" * 500, "a.b.c", "\0"])
async def test_what_is_no_id_is_an_expired_session(sessions: SessionService, name: str) -> None:
    """The client then begins another, and its user stays signed in."""
    with pytest.raises(SessionExpiredError) as caught:
        await sessions.keep(KeepSession(name), ANN)
    assert isinstance(caught.value, UnauthenticatedError)
    assert caught.value.code == "session_expired"


@pytest.mark.parametrize(
    "command",
    [
        OpenSession(""),
        OpenSession("x" * 129),
        OpenSession("a", timeout_minutes=59),
        OpenSession("a", timeout_minutes=481),
        OpenSession("a", metadata={"x": "y" * 9000}),
        OpenSession("a", session_type=""),
    ],
)
async def test_what_cannot_be_kept_is_refused(sessions: SessionService, command: OpenSession) -> None:
    """With nothing begun."""
    with pytest.raises(InvalidInputError):
        await sessions.open(command, ANN)
    assert (await sessions.list(ListSessions(), ANN)).sessions == ()
