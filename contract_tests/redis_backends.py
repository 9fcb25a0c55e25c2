"""The Redis servers that suites run on, each use in keys of its own; what it leaves behind must end by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias
from uuid import uuid4

import redis

from faultmaven_adapters._support.redis_clients import RedisClients, RedisPlace, open_redis
from faultmaven_contract_tests.servers import Server, needs, shared
from faultmaven_core.shared.secret import Secret

ClientsOpener: TypeAlias = Callable[[], AbstractAsyncContextManager[Callable[[], RedisClients]]]
"""Opens a maker of clients, which all share their keys."""

CONNECTIONS = 4
"""Of each client: fewer than the commands at once of many tests, so that these wait for their turn."""
NO_LIFETIME = -1


def place(server: Server) -> RedisPlace:
    """Where it is, with keys that nobody else has."""
    return RedisPlace(
        server.url,
        password=Secret(server.password) if server.password else None,
        ca_file=server.ca,
        namespace=f"fm:{uuid4().hex}",
        pool=CONNECTIONS,
        # Each test opens them anew, and encrypted ones keep a small machine busy for longer than the usual seconds.
        connect_timeout=5.0,
        timeout=10.0,
    )


@asynccontextmanager
async def clients_of(where: RedisPlace) -> AsyncIterator[Callable[[], RedisClients]]:
    """Makes clients and closes them; at the end every key that is left must have a lifetime."""
    made: list[RedisClients] = []

    def make() -> RedisClients:
        made.append(open_redis(where))
        return made[-1]

    try:
        yield make
        immortal = [key async for key, ttl in _lifetimes(make()) if ttl == NO_LIFETIME]
    finally:
        for clients in made:
            await clients.aclose()
    assert immortal == []


async def _lifetimes(clients: RedisClients) -> AsyncIterator[tuple[bytes, int]]:
    async for key in clients.client.scan_iter(match=f"{clients.namespace}:*", count=1000):
        yield key, await clients.client.pttl(key)
        await clients.client.delete(key)


def _opener(name: str) -> ClientsOpener:
    @needs(name)
    @asynccontextmanager
    async def opener() -> AsyncIterator[Callable[[], RedisClients]]:
        async with clients_of(place(shared(name))) as make:
            yield make

    return opener


@needs("redis_tls")
@asynccontextmanager
async def _watched() -> AsyncIterator[Callable[[], RedisClients]]:
    """The server with few rights, which notes what it denied."""
    server = shared("redis_tls")
    with redis.Redis.from_url(server.admin_url) as admin:
        admin.acl_log_reset()
        async with clients_of(place(server)) as make:
            yield make
        assert admin.acl_log() == []


CLIENTS: dict[str, ClientsOpener] = {
    "redis": _opener("redis"),
    "redis_old": _opener("redis_old"),
    "redis_tls": _watched,
    "sentinel": _opener("redis_sentinel"),
    "cluster": _opener("redis_cluster"),
}
