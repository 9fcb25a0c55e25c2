"""A pool that gives its connections out in the order of asking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from faultmaven_adapters._support.postgres_place import PostgresPlace
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.postgres_url import connect_arguments


class PostgresPool:
    """So many places, first come, first served; SQLAlchemy's own queue lets newcomers go before those who wait.

    Whoever has taken a connection gives it back once.
    """

    def __init__(self, place: PostgresPlace, options: SqlOptions) -> None:
        self._place, self._options = place, options
        self._places = self._all_free()
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
        return self._places.locked()

    async def take(self) -> AsyncConnection:
        """A connection. Raises SQLAlchemy's TimeoutError where none becomes free in time."""
        try:
            async with asyncio.timeout(self._options.pool_timeout):
                await self._places.acquire()
        except TimeoutError as error:
            raise exc.TimeoutError from error
        try:
            async with asyncio.timeout(self._options.connect_timeout):
                return await self._engine.connect()
        except BaseException:
            self._places.release()
            raise

    async def give_back(self, connection: AsyncConnection) -> None:
        """Close it; whoever has waited longest has its place."""
        try:
            await connection.close()
        finally:
            self._places.release()

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
        """Close all connections; used again, also on another event loop, it opens new ones."""
        await self._engine.dispose()
        self._places = self._all_free()

    def _all_free(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(self._options.pool_size + self._options.max_overflow)
