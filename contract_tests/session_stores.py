"""The session stores that suites run on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from faultmaven_adapters.sessions.memory import MemorySessionStore
from faultmaven_adapters.sessions.redis import RedisSessionStore
from faultmaven_contract_tests.harness import Opener
from faultmaven_contract_tests.samples import START
from faultmaven_contract_tests.servers import needed_by, needs
from faultmaven_contract_tests.sessions import Later
from faultmaven_core.sessions.ports import SessionStore
from faultmaven_core.shared.clock import FixedClock
from redis_backends import CLIENTS, ClientsOpener


@dataclass(frozen=True, slots=True)
class Opened:
    """Four processes' stores over the same sessions, and a way to let time pass."""

    stores: Sequence[SessionStore]
    later: Later


@asynccontextmanager
async def memory(_folder: Path) -> AsyncIterator[Opened]:
    """In memory: one process is all there is."""
    clock = FixedClock(START)

    async def later(seconds: float) -> None:
        clock.advance(timedelta(seconds=seconds))

    yield Opened([MemorySessionStore(clock)] * 4, later)


def over(clients: ClientsOpener) -> Opener:
    """On a Redis."""

    @needs(*needed_by(clients))
    @asynccontextmanager
    async def opener(_folder: Path) -> AsyncIterator[Opened]:
        async with clients() as make:
            yield Opened([RedisSessionStore(make()) for _ in range(4)], asyncio.sleep)

    return opener


OPENERS = {"memory": memory, **{name: over(clients) for name, clients in CLIENTS.items()}}
