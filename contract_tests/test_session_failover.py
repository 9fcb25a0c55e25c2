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
from redis_backends import place
from session_load import Figures, User

USERS = 16
RECOVERY = 15.0
"""Seconds after which everybody must have had an answer again."""


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
        await figures.reached(calls // 2)
        server.primary().kill()
        figures.killed_at = time.monotonic()
        await asyncio.gather(*load)
        await asyncio.gather(*(user.look() for user in users))
    return figures


def judge(server: str, figures: Figures) -> None:
    """Says the figures, which the documents report."""
    sys.stdout.write(f"\n{server}: {figures}\n")
    assert figures.wrong == []
    assert figures.errors.total() > 0, "nobody noticed the kill"
    assert figures.ended > 0
    assert figures.longest_outage < RECOVERY


@pytest.mark.parametrize("server", ["redis_sentinel", "redis_cluster"])
async def test_sessions_survive_the_death_of_the_primary(server: str) -> None:
    """2,000 calls."""
    with private(server) as running:
        judge(server, await killed_in_the_middle(running, 2_000))


@pytest.mark.soak
@pytest.mark.parametrize("server", ["redis_sentinel", "redis_cluster"])
async def test_sessions_survive_the_death_of_the_primary_under_long_load(server: str) -> None:
    """10,000 calls."""
    with private(server) as running:
        judge(server, await killed_in_the_middle(running, 10_000))
