"""Cache, leases and signals under load, and what may not happen to them while a server fails over."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from itertools import count
from types import TracebackType
from typing import Any, Self

from faultmaven_adapters._support.redis_clients import RedisPlace, open_redis
from faultmaven_adapters.cache.redis import RedisCache
from faultmaven_adapters.leases.redis import RedisLeases
from faultmaven_adapters.signals.redis import RedisSignals
from faultmaven_core.ports.cache import CacheKey
from faultmaven_core.ports.signals import Topic
from faultmaven_core.shared.errors import AmbiguousError, BackendUnavailableError, ConflictError, DeadlineExceededError
from faultmaven_core.shared.ids import OrganizationId

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
WORKERS = 12
ENOUGH = 500
"""Calls after which a failover meets a load."""
ORGANIZATIONS = [OrganizationId(f"org-{number}") for number in range(30)]
"""As many hash tags, so that every part of a cluster has some of the keys."""

OURS = (BackendUnavailableError, DeadlineExceededError, AmbiguousError)


class Load:
    """Runs while its context is open. `wrong` are answers that no server's failure excuses."""

    def __init__(self, place: RedisPlace) -> None:
        self._clients = open_redis(place)
        self._cache, self._leases = RedisCache(self._clients), RedisLeases(self._clients)
        self._signals = RedisSignals(self._clients)
        self._numbers = count()
        self._tasks: list[asyncio.Task[None]] = []
        self._stack = AsyncExitStack()
        self._over = False
        self._last_failure: dict[OrganizationId, float] = {}
        self._last_success: dict[OrganizationId, float] = {}
        self.wrong: list[str] = []
        self.errors: Counter[str] = Counter()
        self.done = 0
        self.tokens: list[int] = []
        self.heard: list[tuple[float, bytes]] = []

    async def __aenter__(self) -> Self:
        listener = await self._stack.enter_async_context(self._signals.subscribe(_topic(ORGANIZATIONS[0])))

        async def listen() -> None:
            with suppress(ConflictError):
                async for payload in listener:
                    self.heard.append((time.monotonic(), payload))

        works = [self._use_keys] * WORKERS + [self._contend, self._hold, self._hold, self._speak]
        self._tasks = [asyncio.create_task(self._repeat(work)) for work in works]
        self._tasks.append(asyncio.create_task(listen()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        await self._signals.aclose()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()
        await self._clients.aclose()
        # Whatever is not ours came through, and ended the work that it hit.
        self.wrong += [repr(end) for end in ended if end is not None]

    async def busy(self) -> None:
        """Returns when all of it is under way."""
        async with asyncio.timeout(60):
            while self.done < ENOUGH or not (self.tokens and self.heard):  # noqa: ASYNC110 - counted, not told
                await asyncio.sleep(0.05)

    async def recovered(self, since: float) -> float:
        """Seconds until every organization's keys could be used again for good, and a signal was heard."""
        while True:
            await asyncio.sleep(0.1)
            served = [
                moment
                for organization in ORGANIZATIONS
                if (moment := self._last_success.get(organization, 0)) > self._last_failure.get(organization, since)
            ]
            heard = [moment for moment, _ in self.heard if moment > since + 1]
            if len(served) == len(ORGANIZATIONS) and heard and max(served) > since + 3:
                return max(heard[0], *self._last_failure.values(), since) - since

    async def _repeat(self, work: Callable[[OrganizationId, int], Awaitable[None]]) -> None:
        while not self._over:
            number = next(self._numbers)
            organization = ORGANIZATIONS[number % len(ORGANIZATIONS)]
            try:
                await work(organization, number)
            except ConflictError:
                return
            except OURS as error:
                self.errors[type(error).__name__] += 1
                self._last_failure[organization] = time.monotonic()
                # A caller who comes back at once would only measure how fast connections are refused.
                await asyncio.sleep(0.02)
            else:
                self._last_success[organization] = time.monotonic()

    async def _use_keys(self, organization: OrganizationId, number: int) -> None:
        """A key that nobody else has: whatever it holds is ours, or was lost with a server."""
        key, first, second = CacheKey(organization, f"own/{number}"), b"first %d" % number, b"second %d" % number
        if not await self._cache.add(key, first, ttl=MINUTE):
            self.wrong.append(f"add of {key} was refused, though nobody else has added it")
        await self._cache.replace_if(key, first, second, ttl=MINUTE)
        for seen in (await self._cache.get(key), await self._cache.take(key)):
            if seen not in {first, second, None}:
                self.wrong.append(f"{key} holds {seen!r}")
        if await self._cache.take(key) is not None:
            self.wrong.append(f"{key} was taken twice")
        self.done += 5

    async def _contend(self, organization: OrganizationId, number: int) -> None:
        """A key that four want at once."""
        key, values = CacheKey(organization, f"contended/{number}"), (b"a", b"b", b"c", b"d")
        adds = (self._cache.add(key, value, ttl=MINUTE) for value in values)
        answers: list[Any] = await asyncio.gather(*adds, return_exceptions=True)
        self.done += 4
        if failed := next((answer for answer in answers if isinstance(answer, Exception)), None):
            raise failed
        if answers.count(True) != 1:
            self.wrong.append(f"of four adds to {key}, {answers.count(True)} won")

    async def _hold(self, organization: OrganizationId, number: int) -> None:
        """A lease that two want in turn."""
        lease = await self._leases.acquire("the-one", ttl=SECOND, owner=f"owner-{number}")
        self.done += 1
        if lease is None:
            await asyncio.sleep(0.01)
            return
        self.tokens.append(lease.token)
        await self._leases.release(lease)

    async def _speak(self, organization: OrganizationId, number: int) -> None:
        await self._signals.publish(_topic(ORGANIZATIONS[0]), b"%d" % number)
        self.done += 1
        await asyncio.sleep(0.05)


def _topic(organization: OrganizationId) -> Topic:
    return Topic(organization, "load")
