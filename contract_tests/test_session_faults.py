"""What happens to sessions and rate limits when Redis is down, hangs, loses an answer or a key; and what reaches it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import redis

from faultmaven_adapters._support.redis_clients import RedisPlace, open_redis
from faultmaven_adapters.ratelimit.redis import RedisRateLimiter
from faultmaven_adapters.sessions.redis import RedisSessionStore
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.rate_limit import FIVE_AT_ONCE, KEY
from faultmaven_contract_tests.servers import Server, private
from faultmaven_contract_tests.servers.redis import ask
from faultmaven_contract_tests.servers.redis_sentinel import MASTER
from faultmaven_contract_tests.sessions import ANN, LONG, begin, listed, sign_in
from faultmaven_core.sessions.model import SessionToken, SignIn
from faultmaven_core.shared.errors import BackendUnavailableError, DeadlineExceededError
from redis_backends import place


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One of our own: it is killed and hung, and its counters are ours."""
    with private("redis") as server:
        yield server


@pytest.fixture
def raw(server: Server) -> Iterator[redis.Redis]:
    """What an administrator sees; of nobody else's tests."""
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
        yield client


@asynccontextmanager
async def store_at(where: RedisPlace) -> AsyncIterator[RedisSessionStore]:
    """A store with a client of its own."""
    clients = open_redis(where)
    try:
        yield RedisSessionStore(clients)
    finally:
        await clients.aclose()


@asynccontextmanager
async def behind_proxy(server: Server) -> AsyncIterator[tuple[RedisPlace, FaultProxy]]:
    """A way to the server that breaks when told."""
    async with FaultProxy("127.0.0.1", urlsplit(server.url).port or 0) as proxy:
        where = place(server)
        yield replace(where, url=proxy.through(where.url)), proxy


def calls(raw: redis.Redis) -> dict[str, int]:
    """How often each command came since the counters were reset, those within scripts included."""
    info: Any = raw.info("commandstats")
    return {name.removeprefix("cmdstat_"): told["calls"] for name, told in info.items()}


async def test_a_touch_is_one_round_trip_and_one_command(server: Server, raw: redis.Redis) -> None:
    """As the server counts, and the network between."""
    async with behind_proxy(server) as (where, proxy), store_at(where) as store:
        session = await begin(store)
        await store.get(session.id)
        raw.config_resetstat()
        before = proxy.requests_seen
        for _ in range(50):
            assert await store.get(session.id) is not None
        assert proxy.requests_seen - before == 50
        counted = calls(raw)
        assert counted["evalsha"] == 50
        assert not counted.keys() & {"eval", "get", "getex", "multi", "expire", "script|load"}


async def test_a_hit_is_one_round_trip_and_one_command(server: Server, raw: redis.Redis) -> None:
    """Time, allowance and answer in one."""
    async with behind_proxy(server) as (where, proxy):
        clients = open_redis(where)
        limiter = RedisRateLimiter(clients)
        await limiter.hit(KEY, FIVE_AT_ONCE)
        before = proxy.requests_seen
        for _ in range(50):
            await limiter.hit(KEY, FIVE_AT_ONCE)
        assert proxy.requests_seen - before == 50
        await clients.aclose()


async def test_no_step_looks_through_all_keys(server: Server, raw: redis.Redis) -> None:
    """The server has other users' millions."""
    async with store_at(place(server)) as store:
        raw.config_resetstat()
        sessions = [await begin(store, limits=replace(LONG, most=2)) for _ in range(4)]
        await store.update(replace(sessions[3], data=b"x"), change=uuid4())
        await listed(store)
        await store.end(sessions[3].id)
        await store.end_all(ANN)
        assert not calls(raw).keys() & {"keys", "scan", "sscan", "zscan", "hscan", "dbsize"}


async def test_no_token_is_ever_stored(server: Server, raw: redis.Redis) -> None:
    """Who reads the memory of Redis, its backups or its log of commands, cannot use what he finds."""
    token = SessionToken.new(ANN)
    secret = token.reveal().partition(".")[2].encode()
    async with store_at(place(server)) as store:
        with raw.monitor() as monitor:  # type: ignore[no-untyped-call]  # redis-py does not say what it returns
            session = await store.create(SignIn(token.id, ANN.organization, ANN.user, "oidc"), limits=LONG)
            await store.update(replace(session, data=b"d"), change=uuid4())
            await store.get(token.id)
            await store.end(token.id)
            raw.echo("the end")
            commands = list(iter(lambda: monitor.next_command()["command"], "ECHO the end"))
    assert any(token.id.digest in command for command in commands)
    assert not any(secret.decode() in command for command in commands)


async def test_sessions_of_one_user_share_a_slot(server: Server, raw: redis.Redis) -> None:
    """And tell neither the user nor the organization."""
    async with store_at(RedisPlace(server.url)) as store:
        first, second = await begin(store), await begin(store)
        await store.end(second.id)
        tag = first.id.tag
        expected = {f"fm:{{{tag}}}:s:{first.id.digest}", f"fm:{{{tag}}}:sessions", f"fm:{{{tag}}}:ended"}
        assert {str(key, "ascii") for key in raw.scan_iter()} == expected


async def test_a_session_without_its_place_in_the_index_is_over(server: Server, raw: redis.Redis) -> None:
    """Else a session lived on that nobody could list or end: what evicts the index signs out."""
    async with store_at(place(server)) as store:
        session = await begin(store)
        raw.delete(next(raw.scan_iter(match="*:sessions")))
        assert await store.get(session.id) is None


async def test_the_index_forgets_a_session_that_was_evicted(server: Server, raw: redis.Redis) -> None:
    """It never points at what is dead."""
    async with store_at(place(server)) as store:
        session, other = await begin(store), await begin(store)
        raw.delete(next(raw.scan_iter(match=f"*{session.id.digest}")))
        assert await store.get(session.id) is None
        assert raw.zrange(next(raw.scan_iter(match="*:sessions")), 0, -1) == [other.id.digest.encode()]


async def test_what_has_ended_leaves_nothing_behind(server: Server, raw: redis.Redis) -> None:
    """Neither by itself, nor with all others, nor to make room."""
    async with store_at(place(server)) as store:
        for _ in range(3):
            last = await begin(store, limits=replace(LONG, most=1))
        assert len(list(raw.scan_iter(match="*:s:*"))) == 1
        await store.end(last.id)
        for _ in range(3):
            await begin(store)
        await store.end_all(ANN)
        assert list(raw.scan_iter(match="*:s:*")) == []


@pytest.mark.parametrize("step", ["create", "get", "update", "end", "end_all"])
async def test_a_call_whose_answer_was_lost_may_be_repeated(server: Server, raw: redis.Redis, step: str) -> None:
    """It tells an error of ours, never a wrong answer, and its repetition answers as if it were the first."""
    async with behind_proxy(server) as (where, proxy), store_at(where) as store:
        told, change = sign_in(), uuid4()
        session = await store.create(told, limits=LONG)
        new = sign_in()
        call: Any = {
            "create": lambda: store.create(new, limits=LONG),
            "get": lambda: store.get(told.id),
            "update": lambda: store.update(replace(session, data=b"x"), change=change),
            "end": lambda: store.end(told.id),
            "end_all": lambda: store.end_all(ANN, keep=told.id),
        }[step]
        await call() if step == "get" else None
        proxy.cut_next_reply(to=b"EVAL")
        with pytest.raises(BackendUnavailableError):
            await call()
        await call()
        live = await store.get(told.id)
        assert (live is None) == (step == "end")
        assert live is None or live.version == (2 if step == "update" else 1)
        assert len(await listed(store)) == {"create": 2, "end": 0}.get(step, 1)


async def test_a_hit_whose_answer_was_lost_counts_at_most_twice(server: Server, raw: redis.Redis) -> None:
    """It may have cost its allowance, but nobody is allowed more than the limit."""
    async with behind_proxy(server) as (where, proxy):
        clients = open_redis(where)
        limiter = RedisRateLimiter(clients)
        assert (await limiter.hit(KEY, FIVE_AT_ONCE)).remaining == 4
        proxy.cut_next_reply(to=b"EVAL")
        with pytest.raises(BackendUnavailableError):
            await limiter.hit(KEY, FIVE_AT_ONCE)
        allowed = [(await limiter.hit(KEY, FIVE_AT_ONCE)).allowed for _ in range(5)]
        assert sum(allowed) == 3
        await clients.aclose()


async def test_an_outage_is_an_error_at_once_and_never_a_missing_session(server: Server) -> None:
    """A sign-in without a store is refused at once, however long an answer is waited for; nobody is signed out by it."""
    async with store_at(RedisPlace(server.url, connect_timeout=60, timeout=60)) as store:
        session = await begin(store)
        server.kill()
        try:
            for call in (store.get(session.id), begin(store), store.end(session.id), store.end_all(ANN), listed(store)):
                start = time.monotonic()
                with pytest.raises(BackendUnavailableError):
                    await call
                assert time.monotonic() - start < 20
        finally:
            server.restart()
        assert await store.get(session.id) is not None


async def test_a_hung_server_is_an_error_in_time(server: Server) -> None:
    """Within the time for a connection and a reply, however many wait."""
    async with store_at(replace(place(server), connect_timeout=1.0, timeout=1.0)) as store:
        session = await begin(store)
        server.pause()
        try:
            start = time.monotonic()
            answers = await asyncio.gather(*(store.get(session.id) for _ in range(200)), return_exceptions=True)
            took = time.monotonic() - start
        finally:
            server.resume()
        assert all(isinstance(answer, DeadlineExceededError | BackendUnavailableError) for answer in answers)
        # One after the other on its four connections they would take fifty.
        assert took < 20
        assert await store.get(session.id) is not None


async def test_an_end_counts_only_when_a_replica_knows_of_it() -> None:
    """Else a failover would bring it back: the caller is told to repeat, which then waits again."""
    with private("redis_sentinel") as server:
        primary = server.primary()
        replicas = [process for process in server.processes[:3] if process.pid != primary.pid]
        noticed_after(server, timedelta(minutes=10))
        async with store_at(place(server)) as store:
            session, other = await begin(store), await begin(store)
            await store.end(other.id)
            for replica in replicas:
                replica.pause()
            for call in (store.end(session.id), store.end_all(ANN)):
                with pytest.raises(BackendUnavailableError, match="repeat the call"):
                    await call
                assert await store.get(session.id) is None
            for replica in replicas:
                replica.resume()
            await store.end(session.id)
            await store.end_all(ANN)
            noticed_after(server, timedelta(seconds=1))
            for replica in replicas:
                replica.kill()
            await eventually(lambda: store.end(session.id))


def noticed_after(server: Server, silence: timedelta) -> None:
    """So long the sentinels wait until they call a server dead; from then on nobody waits for it."""
    for sentinel in server.processes[3:]:
        ask(sentinel.port, "SENTINEL", "SET", MASTER, "down-after-milliseconds", silence // timedelta(milliseconds=1))


async def eventually(call: Callable[[], Awaitable[None]]) -> None:
    """Within seconds it is noticed that replicas are dead, and nobody waits for them any more."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await call()
            except BackendUnavailableError:
                await asyncio.sleep(0.1)
