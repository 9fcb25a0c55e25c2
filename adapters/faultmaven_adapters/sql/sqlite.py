"""One SQLite file: connections with the settings that its guarantees rest on."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.sql.engine import Scope, SqlDatabase
from faultmaven_adapters.sql.errors import TABLE
from faultmaven_adapters.sql.migrate import migrate
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_core.ports.health import Inspection

BUSY_MILLISECONDS = 5000
"""How long a writer waits for the others."""

_READ_ONLY = "faultmaven_read_only"
"""Execution option of connections that only read."""

_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}",
)


class SqliteDatabase(SqlDatabase):
    """See SqlDatabase. Writers come one after another, so a writing transaction holds every name as it begins."""

    def __init__(self, path: str, options: SqlOptions) -> None:
        self.place = f"The database {path}"
        self.patience = None
        self._path = path
        self._engine = _engine(path, options.pool_timeout)

    async def start(self) -> None:
        calls = BlockingCalls("migration", 1)
        try:
            await calls(migrate, self._path)
        finally:
            calls.close()

    async def begin(self, scope: Scope) -> AsyncConnection:
        with translation(TABLE, self.place):
            connection = await self._engine.connect()
            try:
                await connection.execution_options(**{_READ_ONLY: scope.read_only})
                await connection.begin()
            except BaseException:
                await connection.close()
                raise
        return connection

    async def lock(self, connection: AsyncConnection, name: str) -> None:
        """Nothing to wait for: see the class."""

    async def commit(self, connection: AsyncConnection) -> None:
        with translation(TABLE, self.place):
            await connection.commit()

    async def inspect(self) -> Inspection:
        await self.ping()
        return Inspection("SQLite", sqlite3.sqlite_version, datetime.now(UTC))

    def pool(self) -> str:
        return self._engine.pool.status()

    async def aclose(self) -> None:
        await self._engine.dispose()


def _engine(path: str, pool_timeout: float) -> AsyncEngine:
    engine = create_async_engine(URL.create("sqlite+aiosqlite", database=path), pool_timeout=pool_timeout)

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
        reading = connection.get_execution_options().get(_READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
