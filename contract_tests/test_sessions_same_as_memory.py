"""Redis and memory, driven by the same random steps, keep the same sessions: values, errors and order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from faultmaven_adapters.sessions.memory import MemorySessionStore
from faultmaven_adapters.sessions.redis import RedisSessionStore
from faultmaven_contract_tests.sessions import ANN, ANN_ELSEWHERE, BOB, LONG
from faultmaven_core.sessions.model import Session, SessionId, SignIn, user_tag
from faultmaven_core.sessions.ports import SessionStore
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import FaultMavenError
from redis_backends import CLIENTS

SERVERS = {"redis": "redis", "cluster": "redis_cluster"}
BOUNDED = settings(max_examples=12, stateful_step_count=20, suppress_health_check=list(HealthCheck))
NUMBERS = st.integers(1, 5)
USERS = st.sampled_from([ANN, BOB, ANN_ELSEWHERE])
SHORT_WHILE = timedelta(milliseconds=3)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def named(number: int, owner: Caller) -> SessionId:
    """The nth id of a user; ids in the order of their numbers, which settles what happens in one millisecond."""
    return SessionId(user_tag(owner), f"{number:064x}")


def told(number: int, owner: Caller, device: str = "") -> SignIn:
    """The nth sign-in of a user."""
    return SignIn(named(number, owner), owner.organization, owner.user, "password", device)


def timeless(session: Session) -> Session:
    """Without times: the two have a clock each."""
    return replace(session, created_at=BEGINNING, seen_at=BEGINNING, expires_at=BEGINNING)


class SameSessions(RuleBasedStateMachine):
    """Each rule is one call on both; what they answer is compared at once."""

    backend = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.clock = FixedClock(BEGINNING)
        make = self.runner.run(self.stack.enter_async_context(CLIENTS[self.backend]()))
        self.stores: list[SessionStore] = [MemorySessionStore(self.clock), RedisSessionStore(make())]

    def teardown(self) -> None:
        """Everything is closed, whatever the steps found."""
        self.runner.run(self.stack.aclose())
        self.runner.close()

    def both(self, call: Callable[[SessionStore], Awaitable[Any]]) -> Any:
        """The answer of both, which must be one: a value, or the class of an error."""

        async def once(store: SessionStore) -> Any:
            try:
                answer = await call(store)
            except FaultMavenError as error:
                return type(error)
            return timeless(answer) if isinstance(answer, Session) else answer

        first, second = [self.runner.run(once(store)) for store in self.stores]
        assert second == first
        # Steps lie apart in time for both, so that "first" and "longest ago" mean the same.
        self.clock.advance(SHORT_WHILE)
        self.runner.run(asyncio.sleep(SHORT_WHILE.total_seconds()))
        return first

    @rule(number=NUMBERS, owner=USERS, device=st.sampled_from(["", "other"]), most=st.integers(1, 3))
    def create(self, number: int, owner: Caller, device: str, most: int) -> None:
        """A sign-in, perhaps one that was there, perhaps one too many."""
        self.both(lambda store: store.create(told(number, owner, device), limits=replace(LONG, most=most)))

    @rule(number=NUMBERS, owner=USERS, slide=st.booleans())
    def get(self, number: int, owner: Caller, *, slide: bool) -> None:
        """A session, perhaps one that is not there."""
        self.both(lambda store: store.get(named(number, owner), slide=slide))

    @rule(number=NUMBERS, owner=USERS, version=st.integers(1, 3), data=st.binary(max_size=3), change=st.integers(1, 3))
    def update(self, number: int, owner: Caller, version: int, data: bytes, change: int) -> None:
        """A change of some version, perhaps the last one again."""
        sample = Session(told(number, owner), BEGINNING, BEGINNING, BEGINNING, data, version)
        self.both(lambda store: store.update(sample, change=UUID(int=change)))

    @rule(number=NUMBERS, owner=USERS)
    def end(self, number: int, owner: Caller) -> None:
        """A session, perhaps one that is over."""
        self.both(lambda store: store.end(named(number, owner)))

    @rule(owner=USERS, keep=st.none() | NUMBERS, keeper=USERS)
    def end_all(self, owner: Caller, keep: int | None, keeper: Caller) -> None:
        """All but one, perhaps of another user."""
        self.both(lambda store: store.end_all(owner, keep=named(keep, keeper) if keep else None))

    @invariant()
    def the_lists_are_the_same(self) -> None:
        """Of every user."""

        async def lists(store: SessionStore) -> list[list[Session]]:
            return [[timeless(session) async for session in store.list(owner)] for owner in (ANN, BOB, ANN_ELSEWHERE)]

        first, second = [self.runner.run(lists(store)) for store in self.stores]
        assert second == first


@pytest.mark.parametrize(
    "backend", [pytest.param(name, marks=pytest.mark.servers(server)) for name, server in SERVERS.items()]
)
def test_redis_keeps_the_same_sessions_as_memory(backend: str) -> None:
    """On a single server and on a cluster, where scripts may touch no key that they did not name."""
    machine = type("Machine", (SameSessions,), {"backend": backend})
    run_state_machine_as_test(machine, settings=BOUNDED)
