"""One SQLite file: connections with the settings that its guarantees rest on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from faultmaven_adapters.sql.errors import translated
from faultmaven_core.ports.health import Pingable

BUSY_MILLISECONDS = 5000
"""How long a writer waits for the others."""

READ_ONLY = "faultmaven_read_only"
"""Execution option of connections that only read."""

_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}",
)


class SqlDatabase(Pingable):
    """The connections to one database file; every repository of the installation shares them."""

    def __init__(self, path: str) -> None:
        self.place = path
        self.engine = _engine(path)

    async def ping(self) -> None:
        with translated(self.place):
            async with self.engine.connect() as connection:
                await connection.execution_options(**{READ_ONLY: True})
                await connection.exec_driver_sql("SELECT 1")

    async def aclose(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def _engine(path: str) -> AsyncEngine:
    engine = create_async_engine(URL.create("sqlite+aiosqlite", database=path), pool_timeout=10)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
        # The driver must not begin transactions by itself: it would begin them late and without the write lock.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock before it reads, so what it read cannot be stale when it writes.
        reading = connection.get_execution_options().get(READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
