"""Stores in a PostgreSQL with pgvector for tests, as a role that row-level security holds for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from faultmaven_adapters.vectors.pgvector import PgVectorStore, prepare
from faultmaven_contract_tests.harness import Opener
from faultmaven_contract_tests.servers import needs, shared
from faultmaven_core.ports.vectors import VectorStore
from storages import APP, as_app, new_database, owned

DATABASE = "vectors"


@needs("postgres")
@asynccontextmanager
async def pgvector(folder: Path) -> AsyncIterator[VectorStore]:
    """Vectors in tables that another role owns; the tests share the collections."""
    store = PgVectorStore(await prepared())
    try:
        yield store
    finally:
        await store.aclose()


async def prepared() -> str:
    """The URL of a database for vectors, as the services' role goes there."""
    url = shared("postgres").url
    await asyncio.to_thread(_database, url)
    return as_app(url, DATABASE)


@cache
def _database(url: str) -> None:
    async def make() -> None:
        await new_database(url, DATABASE, migrated=False)
        await prepare(owned(url, DATABASE), app_role=APP)

    asyncio.run(make())


OPENERS: Mapping[str, Opener] = {"pgvector": pgvector}
