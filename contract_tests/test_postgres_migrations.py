"""One history of the schema on both databases; PostgreSQL's is brought up by its owner, one at a time, and checked at start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine

from faultmaven_adapters.sql import migrate as module
from faultmaven_adapters.sql.migrate import migrate_postgres
from faultmaven_adapters.sql.migrations.head import HEAD
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.tables import DERIVED, METADATA
from faultmaven_contract_tests.samples import ACME, OTHER, START, case
from faultmaven_contract_tests.servers import shared
from faultmaven_contract_tests.tenancy import fill, look
from faultmaven_core.shared.errors import BackendUnavailableError, MisconfiguredError
from storages import APP, as_app, new_database, sql

pytestmark = pytest.mark.servers("postgres")

DATABASE = "migrations"
OWNER = "plain_owner"
QUICK = SqlOptions(startup_wait=0)


@pytest.fixture
async def url() -> str:
    """The owner's URL of an empty database without a schema."""
    return await new_database(shared("postgres").url, DATABASE, migrated=False)


def app() -> str:
    """The same database as the services' role goes there."""
    return as_app(shared("postgres").url, DATABASE)


async def on(url: str, work: Callable[[Connection], Any]) -> Any:
    """What some synchronous work gives, committed."""
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


async def query(url: str, statement: str) -> Any:
    """The one value of a statement."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def starts(place: str) -> None:
    """Start and close."""
    async with sql(place, QUICK):
        pass


async def test_the_revisions_make_the_tables_that_the_code_uses(url: str) -> None:
    """Autogeneration finds nothing left to do."""
    assert await migrate_postgres(url, app_role=APP) == ""
    assert await migrate_postgres(url, app_role=APP) == HEAD

    def difference(connection: Connection) -> list[Any]:
        every = MetaData()
        for table in (*METADATA.sorted_tables, *DERIVED.sorted_tables):
            table.to_metadata(every)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, every))

    assert await on(url, difference) == []


async def test_every_text_is_in_the_order_of_its_bytes_and_every_document_can_be_searched(url: str) -> None:
    """As SQLite has it, whatever the collation of the database is."""
    await migrate_postgres(url)
    other = "SELECT string_agg(table_name || '.' || column_name, ', ') FROM information_schema.columns WHERE table_schema = "
    texts = "'public' AND data_type IN ('text', 'character varying') AND collation_name IS DISTINCT FROM 'C' AND table_name <> 'alembic_version'"
    assert await query(url, other + texts) is None
    assert await query(url, other + "'public' AND data_type = 'json'") is None


async def test_every_table_forces_row_level_security(url: str) -> None:
    """Also for its owner."""
    await migrate_postgres(url)
    forced = (
        "SELECT array_agg(relname::text ORDER BY relname) FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
    )
    assert await query(url, forced) == sorted([*METADATA.tables, *DERIVED.tables])


async def plain_owner(url: str) -> str:
    """The URL of the database as one who owns it and may do nothing else: row-level security holds for them."""
    if not await query(url, f"SELECT count(*) FROM pg_roles WHERE rolname = '{OWNER}'"):
        await query(url, f"CREATE ROLE {OWNER} LOGIN NOSUPERUSER NOBYPASSRLS")
    await query(url, f"ALTER DATABASE {DATABASE} OWNER TO {OWNER}")
    parts = urlsplit(url)
    return parts._replace(netloc=f"{OWNER}@{parts.hostname}:{parts.port}").geturl()


async def test_up_and_down_and_up_again(url: str) -> None:
    """Step by step, in one database with rows; what was deleted does not come back by going down."""
    owner = await plain_owner(url)

    def to(revision: str, move: Callable[[Config, str], None]) -> Callable[[Connection], None]:
        def work(connection: Connection) -> None:
            config = Config()
            config.set_main_option("script_location", str(Path(module.__file__).parent / "migrations"))
            config.attributes["connection"] = connection
            move(config, revision)

        return work

    await migrate_postgres(owner, app_role=APP)
    async with sql(app(), QUICK) as storage:
        await fill(storage, ACME)
        await fill(storage, OTHER)
        async with storage.cases(OTHER) as unit:
            await unit.cases.save(replace(await unit.cases.get(case().id), deleted_at=START))
            await unit.commit()
    for _ in range(int("0004"), int(HEAD)):
        await on(owner, to("-1", command.downgrade))
    for table in ("cases_case", "cases_record", "cases_journal", "evidence_item"):
        assert await query(url, f"SELECT array_agg(organization_id::text) FROM {table}") == [ACME], table
        assert await query(url, f"SELECT relforcerowsecurity FROM pg_class WHERE relname = '{table}'"), table
    for _ in range(int("0004")):
        await on(owner, to("-1", command.downgrade))
    assert await query(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 1
    for _ in range(int(HEAD)):
        await on(owner, to("+1", command.upgrade))
    assert await migrate_postgres(owner, app_role=APP) == HEAD
    async with sql(app(), QUICK) as storage:
        await fill(storage, ACME)
        assert await look(storage, ACME)


async def test_of_two_that_migrate_at_once_one_does_and_the_other_waits(url: str) -> None:
    """And finds nothing left to do."""
    found = await asyncio.gather(*(migrate_postgres(url, app_role=APP) for _ in range(4)))
    assert sorted(found) == ["", HEAD, HEAD, HEAD]


async def test_a_migration_that_fails_leaves_nothing(url: str) -> None:
    """All in one transaction: a role that is missing is found after the tables were made."""
    with pytest.raises(MisconfiguredError, match="has no role nobody_else for the services: create it"):
        await migrate_postgres(url, app_role="nobody_else")
    assert await query(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


async def test_a_start_refuses_a_schema_that_is_behind(url: str) -> None:
    """Whether there is none yet, or an older one; the remedy is named."""
    with pytest.raises(MisconfiguredError, match="run `fm migrate`"):
        await starts(url)
    await migrate_postgres(url, app_role=APP)
    await starts(app())
    await query(url, "UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(MisconfiguredError, match=rf"is at revision 0001, this release needs {HEAD}: run `fm migrate`"):
        await starts(app())


async def test_a_schema_of_a_newer_release_is_left_alone(url: str) -> None:
    """By the start and by the migration."""
    await migrate_postgres(url, app_role=APP)
    await query(url, "UPDATE alembic_version SET version_num = '9999'")
    for attempt in (starts(app()), migrate_postgres(url, app_role=APP)):
        with pytest.raises(MisconfiguredError, match="by a newer FaultMaven"):
            await attempt


async def test_a_migration_waits_for_a_server_in_vain_and_says_so(url: str) -> None:
    """Within the time that it was given."""
    with pytest.raises(BackendUnavailableError):
        await migrate_postgres("postgresql://u@127.0.0.1:9/none", startup_wait=0.1)


async def test_the_services_role_can_neither_change_the_schema_nor_the_revision(url: str) -> None:
    """Whoever takes over a service does not own its database."""
    await migrate_postgres(url, app_role=APP)
    for statement in (
        "DROP TABLE cases_journal",
        "ALTER TABLE cases_case NO FORCE ROW LEVEL SECURITY",
        "UPDATE alembic_version SET version_num = '9999'",
        "CREATE TABLE mine (x int)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await query(app(), statement)
