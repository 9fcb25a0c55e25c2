"""The primary dies in the middle of the load: no wrong answer, no error but ours, what was ended stays ended."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from faultmaven_adapters._support.redis_clients import open_redis
from faultmaven_adapters.sessions.redis import RedisSessionStore
from faultmaven_contract_tests.servers import Server, private
from faultmaven_contract_tests.sessions import begin
from faultmaven_core.sessions.model import SessionId
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import BackendError
from faultmaven_core.shared.ids import OrganizationId, UserId
from redis_backends import place
from redis_promotion import promotion
from session_load import PAUSE, Figures, User

USERS = 16
RECOVERY = 15.0
"""Seconds after which everybody must have had an answer again, ends included, once the servers have another primary."""
NOTICED = 5.0
"""Seconds after which everybody must have noticed that they have."""


@asynccontextmanager
async def users_of(server: Server, figures: Figures) -> AsyncIterator[list[User]]:
    """At four processes' stores, all with the time-outs that the product has."""
    where = replace(place(server), connect_timeout=1.0, timeout=2.0, pool=USERS)
    made = [open_redis(where) for _ in range(4)]
    try:
        yield [User(RedisSessionStore(made[number % 4]), figures, number) for number in range(USERS)]
    finally:
        for clients in made:
            await clients.aclose()


async def killed_in_the_middle(server: Server, calls: int) -> Figures:
    """So many calls, half of them before the primary is killed and half after."""
    figures = Figures()
    async with users_of(server, figures) as users:
        load = [asyncio.create_task(user.work(calls // USERS)) for user in users]
        await figures.reached(calls // 2, load)
        primary = server.primary()
        primary.kill()
        figures.killed_at = time.monotonic()
        promoted = asyncio.create_task(asyncio.to_thread(promotion, server, primary))
        await asyncio.gather(*load)
        figures.promotion = await promoted
        await asyncio.gather(*(user.look() for user in users))
    return figures


def judge(server: str, figures: Figures) -> None:
    """Says the figures, which the documents report."""
    sys.stdout.write(f"\n{server}: {figures}\n")
    assert figures.wrong == []
    assert figures.errors.total() > 0, "nobody noticed the kill"
    assert figures.ended > 0
    assert max(figures.waits.values()) < figures.promotion + RECOVERY
    # An end waits for a replica too, and those of the former primary need a while to follow the new one.
    assert max(wait for call, wait in figures.waits.items() if call != "end") < figures.promotion + NOTICED


@pytest.mark.parametrize("server", ["redis_sentinel", "redis_cluster"])
async def test_sessions_survive_the_death_of_the_primary(server: str) -> None:
    """2,000 calls."""
    with private(server) as running:
        judge(server, await killed_in_the_middle(running, 2_000))


@pytest.mark.parametrize("server", ["redis_sentinel", "redis_cluster"])
async def test_a_client_that_does_nothing_but_end_sessions_finds_the_new_primary(server: str) -> None:
    """An end waits for replicas in a way of its own; nobody else's call may be needed to look for the servers again."""
    with private(server) as running:
        clients = open_redis(replace(place(running), connect_timeout=1.0, timeout=2.0))
        store = RedisSessionStore(clients)
        owners = [Caller(OrganizationId("acme"), UserId(f"user{number}")) for number in range(8)]
        sessions = [await begin(store, owner) for owner in owners]
        primary = running.primary()
        primary.kill()
        await asyncio.to_thread(promotion, running, primary)
        async with asyncio.timeout(60):
            for session in sessions:
                await end(store, session.id)
        assert [await store.get(session.id) for session in sessions] == [None] * len(sessions)
        await clients.aclose()


async def end(store: RedisSessionStore, session: SessionId) -> None:
    """Repeats the call until it is acknowledged."""
    while True:
        try:
            return await store.end(session)
        except BackendError:
            await asyncio.sleep(PAUSE)


@pytest.mark.soak
@pytest.mark.parametrize("server", ["redis_sentinel", "redis_cluster"])
async def test_sessions_survive_the_death_of_the_primary_under_long_load(server: str) -> None:
    """10,000 calls."""
    with private(server) as running:
        judge(server, await killed_in_the_middle(running, 10_000))
