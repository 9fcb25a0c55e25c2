"""Openers of our storages, for all suites of repositories."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from faultmaven_adapters.sql.memory import MemoryStorage
from faultmaven_adapters.sql.migrate import migrate
from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_contract_tests.samples import START, Storage
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.ids import RandomIds


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
    clock = FixedClock(START)
    path = folder / "faultmaven.db"
    shutil.copy(_migrated(), path)
    storage = SqlStorage(str(path), clock, RandomIds(clock), lambda _: None)
    await storage.start()
    try:
        yield storage
        assert "Current Checked out connections: 0" in storage.pool()
    finally:
        await storage.aclose()


@cache
def _migrated() -> Path:
    """An empty database with the newest schema, made once: that takes longer than most clauses."""
    folder = tempfile.mkdtemp(prefix="faultmaven-contract-")
    atexit.register(shutil.rmtree, folder)
    path = Path(folder) / "empty.db"
    migrate(str(path))
    return path


OPENERS = {"memory": memory, "sqlite": sqlite}
