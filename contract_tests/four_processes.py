"""Openers of what several processes share (sessions, rate limits): four of them, each with a client of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

from faultmaven_adapters._support.redis_clients import RedisClients
from faultmaven_contract_tests.harness import Opener
from faultmaven_contract_tests.samples import START
from faultmaven_contract_tests.servers import needed_by, needs
from faultmaven_core.shared.clock import FixedClock
from redis_backends import CLIENTS, ClientsOpener

T = TypeVar("T")
PROCESSES = 4


@dataclass(frozen=True, slots=True)
class Opened(Generic[T]):
    """The same backend as each process sees it, and a way to let time pass there."""

    processes: Sequence[T]
    later: Callable[[float], Awaitable[None]]


def in_memory(make: Callable[[FixedClock], Any]) -> Opener:
    """An opener of a memory backend, of which one process is all there is; its time passes when told."""

    @asynccontextmanager
    async def opener(folder: Path) -> AsyncIterator[Opened[Any]]:
        clock = FixedClock(START)

        async def later(seconds: float) -> None:
            clock.advance(timedelta(seconds=seconds))

        yield Opened([make(clock)] * PROCESSES, later)

    return opener


def over_redis(adapter: Callable[[RedisClients], Any]) -> dict[str, Opener]:
    """An opener of an adapter for each of our Redis servers."""

    def of(clients: ClientsOpener) -> Opener:
        @needs(*needed_by(clients))
        @asynccontextmanager
        async def opener(folder: Path) -> AsyncIterator[Opened[Any]]:
            async with clients() as make:
                yield Opened([adapter(make()) for _ in range(PROCESSES)], asyncio.sleep)

        return opener

    return {name: of(clients) for name, clients in CLIENTS.items()}
