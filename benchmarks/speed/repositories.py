"""Repositories beside an ORM, on SQLite and on PostgreSQL: what the process that asks the database pays for it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from benchmarks.speed.repository_work import OPERATIONS, WHOSE, fill
from benchmarks.speed.rounds import Part, Program, Programs, Setting
from faultmaven_adapters.sql.migrate import migrate_postgres
from faultmaven_contract_tests.servers import private

APP = "services"


@contextmanager
def programs(setting: Setting) -> Iterator[Programs]:
    """Both do the same on the same rows."""
    file = str(setting.folder / "cases.db")
    asyncio.run(fill(file))
    with private("postgres") as server:
        # The peer goes there as the owner, who row-level security does not hold for.
        ours = asyncio.run(database(server.url))
        asyncio.run(fill(ours))
        by_name = _of("sqlite", file, file) | _of("postgres", ours, server.url)
        yield Programs(by_name, "operations", server.pids)


async def database(url: str) -> str:
    """A migrated database, and its URL for the role that the product uses."""
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE ROLE {APP} LOGIN")
    await connection.close()
    await migrate_postgres(url, app_role=APP)
    return url.replace("//postgres@", f"//{APP}@")


def _of(database: str, ours: str, peers: str) -> dict[str, Program]:
    command = [sys.executable, "-m", "benchmarks.speed.repository_work"]
    places = {"ours": ours, "ORM": peers}
    return {
        f"{database} {work} {whose}": Program([*command, whose, work, places[whose]])
        for work in OPERATIONS
        for whose in WHOSE
    }


PART = Part(programs)
