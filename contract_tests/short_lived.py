"""Openers of what forgets by itself (cache, leases, signals), for each Redis and for broken connections to one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from faultmaven_adapters._support.redis_clients import RedisClients, open_redis
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.harness import Opener
from faultmaven_contract_tests.servers import needed_by, needs, shared
from faultmaven_core.shared.clock import FixedClock
from redis_backends import CLIENTS, clients_of, place

T = TypeVar("T")


@dataclass(frozen=True)
class Opened(Generic[T]):
    """A backend, another client of the same, and how time passes there."""

    subject: T
    other: T
    passing: Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Faulty(Generic[T]):
    """A backend behind a proxy, and the same without one."""

    subject: T
    direct: T
    proxy: FaultProxy


def in_memory(make: Callable[[FixedClock], Any]) -> Opener:
    """An opener of a memory backend, whose time passes when told."""

    @asynccontextmanager
    async def opener(folder: Path) -> AsyncIterator[Opened[Any]]:
        clock = FixedClock(datetime(2026, 11, 1, tzinfo=UTC))

        async def passing(seconds: float) -> None:
            clock.advance(timedelta(seconds=seconds))

        store = make(clock)
        yield Opened(store, store, passing)
        await store.aclose()

    return opener


def over_redis(adapter: Callable[[RedisClients], Any]) -> dict[str, Opener]:
    """An opener of an adapter for each of our Redis servers."""

    def of(name: str) -> Opener:
        @needs(*needed_by(CLIENTS[name]))
        @asynccontextmanager
        async def opener(folder: Path) -> AsyncIterator[Opened[Any]]:
            async with CLIENTS[name]() as make, AsyncExitStack() as stack:
                subject, other = adapter(make()), adapter(make())
                stack.push_async_callback(subject.aclose)
                stack.push_async_callback(other.aclose)
                yield Opened(subject, other, asyncio.sleep)

        return opener

    return {name: of(name) for name in CLIENTS}


def through_faults(adapter: Callable[[RedisClients], Any]) -> dict[str, Opener]:
    """An opener of an adapter behind a proxy, for the single servers; others tell addresses that lead around it."""

    def of(name: str) -> Opener:
        @needs(name)
        @asynccontextmanager
        async def opener(folder: Path) -> AsyncIterator[Faulty[Any]]:
            where = replace(place(shared(name)), connect_timeout=1.0, timeout=2.0)
            port = urlsplit(where.url).port or 0
            async with FaultProxy("127.0.0.1", port) as proxy, clients_of(where) as make, AsyncExitStack() as stack:
                clients = open_redis(replace(where, url=proxy.through(where.url)))
                stack.push_async_callback(clients.aclose)
                subject, direct = adapter(clients), adapter(make())
                stack.push_async_callback(subject.aclose)
                stack.push_async_callback(direct.aclose)
                yield Faulty(subject, direct, proxy)

        return opener

    return {name: of(name) for name in ("redis", "redis_old")}
