"""Jobs beside bare Celery with the same flags: what it costs to run one that does nothing, and to tell of one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from benchmarks.speed.rounds import Part, Program, Programs, Setting
from faultmaven_adapters.sql.migrate import migrate_postgres
from faultmaven_contract_tests.servers import private

APP = "services"
RUN, TELL = 600, 3000
"""Jobs that are run, and told of, by each program in each round."""


@contextmanager
def programs(setting: Setting) -> Iterator[Programs]:  # noqa: ARG001 - nothing is kept in files
    """One Redis for all; ours has rows in a PostgreSQL as well, which Celery has no word for."""
    with private("redis") as redis, private("postgres") as postgres:
        database = asyncio.run(_database(postgres.url))
        command = [sys.executable, "-m", "benchmarks.speed.job_work"]
        by_name = {
            f"{what} {whose}": Program([*command, what, whose, redis.url, database, str(number)])
            for what, number in (("run", RUN), ("tell", TELL))
            for whose in ("ours", "celery")
        }
        yield Programs(by_name, "jobs", [*redis.pids, *postgres.pids])


async def _database(url: str) -> str:
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE ROLE {APP} LOGIN")
    await connection.close()
    await migrate_postgres(url, app_role=APP)
    return url.replace("//postgres@", f"//{APP}@")


PART = Part(programs)
