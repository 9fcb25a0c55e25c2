"""Cases and evidence of earlier versions are still there after conversations came, and can be spoken about."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from faultmaven_adapters.sql import migrate as module
from faultmaven_adapters.sql.migrate import migrate
from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_core.cases.dialogue import Dialogue
from faultmaven_core.cases.model import Priority
from faultmaven_core.cases.ports import CaseQuery
from faultmaven_core.cases.service import CaseService
from faultmaven_core.cases.turn_commands import Asked, KeepTurn, ReadMessages
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.ids import CaseId, OrganizationId, RandomIds, UserId

ACME = OrganizationId("acme")
ANN = Caller(ACME, UserId("ann"))
NAME = CaseId("case_000000000001")
WHEN = "2026-03-01 11:00:00.000000"

CASE = (
    "INSERT INTO cases_case (organization_id, key, id, owner, title, question, status, verdict, cause, mechanism, judgement, "
    "actual_cause, closure_reason, history, records, search_text, created_at, updated_at, version) "
    "VALUES ('acme', ?, ?, 'ann', 'old', 'why?', 'inquiry', '', '', '', '', '', '', '[]', 0, ' old', ?, ?, 3)"
)
EVIDENCE = (
    "INSERT INTO evidence_item (organization_id, key, id, case_id, name, role, custody, location, blob, size, modified_ns, "
    "sha256, kind, problem, sources, added_at, added_by, version) "
    "VALUES ('acme', ?, 'ev_1', ?, 'a.log', 'incident', 'reference', '/a.log', '', 5, 1, '', '', '', '[]', ?, 'ann', 1)"
)
RECORD = (
    "INSERT INTO cases_record (organization_id, case_id, sequence, body, sha256, exhibits) "
    "VALUES ('acme', ?, 1, x'7b7d', '', x'7b7d')"
)
ENTRY = (
    "INSERT INTO cases_journal (organization_id, case_id, sequence, key, at, actor, kind, detail, previous, digest) "
    "VALUES ('acme', ?2, 1, ?1, ?3, 'ann', 'opened', '{}', '', '')"
)


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
    """A database of the revision before, with a case and a piece of evidence."""
    path = tmp_path / "fm.db"
    _to(path, "0004")
    _rows(path, CASE, UUID(int=1).hex, NAME, WHEN, WHEN)
    _rows(path, EVIDENCE, UUID(int=2).hex, NAME, WHEN)
    return path


async def test_an_old_case_is_spoken_about(old: Path) -> None:
    """It has no turns yet and the usual priority; its evidence came with no turn."""
    migrate(str(old))
    clock = FixedClock(datetime(2026, 3, 2, tzinfo=UTC))
    storage = SqlStorage(str(old), clock, RandomIds(clock), lambda _: None)
    await storage.start()
    try:
        async with storage.cases(ACME, read_only=True) as unit:
            case = await unit.cases.get(NAME)
            assert (await unit.cases.browse(CaseQuery(), offset=0, limit=9)).total == 1
        assert (case.priority, case.turns, case.messages, case.metadata) == (Priority.MEDIUM, 0, 0, {})
        assert (case.dialogue, case.deleted_at, case.version) == (Dialogue(), None, 3)
        async with storage.evidence(ACME, read_only=True) as evidence:
            (item,) = await evidence.evidence.of_case(NAME)
        assert (item.turn, item.origin, item.details) == (0, "", {})
        cases = CaseService(storage.cases, clock, RandomIds(clock))
        await cases.keep_turn(KeepTurn(Asked(NAME, "x"), 1, "inquiry", 3, "why?", "I do not know."), ANN)
        assert (await cases.messages(ReadMessages(NAME), ANN)).total == 2
    finally:
        await storage.aclose()


async def test_going_back_keeps_what_was_not_deleted(old: Path) -> None:
    """Word for word; what is said and what is deleted has no place in the schema of before."""
    _rows(old, RECORD, NAME)
    _rows(old, ENTRY, UUID(int=3).hex, NAME, WHEN)
    tables = ("cases_case", "cases_record", "cases_journal", "evidence_item")
    before = [_rows(old, f"SELECT * FROM {table}") for table in tables]
    assert all(before)
    _rows(old, EVIDENCE.replace("ev_1", "ev_5"), UUID(int=7).hex, "case_000000000005", WHEN)
    migrate(str(old))
    _rows(old, "UPDATE cases_case SET turns = 7, priority = 'low'")
    columns = ", ".join(
        str(row[1]) for row in _rows(old, "PRAGMA table_info(cases_case)") if row[1] not in {"key", "id"}
    )
    gone = f"INSERT INTO cases_case (key, id, {columns}) SELECT ?, 'case_000000000005', {columns} FROM cases_case"
    _rows(old, gone, UUID(int=5).hex)
    _rows(old, RECORD, "case_000000000005")
    _rows(old, ENTRY, UUID(int=6).hex, "case_000000000005", WHEN)
    _rows(old, "UPDATE cases_case SET deleted_at = created_at WHERE id = 'case_000000000005'")
    _to(old, "0004", down=True)
    after = [_rows(old, f"SELECT * FROM {table}") for table in tables]
    assert after == before
