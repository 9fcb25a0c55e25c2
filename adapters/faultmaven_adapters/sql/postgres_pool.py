"""A pool that gives its connections out in the order of asking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from sqlalchemy import exc
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
class Taken:
    """A connection in use, and the place that it has."""

    connection: AsyncConnection
    places: Places
    kept: bool


class PostgresPool:
    """So many places, first come, first served; SQLAlchemy's own queue lets newcomers go before those who wait.

    Whoever has taken a connection gives it back once.
    """

    def __init__(self, place: PostgresPlace, options: SqlOptions) -> None:
        self._place, self._options = place, options
        self._places = Places(options)
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            connect_args=connect_arguments(place, options),
            isolation_level="AUTOCOMMIT",
            pool_reset_on_return=None,
            pool_size=options.pool_size,
            max_overflow=options.max_overflow,
            pool_recycle=options.pool_recycle,
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
            async with asyncio.timeout(self._options.connect_timeout):
                return Taken(await self._engine.connect(), places, kept)
        except BaseException:
            places.leave(kept=kept)
            raise

    async def give_back(self, taken: Taken) -> None:
        """Close it; whoever has waited longest has its place."""
        try:
            if taken.places is not self._places:
                # The pool was closed meanwhile: what would keep the connection open is gone.
                await taken.connection.invalidate()
            await taken.connection.close()
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
        return self._engine.pool.status()

    async def aclose(self) -> None:
        """Close all connections, those in use as they come back; used again, also on another event loop, it opens new ones."""
        # Who waits and who gives back belongs to the places of before, and to their event loop.
        self._places = Places(self._options)
        await self._engine.dispose()


async def _entered(places: asyncio.Semaphore, seconds: float) -> bool:
    """Whether there was a place in time."""
    if not places.locked():
        return await places.acquire()
    try:
        async with asyncio.timeout(seconds):
            return await places.acquire()
    except TimeoutError:
        return False
