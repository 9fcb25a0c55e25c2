"""The database brings itself up to date at start: once, whole, with a copy, and cheaply when there is nothing to do."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import UniqueConstraint, create_engine

from faultmaven import FaultMaven, load_settings
from faultmaven_adapters.sql import migrate as module
from faultmaven_adapters.sql.migrate import migrate, revision
from faultmaven_adapters.sql.migrations.head import HEAD
from faultmaven_adapters.sql.tables import METADATA
from faultmaven_core.cases.commands import ListCases
from faultmaven_core.shared.errors import BackendUnavailableError, CorruptDataError, MisconfiguredError

MIGRATIONS = Path(module.__file__).parent / "migrations"


def run(path: Path, sql: str) -> list[tuple[object, ...]]:
    """Somebody with a database tool."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(sql).fetchall()


def is_table_of_the_code(name: str | None, kind: str, _parents: object) -> bool:
    """All but what makes up the full-text index: its tables are FTS5's own."""
    return kind != "table" or not str(name).startswith("knowledge_index")


def test_the_head_that_starts_compare_with_is_the_newest_revision() -> None:
    """It stands apart so that a start needs no alembic; this keeps it true."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_the_revisions_make_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    """Autogeneration finds nothing left to do."""
    path = tmp_path / "new" / "folder" / "fm.db"
    migrate(str(path))
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        opts = {"compare_type": True, "include_name": is_table_of_the_code}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, METADATA) == []
    engine.dispose()
    assert revision(str(path)) == HEAD
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_every_table_belongs_to_an_organization() -> None:
    """In its key, and in every foreign key."""
    for table in METADATA.sorted_tables:
        assert next(iter(table.primary_key.columns)).name == "organization_id"
        assert not table.c.organization_id.nullable
        for key in table.foreign_key_constraints:
            assert key.column_keys[0] == "organization_id"
            assert key.elements[0].column.name == "organization_id"


WITHIN_THE_INSTALLATION = {
    "uq_jobs_job_id": "runners are told of a job by its id alone",
    "uq_identity_user_username": "who signs in names no organization",
    "uq_identity_user_email": "as for the name",
    "uq_identity_directory_kind_digest": "one name and one secret lead to one organization",
}
"""Keys that reach across organizations, and why: a clash with one tells that somebody else has the same."""


def test_keys_do_not_reach_across_organizations() -> None:
    """But for those that must, by name."""
    found = set()
    for table in METADATA.sorted_tables:
        keys = [key for key in table.constraints if isinstance(key, UniqueConstraint)]
        for name, columns in [(key.name, key.columns) for key in keys] + [
            (index.name, index.columns) for index in table.indexes if index.unique
        ]:
            if "organization_id" not in [column.name for column in columns]:
                found.add(name)
    assert found == WITHIN_THE_INSTALLATION.keys()


def test_up_and_down_and_up_again(tmp_path: Path) -> None:
    """On one file."""
    from alembic import command

    path = tmp_path / "fm.db"
    migrate(str(path))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()
    engine.dispose()
    assert run(path, "SELECT name FROM sqlite_master WHERE tbl_name <> 'alembic_version'") == []
    run(path, "DELETE FROM alembic_version")
    migrate(str(path))
    assert run(path, "SELECT count(*) FROM cases_case") == [(0,)]


def test_a_start_with_nothing_to_do_changes_nothing(tmp_path: Path) -> None:
    """No copy, no lock, no write."""
    path = tmp_path / "fm.db"
    migrate(str(path))
    before = sorted((file.name, file.stat().st_mtime_ns) for file in tmp_path.iterdir())
    migrate(str(path))
    assert sorted((file.name, file.stat().st_mtime_ns) for file in tmp_path.iterdir()) == before


def test_data_is_copied_before_the_schema_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy is whole and the owner's alone; a step that fails leaves everything as it was."""
    path = tmp_path / "fm.db"
    migrate(str(path))
    run(path, "UPDATE alembic_version SET version_num = '0000'")
    run(path, "CREATE TABLE kept (x)")

    def fail(_: str) -> None:
        raise sqlite3.OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(module, "_upgrade", fail)
        with pytest.raises(Exception, match="its own words"):
            migrate(str(path))
    copy = tmp_path / f"fm.db.before-{HEAD}"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert run(copy, "SELECT version_num FROM alembic_version") == [("0000",)]
    assert run(copy, "SELECT count(*) FROM kept") == [(0,)]
    assert revision(str(path)) == "0000"


def test_a_step_that_fails_halfway_leaves_no_table_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite can undo CREATE TABLE if the driver lets it."""
    from alembic import op

    made = 0
    create_table = op.create_table

    def failing(*args: object, **kwargs: object) -> object:
        nonlocal made
        made += 1
        if made == 4:
            raise sqlite3.OperationalError
        return create_table(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came

    path = tmp_path / "fm.db"
    with monkeypatch.context() as patch:
        patch.setattr(op, "create_table", failing)
        with pytest.raises(Exception, match="its own words"):
            migrate(str(path))
    assert made == 4
    assert run(path, "SELECT name FROM sqlite_master") == []
    migrate(str(path))
    assert revision(str(path)) == HEAD


def test_of_many_starts_at_once_one_migrates(tmp_path: Path) -> None:
    """The others wait for it."""
    path = str(tmp_path / "fm.db")
    errors: list[BaseException] = []

    def start() -> None:
        try:
            migrate(path)
        except BaseException as error:  # noqa: BLE001 - told to the test below
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert revision(path) == HEAD


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """And the error says what to do."""
    path = tmp_path / "fm.db"
    migrate(str(path))
    run(path, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(MisconfiguredError, match="newer FaultMaven"):
        migrate(str(path))


def test_files_that_are_no_database_are_named(tmp_path: Path) -> None:
    """And folders that cannot be made."""
    path = tmp_path / "notes.txt"
    path.write_text("these are no rows " * 100)
    with pytest.raises(CorruptDataError, match=r"notes\.txt is damaged or no database"):
        migrate(str(path))
    with pytest.raises(MisconfiguredError, match="set FM_HOME"):
        migrate(str(path / "below" / "fm.db"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(BackendUnavailableError, match="folder cannot be"):
        migrate(str(tmp_path / "folder"))


async def test_two_programs_may_have_it_open(tmp_path: Path) -> None:
    """At once, from the first start on."""
    settings = load_settings({"FM_HOME": str(tmp_path)})

    async def start() -> int:
        async with FaultMaven.open(settings) as fm:
            return len((await fm.cases.list(ListCases(), fm.caller)).items)

    assert await asyncio.gather(*(start() for _ in range(3))) == [0, 0, 0]


PROBE = """
import sys
{before}
print(" ".join(sorted({{name.partition(".")[0] for name in sys.modules}} & set({forbidden!r}))))
"""
SERVERS = ["asyncpg", "boto3", "botocore", "redis", "celery", "kombu"]
"""What a laptop never loads."""

DRIVERS = ["sqlalchemy", "alembic", "injector", "jinja2", "yaml", "numpy", "msgspec", "hyperscan", "re2", *SERVERS]


def loaded(before: str, forbidden: list[str], *arguments: str) -> str:
    """Which of these modules a fresh program has loaded after some statements."""
    program = PROBE.format(before=before, forbidden=forbidden)
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_importing_the_library_loads_no_driver() -> None:
    """Nor a framework: a program that only might need it does not pay."""
    assert loaded("import faultmaven", DRIVERS) == ""


def test_listing_cases_loads_what_it_needs_and_no_more(tmp_path: Path) -> None:
    """No alembic where the schema is current, no parser, no scanner, no template engine."""
    migrate(str(tmp_path / "faultmaven.db"))
    statements = """
import asyncio
from faultmaven import FaultMaven, load_settings
from faultmaven_core.cases.commands import ListCases

async def main():
    async with FaultMaven.open(load_settings({"FM_HOME": sys.argv[1]})) as fm:
        await fm.cases.list(ListCases(), fm.caller)

asyncio.run(main())
"""
    unneeded = [
        "alembic",
        "mako",
        "numpy",
        "jinja2",
        "yaml",
        "hyperscan",
        "re2",
        "zstandard",
        "pypdf",
        "docx",
        *SERVERS,
    ]
    assert loaded(statements, unneeded, str(tmp_path)) == ""
