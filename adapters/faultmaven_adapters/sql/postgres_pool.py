"""A pool that gives its connections out in the order of asking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import NullPool, exc
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from faultmaven_adapters._support.postgres_place import PostgresPlace
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.postgres_url import connect_arguments

PATIENCE = 0.25
"""Seconds that one waits for a connection that is kept before one more is opened, which takes longer than most units."""


class Places:
    """How many connections may be in use at once, and of them the `pool_size` that stay open."""

    def __init__(self, options: SqlOptions) -> None:
        self._all = asyncio.Semaphore(options.pool_size + options.max_overflow)
        self._kept = asyncio.Semaphore(options.pool_size)

    @property
    def full(self) -> bool:
        """Whether whoever comes now would wait."""
        return self._all.locked()

    async def enter(self, patience: float) -> bool:
        """Take a place; whether it is one of those that stay open. Raises SQLAlchemy's TimeoutError where none is free in time."""
        if not await _entered(self._all, patience):
            raise exc.TimeoutError
        try:
            return await _entered(self._kept, PATIENCE)
        except BaseException:
            self._all.release()
            raise

    def leave(self, *, kept: bool) -> None:
        """Whoever has waited longest is next."""
        if kept:
            self._kept.release()
        self._all.release()


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection, as SQLAlchemy has it and as the driver has it, since a moment of the process's own clock."""

    connection: AsyncConnection
    raw: Any
    since: float

    @property
    def gone(self) -> bool:
        """Whether nothing can be said over it any more."""
        return self.connection.invalidated or self.connection.closed or self.raw.is_closed()


@dataclass(frozen=True, slots=True)
class Taken:
    """A connection in use, and the place that it has."""

    opened: Opened
    places: Places
    kept: bool


class PostgresPool:
    """So many places, first come, first served; SQLAlchemy's own queue lets newcomers go before those who wait.

    It holds the connections itself: SQLAlchemy's way out of its pool and back costs as much as a statement. Whoever has
    taken a connection gives it back once.
    """

    def __init__(self, place: PostgresPlace, options: SqlOptions) -> None:
        self._place, self._options = place, options
        self._places = Places(options)
        self._idle: list[Opened] = []
        self._used = 0
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            connect_args=connect_arguments(place, options),
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
            pool_reset_on_return=None,
        )

    @property
    def busy(self) -> bool:
        """Whether whoever asks now would wait."""
        return self._places.full

    async def take(self) -> Taken:
        """A connection. Raises SQLAlchemy's TimeoutError where none becomes free in time."""
        places = self._places
        kept = await places.enter(self._options.pool_timeout)
        try:
            taken = Taken(await self._open(), places, kept)
        except BaseException:
            places.leave(kept=kept)
            raise
        self._used += 1
        return taken

    async def give_back(self, taken: Taken) -> None:
        """Keep it open or close it; whoever has waited longest has its place."""
        self._used -= 1
        try:
            # Where the pool was closed meanwhile, what would keep the connection open is gone.
            if taken.kept and taken.places is self._places and not taken.opened.gone:
                self._idle.append(taken.opened)
            else:
                await taken.opened.connection.close()
        finally:
            taken.places.leave(kept=taken.kept)

    @asynccontextmanager
    async def beside(self) -> AsyncIterator[PostgresPool]:
        """A pool of one connection more than this one has."""
        one = PostgresPool(self._place, replace(self._options, pool_size=1, max_overflow=0))
        try:
            yield one
        finally:
            await one.aclose()

    def status(self) -> str:
        """How many connections there are and how many are in use, in words."""
        return f"{self._used} connections in use, {len(self._idle)} idle"

    async def aclose(self) -> None:
        """Close all connections, those in use as they come back; used again, also on another event loop, it opens new ones."""
        # Who waits and who gives back belongs to the places of before, and to their event loop.
        self._places = Places(self._options)
        idle, self._idle = self._idle, []
        for opened in idle:
            await opened.connection.close()

    async def _open(self) -> Opened:
        """The one that was used last, which the server is least likely to have given up; a new one where none is idle."""
        async with asyncio.timeout(self._options.connect_timeout):
            while self._idle:
                opened = self._idle.pop()
                if not opened.gone and time.monotonic() - opened.since < self._options.pool_recycle:
                    return opened
                await opened.connection.close()
            connection = await self._engine.connect()
            raw = (await connection.get_raw_connection()).driver_connection
            return Opened(connection, raw, time.monotonic())


async def _entered(places: asyncio.Semaphore, seconds: float) -> bool:
    """Whether there was a place in time."""
    if not places.locked():
        return await places.acquire()
    try:
        async with asyncio.timeout(seconds):
            return await places.acquire()
    except TimeoutError:
        return False
