"""Clusters that are still being made, lose a part of their keys, or move as a whole: clients find them by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import pytest

from faultmaven_adapters._support.redis_clients import RedisClients, open_redis
from faultmaven_adapters.cache.redis import RedisCache
from faultmaven_adapters.sessions.redis import RedisSessionStore
from faultmaven_adapters.signals.redis import RedisSignals
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.servers import Server, private
from faultmaven_contract_tests.servers.redis import ask
from faultmaven_contract_tests.sessions import ANN
from faultmaven_contract_tests.signals import heard_again, topic
from faultmaven_core.sessions.model import SessionToken
from faultmaven_core.shared.errors import BackendError, BackendRefusedError
from redis_administration import KEY, MINUTE, quick

SLOTS = 16_384


@pytest.fixture
def cluster() -> Iterator[Server]:
    """One of our own."""
    with private("redis_cluster") as server:
        yield server


def ports(cluster: Server) -> list[int]:
    """The primaries' first, the replicas' after them."""
    return [process.port for process in cluster.processes]


async def until(what: Callable[[], bool]) -> None:
    """Nodes tell each other within a second."""
    async with asyncio.timeout(60):
        while not what():  # noqa: ASYNC110 - the nodes do not tell us
            await asyncio.sleep(0.05)


def assigned(port: int) -> int:
    """Of how many slots a node knows the owner."""
    return int(ask(port, "CLUSTER INFO")["cluster_slots_assigned"])


def taken_away(cluster: Server, slot: int) -> bool:
    """Whether no node knows an owner; those that do are told that there is none, maybe again: others may have told them."""
    having = [port for port in ports(cluster) if assigned(port) == SLOTS]
    for port in having:
        ask(port, "CONFIG", "SET", "cluster-require-full-coverage", "no")
        ask(port, "CLUSTER", "DELSLOTS", slot)
    return not having


def given(cluster: Server, slot: int) -> bool:
    """Whether all nodes know that the first has it."""
    first, *others = ports(cluster)
    if assigned(first) < SLOTS:
        ask(first, "CLUSTER", "ADDSLOTS", slot)
    return all(assigned(port) == SLOTS for port in others)


async def test_a_cluster_without_slots_is_used_as_soon_as_it_has_them(cluster: Server) -> None:
    """Whoever starts together with it waits for it, and need not be started again."""
    for port in ports(cluster):
        ask(port, "CLUSTER", "RESET", "HARD")
    clients = open_redis(quick(cluster))
    cache = RedisCache(clients)
    for _ in range(2):
        with pytest.raises(BackendRefusedError):
            await cache.set(KEY, b"x", ttl=MINUTE)
    first = ports(cluster)[0]
    ask(first, "CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)
    await until(lambda: ask(first, "CLUSTER INFO")["cluster_state"] == "ok")
    await cache.set(KEY, b"x", ttl=MINUTE)
    assert await cache.get(KEY) == b"x"
    await clients.aclose()


async def test_a_slot_that_nobody_has_is_used_as_soon_as_somebody_has_it(cluster: Server) -> None:
    """For commands, and for ends of sessions, which wait for replicas: each by itself finds the new owner."""
    ended = SessionToken.new(ANN).id
    steps: Sequence[tuple[str, Callable[[RedisClients], Awaitable[None]]]] = [
        (KEY.organization, lambda clients: RedisCache(clients).set(KEY, b"x", ttl=MINUTE)),
        (ended.tag, lambda clients: RedisSessionStore(clients).end(ended)),
    ]
    for tag, step in steps:
        clients = open_redis(quick(cluster))
        slot = ask(ports(cluster)[0], "CLUSTER", "KEYSLOT", clients.key(tag, "any"))
        await until(partial(taken_away, cluster, slot))
        for _ in range(2):
            with pytest.raises(BackendRefusedError):
                await step(clients)
        await until(partial(given, cluster, slot))
        await step(clients)
        await clients.aclose()


async def test_a_cluster_that_has_moved_is_found_by_its_name(cluster: Server) -> None:
    """No address of before is anybody's: commands find the new ones, and so does a client that does nothing but listen."""
    first = ports(cluster)[0]
    async with FaultProxy("127.0.0.1", first) as name:
        where = quick(cluster)
        by_name = [open_redis(replace(where, url=f"redis+cluster://127.0.0.1:{name.port}")) for _ in range(2)]
        cache, signals = RedisCache(by_name[0]), RedisSignals(by_name[1])
        async with signals.subscribe(topic()) as listener:
            await cache.set(KEY, b"x", ttl=MINUTE)
            with private("redis_cluster") as elsewhere:
                cluster.kill()
                name.aim("127.0.0.1", ports(elsewhere)[0])
                direct = open_redis(replace(where, url=elsewhere.url))
                speaker = RedisSignals(direct)
                assert await heard_again(listener, speaker, within=60)
                await until_set(cache, b"y")
                assert await RedisCache(direct).get(KEY) == b"y"
                await signals.aclose()
                for one in (*by_name, direct):
                    await one.aclose()


async def until_set(cache: RedisCache, value: bytes) -> None:
    """Repeats it, as callers do."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await cache.set(KEY, value, ttl=MINUTE)
            except BackendError:
                await asyncio.sleep(0.1)
