"""Session touches in a process of its own: `python -m benchmarks.speed.session_work WHO URL TOUCHES`.

Fifty at once over a thousand sessions of as many users, each with half a KiB of data, as a service has them.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeAlias
from uuid import uuid4

from redis.asyncio import BlockingConnectionPool, Redis

from benchmarks.speed.measure import timed
from faultmaven_adapters._support.redis_clients import RedisClients, open_redis
from faultmaven_adapters._support.redis_place import RedisPlace
from faultmaven_adapters.sessions.redis import RedisSessionStore
from faultmaven_adapters.sessions.scripts import GET
from faultmaven_core.sessions.expiry import SessionLimits
from faultmaven_core.sessions.model import SessionId, SessionToken, SignIn
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.ids import OrganizationId, UserId

AT_ONCE = 50
SESSIONS = 1000
LIMITS = SessionLimits(timedelta(minutes=20), timedelta(hours=8))
DATA = b"x" * 512

Touch: TypeAlias = Callable[[SessionId], Awaitable[object]]


async def filled(clients: RedisClients) -> list[SessionId]:
    """Sessions to touch."""
    store, made = RedisSessionStore(clients), []
    for number in range(SESSIONS):
        user = Caller(OrganizationId("acme"), UserId(f"user{number}"))
        sid = SessionToken.new(user).id
        told = SignIn(sid, user.organization, user.user, "password", "Mozilla/5.0 (X11; Linux)", "192.0.2.1")
        session = await store.create(told, limits=LIMITS)
        await store.update(replace(session, data=DATA), change=uuid4())
        made.append(sid)
    return made


def through_store(clients: RedisClients, _client: Any) -> Touch:
    """Ours."""
    return RedisSessionStore(clients).get


def through_script(clients: RedisClients, client: Any) -> Touch:
    """The peer: the very same command, its answer left as it is."""

    async def touch(sid: SessionId) -> object:
        session, sessions = clients.key(sid.tag, f"s:{sid.digest}"), clients.key(sid.tag, "sessions")
        return await client.evalsha(GET.sha, 2, session, sessions, sid.digest, "1")

    return touch


def through_getex(_clients: RedisClients, client: Any) -> Touch:
    """What a store without an end, a list and a limit of sessions would do."""

    async def touch(sid: SessionId) -> object:
        return await client.getex(f"plain:{sid.digest}", ex=1200)

    return touch


WHO = {"ours": through_store, "script": through_script, "getex": through_getex}


async def prepare(name: str, url: str, stack: AsyncExitStack) -> tuple[Touch, list[SessionId]]:
    """What touches, connected, and what is touched."""
    clients = open_redis(RedisPlace(url, pool=AT_ONCE))
    stack.push_async_callback(clients.aclose)
    client = None
    if name != "ours":
        client = Redis.from_pool(BlockingConnectionPool.from_url(url, max_connections=AT_ONCE))
        stack.push_async_callback(client.aclose)
    sids = await filled(clients)
    if name == "getex" and client is not None:
        for sid in sids:
            await client.set(f"plain:{sid.digest}", DATA, ex=1200)
    return WHO[name](clients, client), sids


async def work(touch: Touch, sids: list[SessionId], touches: int) -> float:
    """All touches; their number."""
    left = iter(range(touches))

    async def one_after_the_other() -> None:
        for number in left:
            if await touch(sids[number % SESSIONS]) is None:
                raise SystemExit("A session is not there.")

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
    return float(touches)


def main() -> None:
    """Do the work that the arguments name."""
    name, url, touches = sys.argv[1:]
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        touch, sids = runner.run(prepare(name, url, stack))
        runner.run(work(touch, sids, SESSIONS))
        timed(lambda: runner.run(work(touch, sids, int(touches))))
        runner.run(stack.aclose())


if __name__ == "__main__":
    main()
