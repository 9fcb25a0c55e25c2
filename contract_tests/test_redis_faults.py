"""Redis servers that hang, end, are full, forget scripts or have too few connections; and what is never sent to any."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from faultmaven_adapters._support.redis_clients import RedisPlace, Script, open_redis
from faultmaven_adapters.cache.fail_open import FailOpenCache
from faultmaven_adapters.cache.redis import RedisCache
from faultmaven_adapters.leases.redis import RedisLeases
from faultmaven_adapters.signals import redis as listening
from faultmaven_adapters.signals.redis import RedisSignals
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.servers import private, shared
from faultmaven_core.ports.cache import MOST_VALUE
from faultmaven_core.ports.signals import MOST_PAYLOAD, Topic
from faultmaven_core.shared.errors import (
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
    DeadlineExceededError,
    InvalidInputError,
    TooLargeError,
)
from redis_administration import KEY, MINUTE, admin, quick
from redis_backends import place

NOWHERE = "redis://127.0.0.1:9"
"""A port at which nothing listens."""

ECHO = Script("return {KEYS[1], ARGV[1]}")


async def test_what_is_out_of_bounds_is_refused_before_the_wire() -> None:
    """Nothing listens where this would be sent."""
    clients = open_redis(RedisPlace(NOWHERE))
    cache, leases, signals = RedisCache(clients), RedisLeases(clients), RedisSignals(clients)
    zero, large = timedelta(0), b"x" * (MOST_VALUE + 1)
    refused: list[tuple[Any, type[Exception]]] = [
        (cache.set(KEY, large, ttl=MINUTE), TooLargeError),
        (cache.add(KEY, large, ttl=MINUTE), TooLargeError),
        (cache.replace_if(KEY, b"", large, ttl=MINUTE), TooLargeError),
        (cache.set(KEY, b"", ttl=zero), InvalidInputError),
        (cache.add(KEY, b"", ttl=zero), InvalidInputError),
        (cache.touch(KEY, ttl=zero), InvalidInputError),
        (leases.acquire("schedule", ttl=zero, owner="one"), InvalidInputError),
        (leases.acquire("", ttl=MINUTE, owner="one"), InvalidInputError),
        (signals.publish(Topic(KEY.organization, "topic"), b"x" * (MOST_PAYLOAD + 1)), TooLargeError),
        (cache.get(KEY), BackendRefusedError),
    ]
    for call, error in refused:
        with pytest.raises(error):
            await call
    assert await cache.get_many([]) == {}
    await cache.delete([])
    await clients.aclose()


async def test_a_hung_server_keeps_nobody_beyond_the_deadline() -> None:
    """No method of any of them, not on open connections and not on new ones; afterwards all goes on."""
    with private("redis") as server:
        clients = open_redis(quick(server))
        cache, leases, signals = RedisCache(clients), RedisLeases(clients), RedisSignals(clients)
        lease = await leases.acquire("schedule", ttl=MINUTE, owner="one")
        assert lease is not None
        await cache.set(KEY, b"x", ttl=MINUTE)
        topic = Topic(KEY.organization, "topic")
        async with signals.subscribe(topic) as listener:
            server.pause()
            calls: list[Any] = [
                cache.get(KEY),
                cache.get_many([KEY]),
                cache.set(KEY, b"y", ttl=MINUTE),
                cache.touch(KEY, ttl=MINUTE),
                cache.delete([KEY]),
                leases.renew(lease, ttl=MINUTE),
                leases.release(lease),
                signals.publish(topic, b"x"),
                cache.ping(),
            ] * 3
            start = asyncio.get_running_loop().time()
            ends = await asyncio.gather(*calls, return_exceptions=True)
            took = asyncio.get_running_loop().time() - start
            assert {type(end) for end in ends} <= {DeadlineExceededError, BackendRefusedError}
            # One after the other on four connections they would take fourteen, and without a deadline for ever.
            assert took < 10
            server.resume()
            await cache.set(KEY, b"z", ttl=MINUTE)
            assert await cache.get(KEY) == b"z"
            async with asyncio.timeout(60):
                await heard(signals, topic, listener)
        await signals.aclose()
        await clients.aclose()


async def heard(signals: RedisSignals, topic: Topic, listener: Any) -> bytes:
    """What a listener hears first of what is said until he hears it."""
    hearing = asyncio.create_task(anext(listener))
    while not hearing.done():
        await signals.publish(topic, b"again")
        await asyncio.wait([hearing], timeout=0.1)
    payload: bytes = await hearing
    return payload


@pytest.mark.servers("redis")
async def test_a_connection_that_only_looks_open_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener to whom nothing comes asks, gets no answer and connects anew: firewalls forget without a word."""
    where = quick(shared("redis"))
    async with FaultProxy("127.0.0.1", urlsplit(where.url).port or 0) as proxy:
        clients, direct = open_redis(replace(where, url=proxy.through(where.url))), open_redis(where)
        signals, topic = RedisSignals(clients), Topic(KEY.organization, "topic")
        async with signals.subscribe(topic) as listener:
            assert proxy.connections == 1
            monkeypatch.setattr(listening, "HEARTBEAT", 1.0)
            proxy.blackhole = True
            async with asyncio.timeout(60):
                while proxy.connections < 2:  # noqa: ASYNC110 - the proxy counts, it does not tell
                    await asyncio.sleep(0.05)
            proxy.cut()
            proxy.blackhole = False
            async with asyncio.timeout(60):
                await heard(RedisSignals(direct), topic, listener)
        await signals.aclose()
        await clients.aclose()
        await direct.aclose()


async def test_hung_sentinels_are_passed_over() -> None:
    """As long as one of them answers."""
    with private("redis_sentinel") as server:
        sentinels = [process for process in server.processes if str(process.port) in server.url]
        assert len(sentinels) == 3
        sentinels[0].pause()
        sentinels[1].pause()
        clients = open_redis(quick(server))
        cache = RedisCache(clients)
        await cache.set(KEY, b"x", ttl=MINUTE)
        assert await cache.get(KEY) == b"x"
        assert (await clients.inspect()).warnings == ()
        await clients.aclose()


async def test_a_killed_server_is_refused_and_comes_back() -> None:
    """Between uses nobody notices; where an outage is a miss, somebody said so."""
    with private("redis") as server:
        clients = open_redis(quick(server))
        cache = RedisCache(clients)
        await cache.set(KEY, b"x", ttl=MINUTE)
        server.kill()
        with pytest.raises(BackendUnavailableError):
            await cache.get(KEY)
        with pytest.raises(BackendRefusedError):
            await cache.get(KEY)
        lenient = FailOpenCache(cache)
        assert await lenient.get(KEY) is None
        assert await lenient.get_many([KEY]) == {}
        assert not await lenient.touch(KEY, ttl=MINUTE)
        await lenient.set(KEY, b"y", ttl=MINUTE)
        assert lenient.outages == 4
        strict: list[Any] = [
            lenient.add(KEY, b"y", ttl=MINUTE),
            lenient.replace_if(KEY, b"x", b"y", ttl=MINUTE),
            lenient.take(KEY),
            lenient.delete([KEY]),
            lenient.ping(),
        ]
        for call in strict:
            with pytest.raises(BackendUnavailableError):
                await call
        server.restart()
        assert await lenient.get(KEY) == b"x"
        await clients.aclose()


async def test_a_full_server_says_so() -> None:
    """Reading goes on, and trying again is no use."""
    with private("redis") as server, admin(server) as connection:
        clients = open_redis(quick(server))
        cache = RedisCache(clients)
        await cache.set(KEY, b"x", ttl=MINUTE)
        connection.config_set("maxmemory", "1")
        full: list[Any] = [cache.set(KEY, b"y", ttl=MINUTE), cache.add(KEY, b"y", ttl=MINUTE)]
        assert await cache.get(KEY) == b"x"
        with pytest.raises(BackendError, match="full") as caught:
            await full[0]
        assert not caught.value.retryable
        # A script that finds something to compare writes nothing.
        assert not await full[1]
        await clients.aclose()


async def test_an_inspection_tells_what_will_hurt() -> None:
    """Version, clock, and a policy that would throw sessions away."""
    with private("redis") as server, admin(server) as connection:
        clients = open_redis(quick(server))
        found = await clients.inspect()
        assert (found.product, found.version, found.warnings) == ("redis", server.version, ())
        assert found.clock is not None
        assert abs(found.clock - datetime.now(UTC)) < timedelta(seconds=10)
        connection.config_set("maxmemory", "64mb")
        connection.config_set("maxmemory-policy", "allkeys-lru")
        (warning,) = (await clients.inspect()).warnings
        assert "allkeys-lru" in warning
        assert "noeviction" in warning
        await clients.aclose()


@pytest.mark.servers("redis_tls")
async def test_an_inspection_needs_no_right_that_is_denied() -> None:
    """What it could not look at is a warning, and the server has noted no denial."""
    server = shared("redis_tls")
    with admin(server) as connection:
        connection.acl_log_reset()
        clients = open_redis(quick(server))
        (warning,) = (await clients.inspect()).warnings
        assert "maxmemory-policy" in warning
        await clients.aclose()
        assert connection.acl_log() == []


async def test_a_primary_without_replicas_is_told() -> None:
    """Behind Sentinel, where it would not be replaced."""
    with private("redis_sentinel") as server:
        primary = server.primary()
        clients = open_redis(quick(server))
        for process in server.processes[:3]:
            if process.port != primary.port:
                process.kill()
        await clients.ping()
        (warning,) = (await clients.inspect()).warnings
        assert "replica" in warning
        await clients.aclose()


@pytest.mark.servers("redis_old")
async def test_scripts_come_back_after_a_server_forgot_them() -> None:
    """As one that was restarted, or has just become the primary."""
    clients = open_redis(quick(shared("redis_old")))
    key = clients.key("tag", "name")
    for _ in range(2):
        assert await clients.script(ECHO, [key], ["x"]) == [key.encode(), b"x"]
        with admin(shared("redis_old")) as connection:
            connection.script_flush()
    await clients.aclose()


@pytest.mark.servers("redis", "redis_sentinel", "redis_cluster")
@pytest.mark.parametrize("name", ["redis", "redis_sentinel", "redis_cluster"])
async def test_more_calls_than_connections_wait_their_turn(name: str) -> None:
    """All of them are served, on few connections."""
    clients = open_redis(replace(place(shared(name)), pool=4))
    cache = RedisCache(clients)
    await cache.set(KEY, b"x", ttl=MINUTE)
    assert await asyncio.gather(*(cache.get(KEY) for _ in range(200))) == [b"x"] * 200
    await clients.aclose()


@pytest.mark.servers("redis")
async def test_who_waits_too_long_for_his_turn_learns_why() -> None:
    """It is not the server that is slow, and nothing was sent to it."""
    clients = open_redis(replace(place(shared("redis")), pool=1, timeout=1.0, connect_timeout=0.5))
    await clients.ping()
    taken = asyncio.Event()

    async def occupy(_: Any) -> None:
        taken.set()
        try:
            await asyncio.sleep(60)
        finally:
            # Beyond its own deadline, so that nobody gets the turn within his.
            await asyncio.sleep(1)

    holding = asyncio.create_task(clients.run(occupy))
    await taken.wait()
    with pytest.raises(BackendRefusedError, match="in use"):
        await clients.ping()
    with pytest.raises(DeadlineExceededError):
        await holding
    await clients.aclose()
