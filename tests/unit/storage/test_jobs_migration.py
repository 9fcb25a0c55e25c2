"""Jobs of earlier versions are still there after the schema changed, and run."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from faultmaven_adapters.sql import migrate as module
from faultmaven_adapters.sql.migrate import migrate
from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_core.jobs.model import Claim, JobState
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.ids import OrganizationId, RandomIds

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACME = OrganizationId("acme")

STATES = ("queued", "waiting", "running", "succeeded", "dead")
RUN_AT, LEASE = "2026-03-01 11:00:00.000000", "2026-03-01 11:30:00.000000"


def _to(path: Path, revision: str, *, down: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(module.__file__).parent / "migrations"))
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)
        connection.commit()
    engine.dispose()


def _rows(path: Path, sql: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql, values).fetchall()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database of the revision before, with a job in each of its states."""
    path = tmp_path / "fm.db"
    _to(path, "0002")
    insert = "INSERT INTO jobs_job VALUES (?, ?, 'ann', 'do', ?, '', ?, ?, ?, ?, ?, '', ?)"
    for number, state in enumerate(STATES, 1):
        lease = (LEASE, UUID(int=99).hex) if state == "running" else (None, None)
        ended = RUN_AT if state in ("succeeded", "dead") else None
        _rows(path, insert, ACME, UUID(int=number).hex, b"{}", state, number, RUN_AT, *lease, ended)
    return path


async def test_open_jobs_are_due_when_they_were(old: Path) -> None:
    """Waiting ones at their time, running ones when their lease ends, ended ones never; limits are today's defaults."""
    migrate(str(old))
    clock = FixedClock(NOW)
    storage = SqlStorage(str(old), clock, RandomIds(clock), lambda _: None)
    await storage.start()
    try:
        async with storage.job_units(ACME, read_only=True) as unit:
            jobs = [await unit.jobs.get(UUID(int=number)) for number in range(1, len(STATES) + 1)]
        assert [job.state for job in jobs] == list(map(JobState, STATES))
        asked, lease = datetime(2026, 3, 1, 11, tzinfo=UTC), datetime(2026, 3, 1, 11, 30, tzinfo=UTC)
        assert [job.due_at for job in jobs] == [asked, asked, lease, None, None]
        assert {(job.created_at, job.max_attempts, job.queue) for job in jobs} == {(asked, 5, "default")}
        assert [job.attempts for job in jobs] == [1, 2, 3, 4, 5]
        assert {job.id for job in await storage.jobs.unclaimed(NOW, timedelta(0), 10)} == {job.id for job in jobs[:3]}
        taken = [await storage.jobs.claim(Claim(NOW, NOW + timedelta(1), UUID(int=7 + n))) for n in range(4)]
        assert [job.id.int if job else None for job in taken] == [1, 2, 3, None]
    finally:
        await storage.aclose()


def test_going_back_keeps_every_job(old: Path) -> None:
    """In the columns of before; what those cannot say is given up."""
    before = _rows(old, "SELECT * FROM jobs_job ORDER BY id")
    migrate(str(old))
    _to(old, "0002", down=True)
    columns = "organization_id, id, user_id, operation, payload, dedupe_key, state, attempts"
    rest = "run_at, lease_until, token, error, finished_at"
    assert _rows(old, f"SELECT {columns}, {rest} FROM jobs_job ORDER BY id") == before
    migrate(str(old))
    _rows(old, "UPDATE jobs_job SET state = 'cancelled', due_at = NULL WHERE state = 'queued'")
    _to(old, "0002", down=True)
    assert [row[0] for row in _rows(old, "SELECT state FROM jobs_job ORDER BY id")] == ["dead", *STATES[1:]]
