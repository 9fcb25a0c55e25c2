"""Openers of our storages, for all suites of repositories."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from faultmaven_adapters.sql.memory import MemoryStorage
from faultmaven_adapters.sql.migrate import migrate, migrate_postgres
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_adapters.sql.tables import METADATA
from faultmaven_contract_tests.samples import START, Storage
from faultmaven_contract_tests.servers import Server, needs, shared
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.ids import RandomIds
from faultmaven_core.shared.secret import Secret

DATABASE = "contract"
APP = "contract_app"
EMPTY = "; ".join(f"DELETE FROM {table.name}" for table in reversed(METADATA.sorted_tables))


@asynccontextmanager
async def memory(folder: Path) -> AsyncIterator[Storage]:
    """Rows in memory."""
    clock = FixedClock(START)
    storage = MemoryStorage("", clock, RandomIds(clock), lambda _: None)
    await storage.start()
    yield storage
    await storage.aclose()


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Storage]:
    """Rows in a file; at the end no connection may be in use."""
    path = folder / "faultmaven.db"
    shutil.copy(migrated(), path)
    async with sql(str(path), SqlOptions()) as storage:
        yield storage


@needs("postgres")
@asynccontextmanager
async def postgres(folder: Path) -> AsyncIterator[Storage]:
    """Rows in a PostgreSQL, as a role that row-level security holds for."""
    await emptied(shared("postgres"))
    async with sql(as_app(shared("postgres").url), SqlOptions()) as storage:
        yield storage


@needs("postgres_tls")
@asynccontextmanager
async def postgres_tls(folder: Path) -> AsyncIterator[Storage]:
    """The oldest PostgreSQL, over a connection whose other end is proven, with a password."""
    server = shared("postgres_tls")
    await emptied(server)
    async with sql(as_app(server.url), SqlOptions(password=Secret(server.password))) as storage:
        yield storage


@needs("postgres", "pgbouncer")
@asynccontextmanager
async def pgbouncer(folder: Path) -> AsyncIterator[Storage]:
    """The same behind a pooler that gives each transaction another connection."""
    await emptied(shared("postgres"))
    async with sql(as_app(shared("pgbouncer").url), SqlOptions(transaction_pooler=True)) as storage:
        yield storage


@asynccontextmanager
async def sql(place: str, options: SqlOptions) -> AsyncIterator[SqlStorage]:
    """A started storage; at the end no connection may be in use."""
    clock = FixedClock(START)
    storage = SqlStorage(place, clock, RandomIds(clock), lambda _: None, options=options)
    try:
        await storage.start()
        yield storage
        assert "0 connections in use" in storage.pool()
    finally:
        await storage.aclose()


def as_app(url: str, database: str = DATABASE) -> str:
    """The URL of a server as the services' role goes there."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{APP}@{parts.hostname}:{parts.port}", path=f"/{database}").geturl()


async def emptied(server: Server) -> None:
    """Remove every row: a migrated database is made once per run, which takes longer than most clauses."""
    await asyncio.to_thread(_database, server.url, server.password)
    connection = await as_owner(server.url, DATABASE, server.password)
    try:
        await connection.execute(EMPTY)
    finally:
        await connection.close()


@cache
def _database(url: str, password: str) -> None:
    asyncio.run(new_database(url, DATABASE, password))


async def as_owner(url: str, database: str = DATABASE, password: str = "") -> asyncpg.Connection:
    """A connection that no row-level security holds for."""
    return await asyncpg.connect(owned(url, database), password=password or None)


def owned(url: str, database: str = DATABASE) -> str:
    """The owner's URL of a database."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()


async def new_database(url: str, name: str, password: str = "", *, migrated: bool = True) -> str:
    """A migrated database without rows, and the services' role; the owner's URL of it."""
    connection = await asyncpg.connect(url, password=password or None)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {name}")
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", APP):
            await connection.execute(f"CREATE ROLE {APP} LOGIN PASSWORD '{password}'")
    finally:
        await connection.close()
    if migrated:
        await migrate_postgres(owned(url, name), app_role=APP, password=Secret(password))
    return owned(url, name)


@cache
def migrated() -> Path:
    """An empty database with the newest schema, made once: that takes longer than most clauses."""
    folder = tempfile.mkdtemp(prefix="faultmaven-contract-")
    atexit.register(shutil.rmtree, folder)
    path = Path(folder) / "empty.db"
    migrate(str(path))
    return path


OPENERS = {"memory": memory, "sqlite": sqlite, "postgres": postgres, "pgbouncer": pgbouncer}
