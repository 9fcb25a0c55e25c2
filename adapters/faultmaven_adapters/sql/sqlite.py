"""One SQLite file: connections with the settings that its guarantees rest on, each call in a thread."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine, Executable, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.sql.engine import Rows, Scope, SqlConnection, SqlDatabase, Values
from faultmaven_adapters.sql.errors import TABLE
from faultmaven_adapters.sql.migrate import migrate
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_core.ports.health import Inspection
from faultmaven_core.shared.errors import BackendUnavailableError

T = TypeVar("T")

BUSY_SECONDS = 5
"""How long a writer waits for the others."""

_READ_ONLY = "faultmaven_read_only"
"""Execution option of connections that only read."""

_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
)


class SqliteDatabase(SqlDatabase):
    """See SqlDatabase. Writers come one after another, so a writing transaction holds every name as it begins."""

    def __init__(self, path: str, options: SqlOptions) -> None:
        self.place = f"The database {path}"
        self.options = options
        self._path = path
        self._most = options.pool_size + options.max_overflow
        self.writer = _engine(path, self._most)
        self.reader = self.writer.execution_options(**{_READ_ONLY: True})
        self._renew()

    def _renew(self) -> None:
        # As many threads as connections, each of which has one call at a time: no call ever waits for a thread.
        self._threads = ThreadPoolExecutor(self._most, thread_name_prefix="faultmaven-sqlite")
        self.seats = asyncio.Semaphore(self._most)
        self.turn = asyncio.Semaphore(1)

    async def start(self) -> None:
        calls = BlockingCalls("migration", 1)
        try:
            await calls(migrate, self._path)
        finally:
            calls.close()

    async def begin(self, scope: Scope) -> SqliteConnection:
        connection = SqliteConnection(self, read_only=scope.read_only)
        await connection.open()
        return connection

    async def call(self, work: Callable[[], T]) -> T:
        """The result of work in a thread, whose end also a caller waits for who is cancelled.

        A statement that is cut off would leave its connection, and with it the file's lock, in nobody's hands.
        """
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            with translation(TABLE, self.place):
                return await asyncio.shield(running)
        except asyncio.CancelledError:
            while not running.done():
                try:
                    await asyncio.wait([running])
                except asyncio.CancelledError:
                    continue
            running.exception()
            raise

    async def inspect(self) -> Inspection:
        await self.ping()
        return Inspection("SQLite", sqlite3.sqlite_version, datetime.now(UTC))

    def pool(self) -> str:
        pool = cast("QueuePool", self.writer.pool)
        return f"{pool.checkedout()} connections in use, {pool.checkedin()} idle"

    async def aclose(self) -> None:
        await self.call(self.writer.dispose)
        self._threads.shutdown()
        self._renew()


class SqliteConnection(SqlConnection):
    """See SqlConnection."""

    def __init__(self, database: SqliteDatabase, *, read_only: bool) -> None:
        self._database, self._read_only = database, read_only
        self._connection: Connection | None = None
        self._held: list[asyncio.Semaphore] = []

    async def open(self) -> None:
        """Wait for a connection. A writer waits for the other ones and begins; a reader begins when it first reads."""
        database = self._database
        try:
            await self._hold(
                database.seats, database.options.pool_timeout, "All connections to {} are in use; try again."
            )
            if not self._read_only:
                locked = "{} is locked by another unit of work; wait for it to end."
                await self._hold(database.turn, BUSY_SECONDS, locked)
                await database.call(self._begin)
        except BaseException:
            await self.close()
            raise

    async def run(self, statement: Executable, values: Values = None) -> Rows:
        return await self._database.call(partial(self._run, statement, values))

    async def lock(self, name: str) -> None:
        """Nothing to wait for: see SqliteDatabase."""

    async def commit(self) -> None:
        await self._database.call(lambda: self._begin().commit())

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        held, self._held = self._held, []
        try:
            if connection is not None and self._read_only:
                # Nothing is written, so nothing is waited for: a thread would cost more than the call.
                connection.close()
            elif connection is not None:
                await self._database.call(connection.close)
        finally:
            for semaphore in held:
                semaphore.release()

    async def _hold(self, semaphore: asyncio.Semaphore, seconds: float, sentence: str) -> None:
        try:
            async with asyncio.timeout(seconds):
                await semaphore.acquire()
        except TimeoutError as error:
            raise BackendUnavailableError(sentence.format(self._database.place)) from error
        self._held.append(semaphore)

    def _begin(self) -> Connection:
        if self._connection is None:
            engine = self._database.reader if self._read_only else self._database.writer
            self._connection = engine.connect()
            self._connection.begin()
        return self._connection

    def _run(self, statement: Executable, values: Any) -> Rows:
        return Rows.of(self._begin().execute(statement, values))


def _engine(path: str, connections: int) -> Engine:
    # Whoever has a seat finds a connection, so the pool's own waiting is never used.
    engine = create_engine(URL.create("sqlite", database=path), pool_size=connections, max_overflow=0)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        # The driver must not begin transactions by itself: it would begin them late and without the write lock.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock before it reads, so what it read cannot be stale when it writes.
        reading = connection.get_execution_options().get(_READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
