"""What only a PostgreSQL can do wrong: rows seen across organizations, statements without end, pools, certificates."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_adapters.sql.tables import DERIVED, METADATA
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_contract_tests.identity_samples import token, user
from faultmaven_contract_tests.identity_tenancy import fill as fill_identity
from faultmaven_contract_tests.samples import ACME, OTHER, Storage, case, evidence, request
from faultmaven_contract_tests.servers import shared
from faultmaven_contract_tests.tenancy import fill as fill_contexts
from faultmaven_core.cases.ports import CaseUnitOfWork
from faultmaven_core.identity.credentials import digest
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.shared.errors import (
    BackendError,
    BackendUnavailableError,
    DeadlineExceededError,
    FaultMavenError,
    MisconfiguredError,
    PermissionDeniedError,
)
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.shared.secret import Secret
from storages import APP, DATABASE, as_app, as_owner, emptied, postgres, sql

pytestmark = pytest.mark.servers("postgres", "postgres_tls", "pgbouncer")

TABLES = [*METADATA.tables, *DERIVED.tables]
APPEND_ONLY = {"cases_record", "cases_journal", "cases_message", "identity_audit"}


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqlStorage]:
    """An empty one."""
    async with postgres(tmp_path) as opened:
        assert isinstance(opened, SqlStorage)
        yield opened


@pytest.fixture
async def raw(storage: SqlStorage) -> AsyncIterator[asyncpg.Connection]:
    """Somebody who took over a service: its role, any statement."""
    connection = await asyncpg.connect(as_app(shared("postgres").url))
    yield connection
    await connection.close()


async def fill(storage: Storage, organization: OrganizationId) -> None:
    """One row of every kind at least."""
    await fill_contexts(storage, organization)
    await fill_identity(storage, organization)


def transaction(unit: CaseUnitOfWork) -> SqlTransaction:
    """The unit's own, for statements that no repository has."""
    found: SqlTransaction = vars(unit)["transaction"]
    return found


async def test_raw_sql_without_an_organization_sees_and_writes_nothing(
    storage: SqlStorage, raw: asyncpg.Connection
) -> None:
    """Row-level security is forced on every table there is; that some have rows is seen by the owner."""
    await fill(storage, ACME)
    async with storage.cases(ACME) as unit:
        await unit.outbox.add(request())
        await unit.commit()
    owner = await as_owner(shared("postgres").url)
    for table in TABLES:
        assert await owner.fetchval(f"SELECT count(*) FROM {table}") > 0, table
        assert await raw.fetchval(f"SELECT count(*) FROM {table}") == 0, table
        if table not in APPEND_ONLY:
            assert await raw.execute(f"UPDATE {table} SET organization_id = 'x'") == "UPDATE 0"
            assert await raw.execute(f"DELETE FROM {table}") == "DELETE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await raw.execute("INSERT INTO commands_answer VALUES ('acme', 'u', 'k', 'c', '', now())")
    await owner.close()


async def test_raw_sql_of_one_organization_sees_no_other(storage: SqlStorage, raw: asyncpg.Connection) -> None:
    """Nor can it write there, or move a row there."""
    await fill(storage, ACME)
    await fill(storage, OTHER)
    async with raw.transaction():
        await raw.execute("SELECT set_config('app.organization', 'acme', true)")
        for table in set(TABLES) - {"jobs_job"}:
            assert await raw.fetchval(f"SELECT count(*) FROM {table} WHERE organization_id <> 'acme'") == 0
            assert await raw.fetchval(f"SELECT count(*) FROM {table}") > 0
        for table in set(TABLES) - {"jobs_job"}:
            moved = f'jsonb_populate_record(NULL::{table}, to_jsonb(mine) || \'{{"organization_id": "other"}}\')'
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                async with raw.transaction():
                    await raw.execute(f"INSERT INTO {table} SELECT ({moved}).* FROM {table} mine LIMIT 1")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await raw.execute("UPDATE cases_case SET organization_id = 'other'")
    # The setting ended with the transaction: the next user of the connection has none.
    assert await raw.fetchval("SELECT count(*) FROM cases_case") == 0


async def test_the_runners_setting_opens_the_jobs_and_nothing_else(
    storage: SqlStorage, raw: asyncpg.Connection
) -> None:
    """A runner claims across organizations."""
    await fill(storage, ACME)
    async with storage.cases(ACME) as unit:
        await unit.outbox.add(request())
        await unit.commit()
    async with raw.transaction():
        await raw.execute("SELECT set_config('app.runner', 'on', true)")
        seen = {table: await raw.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}
    assert seen == dict.fromkeys(TABLES, 0) | {"jobs_job": 1}


async def test_the_directorys_setting_opens_the_directory_and_nothing_else(
    storage: SqlStorage, raw: asyncpg.Connection
) -> None:
    """To be read only; what it holds are digests, so no name or secret is to be seen there."""
    await fill(storage, ACME)
    async with raw.transaction():
        await raw.execute("SELECT set_config('app.directory', 'on', true)")
        seen = {table: await raw.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}
        entries = {row["digest"] for row in await raw.fetch("SELECT digest FROM identity_directory")}
        for change in ("UPDATE identity_directory SET subject = 'x'", "DELETE FROM identity_directory"):
            assert (await raw.execute(change)).endswith(" 0")
    assert {table for table, rows in seen.items() if rows} == {"identity_directory"}
    assert {digest(user().username), digest(user().email), token().digest} <= entries
    assert all(len(entry) == 64 for entry in entries)


async def test_a_sign_in_is_looked_up_by_an_index(storage: SqlStorage, raw: asyncpg.Connection) -> None:
    """Under row-level security too, whose conditions would keep an operator that is not leakproof from it."""
    await fill(storage, ACME)
    async with raw.transaction():
        await raw.execute("SELECT set_config('app.directory', 'on', true)")
        await raw.execute("SET LOCAL enable_seqscan = off")
        asked = "EXPLAIN SELECT * FROM identity_directory WHERE kind = 'refresh' AND digest = 'd'"
        plan = "\n".join(row[0] for row in await raw.fetch(asked))
    used = next(line for line in plan.splitlines() if "Index Cond: " in line)
    assert "kind" in used, plan
    assert "digest" in used, plan


async def test_nobody_is_entered_into_the_directory_for_another_organization(
    storage: SqlStorage, raw: asyncpg.Connection
) -> None:
    """That would hand somebody's sign-in to somebody else."""
    await fill(storage, ACME)
    async with raw.transaction():
        await raw.execute("SELECT set_config('app.organization', 'other', true)")
        await raw.execute("SELECT set_config('app.directory', 'on', true)")
        for change in ("UPDATE identity_directory SET organization_id = 'other'", "DELETE FROM identity_directory"):
            assert (await raw.execute(change)).endswith(" 0")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await raw.execute("INSERT INTO identity_directory VALUES ('acme', 'username', 'd', 'usr_1')")


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
@pytest.mark.parametrize("statement", ["UPDATE {} SET sequence = 9", "DELETE FROM {}", "TRUNCATE {}"])
async def test_what_happened_cannot_be_rewritten_by_a_service(
    raw: asyncpg.Connection, table: str, statement: str
) -> None:
    """Journal, records, messages and the audit log are appended to; only a case takes its own along."""
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await raw.execute(statement.format(table))


async def test_a_unit_is_refused_another_organizations_row_by_the_database_too(storage: SqlStorage) -> None:
    """If the code's own check were gone."""
    async with storage.cases(ACME) as unit:
        with pytest.raises(PermissionDeniedError):
            await transaction(unit).run(text("INSERT INTO commands_answer VALUES ('other', 'u', 'k', 'c', '', now())"))


async def test_a_statement_that_takes_too_long_is_ended_and_the_connection_goes_on(storage: SqlStorage) -> None:
    """By the server, so that it does not work on for nobody."""
    async with sql(
        as_app(shared("postgres").url), SqlOptions(pool_size=1, max_overflow=0, statement_timeout=2.0)
    ) as slow:
        async with slow.cases(ACME) as unit:
            with pytest.raises(DeadlineExceededError, match="did not answer in time"):
                await transaction(unit).run(text("SELECT pg_sleep(30)"))
        async with slow.cases(ACME) as unit:
            await unit.cases.add(case())
            await unit.commit()
        assert slow.pool() == "0 connections in use, 1 idle"


@pytest.mark.parametrize("server", ["postgres", "pgbouncer"])
async def test_a_lock_that_somebody_holds_is_not_waited_for_without_end(storage: SqlStorage, server: str) -> None:
    """Through a pooler too, which takes no setting at connection."""
    async with storage.cases(ACME) as unit:
        await unit.cases.add(case())
        await unit.commit()
    options = SqlOptions(lock_timeout=0.2, transaction_pooler=server == "pgbouncer")
    async with (
        sql(as_app(shared(server).url), options) as hasty,
        storage.cases(ACME) as first,
        hasty.cases(ACME) as second,
    ):
        await first.cases.save(case(title="first"))
        with pytest.raises(BackendUnavailableError, match="is locked"):
            await second.cases.save(case(title="second"))


async def test_a_transaction_that_idles_is_ended_and_the_next_one_works(storage: SqlStorage) -> None:
    """A program that hangs inside a unit must not hold its locks for ever."""
    async with sql(as_app(shared("postgres").url), SqlOptions(pool_size=1, max_overflow=0, idle_timeout=1.0)) as idle:
        async with idle.cases(ACME) as unit:
            await unit.cases.add(case())
            await asyncio.sleep(3)
            with pytest.raises(BackendUnavailableError):
                await unit.commit()
        async with idle.cases(ACME) as unit:
            await unit.cases.add(case())
            await unit.commit()


async def test_a_pool_without_a_free_connection_says_so_in_time(storage: SqlStorage) -> None:
    """And is whole again afterwards."""
    options = SqlOptions(pool_size=1, max_overflow=1, pool_timeout=0.2)
    async with sql(as_app(shared("postgres").url), options) as small:
        async with small.cases(ACME), small.cases(ACME):
            began = time.monotonic()
            with pytest.raises(BackendUnavailableError, match="are in use"):
                await small.cases(ACME).__aenter__()
            assert time.monotonic() - began < 5
        async with small.cases(ACME) as unit:
            await unit.commit()


async def test_two_units_that_wait_for_each_other_are_told_so(storage: SqlStorage) -> None:
    """One of them loses; the other one goes on."""
    async with storage.cases(ACME) as unit:
        await unit.cases.add(case(1))
        await unit.cases.add(case(2))
        await unit.commit()
    met = asyncio.Barrier(2)

    async def both(first: int, second: int) -> str:
        try:
            async with storage.cases(ACME) as unit:
                await unit.cases.save(case(first))
                await met.wait()
                await unit.cases.save(case(second))
                await unit.commit()
        except FaultMavenError as error:
            return error.code
        return "done"

    assert sorted(await asyncio.gather(both(1, 2), both(2, 1))) == ["done", "stale_version"]


async def test_two_that_add_the_same_file_at_once_keep_one(storage: SqlStorage) -> None:
    """Who reads a case's evidence in a writing unit holds it until the end."""

    async def add(number: int) -> None:
        async with storage.evidence(ACME) as unit:
            if not await unit.evidence.of_case(case().id):
                await asyncio.sleep(0.05)
                await unit.evidence.add([evidence(number)])
            await unit.commit()

    await asyncio.gather(*(add(number) for number in range(1, 5)))
    async with storage.evidence(ACME, read_only=True) as unit:
        assert len(await unit.evidence.of_case(case().id)) == 1


async def test_a_read_only_unit_sees_one_state_to_its_end(storage: SqlStorage) -> None:
    """Whatever is committed meanwhile."""
    async with storage.cases(ACME, read_only=True) as reader:
        assert await reader.journal.last(case().id) is None
        await fill(storage, ACME)
        assert await reader.journal.last(case().id) is None


async def test_units_that_may_lag_read_where_the_replica_is(storage: SqlStorage) -> None:
    """And no others do."""
    await fill(storage, ACME)
    url = as_app(shared("postgres").url)
    async with sql(url, SqlOptions(read_url=as_app(shared("postgres").url, "nowhere"))) as split:
        async with split.cases(ACME, read_only=True) as unit:
            await unit.cases.get(case().id)
        with pytest.raises(MisconfiguredError):
            await split.cases(ACME, may_lag=True).__aenter__()


async def test_inspecting_names_version_clock_and_nothing_to_mend(storage: SqlStorage) -> None:
    """With the role that `fm migrate` prepared; fsync is off in tests, and said to be."""
    found = await storage.inspect()
    assert found.product == "PostgreSQL"
    assert found.version == shared("postgres").version
    assert found.clock is not None
    assert [warning.partition(" ")[0] for warning in found.warnings] == ["fsync"]


async def test_inspecting_warns_of_a_role_that_may_too_much_and_of_a_pool_that_is_too_large() -> None:
    """Each with the remedy."""
    server = shared("postgres")
    await emptied(server)
    url = server.url.removesuffix("/postgres") + f"/{DATABASE}"
    async with sql(url, SqlOptions(pool_size=100, max_overflow=100)) as storage:
        warnings = " ".join((await storage.inspect()).warnings)
    assert "bypasses row-level security: use one with NOSUPERUSER" in warnings
    assert "owns the tables" in warnings
    assert "lower FM_DATABASE_POOL_SIZE" in warnings


SECRET = "hunter2-not-the-password"


async def start(url: str, **options: object) -> None:
    """Start and close; what goes wrong is raised."""
    async with sql(url, replace(SqlOptions(startup_wait=0), **options)):  # type: ignore[arg-type]  # any of its fields
        pass


async def test_a_wrong_password_is_final_and_not_shown() -> None:
    """Waiting would not help, so nobody waits."""
    url = as_app(shared("postgres_tls").url)
    began = time.monotonic()
    for wrong in (url.replace(f"{APP}@", f"{APP}:{SECRET}@"), url):
        with pytest.raises(AuthenticationError) as caught:
            await start(wrong, password=Secret(SECRET), startup_wait=60)
        assert SECRET not in f"{caught.value!r} {caught.value}"
        assert not caught.value.retryable
    assert time.monotonic() - began < 20


async def test_a_missing_database_is_final() -> None:
    """It will not come by itself."""
    with pytest.raises(MisconfiguredError, match=r"The database nowhere at .* does not exist: create it"):
        await start(as_app(shared("postgres").url, "nowhere"), startup_wait=60)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("127.0.0.1", "127.0.0.2"), "not trusted: look at its host name"),
        (("sslrootcert=", "sslrootcert=/nowhere"), "cannot be used: it must hold certificates"),
        (("verify-full", "verify-most"), "it is one of disable, prefer, require, verify-ca, verify-full"),
        (("sslmode", "sslmood"), "has sslmood, which is not known"),
    ],
)
async def test_a_certificate_that_proves_nothing_is_refused(change: tuple[str, str], sentence: str) -> None:
    """And so is a setting that would check less than was meant."""
    server = shared("postgres_tls")
    await emptied(server)
    with pytest.raises((BackendError, MisconfiguredError), match=sentence) as caught:
        await start(as_app(server.url).replace(*change), password=Secret(server.password), startup_wait=5)
    assert not caught.value.retryable


async def test_an_authority_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """The one of our own server is needed, not any."""
    import trustme

    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    server = shared("postgres_tls")
    for mode in ("verify-full", "verify-ca", "require"):
        url = as_app(server.url).partition("?")[0] + f"?sslmode={mode}&sslrootcert={other}"
        with pytest.raises(BackendError, match="not trusted"):
            await start(url, password=Secret(server.password), startup_wait=5)


@pytest.mark.parametrize("mode", ["verify-ca", "require"])
async def test_a_certificate_may_name_another_host_where_names_are_not_checked(mode: str) -> None:
    """As in PostgreSQL's own clients."""
    server = shared("postgres_tls")
    await emptied(server)
    url = as_app(server.url).replace("127.0.0.1", "127.0.0.2").replace("verify-full", mode)
    await start(url, password=Secret(server.password))


@pytest.mark.parametrize(
    "url", ["postgresql:", "postgresql://host/db", "postgresql://u@host:1x/db", "postgresql://u@/"]
)
def test_a_url_that_says_too_little_is_refused(url: str) -> None:
    """At once, without a word of its password."""
    with pytest.raises(MisconfiguredError, match="postgresql://user@host:port/database"):
        SqlStorage(url, None, None, None, options=SqlOptions())  # type: ignore[arg-type]  # not reached


async def test_a_pooler_that_was_not_declared_is_named() -> None:
    """The remedy stands in the error."""
    await emptied(shared("postgres"))
    errors: list[FaultMavenError] = []
    async with sql(as_app(shared("pgbouncer").url), SqlOptions(pool_size=10)) as storage:

        async def use() -> None:
            for _ in range(5):
                try:
                    async with storage.cases(ACME, read_only=True) as unit:
                        await unit.journal.last(case().id)
                except FaultMavenError as error:
                    errors.append(error)

        await asyncio.gather(*(use() for _ in range(10)))
    assert {type(error) for error in errors} == {MisconfiguredError}
    assert all("set FM_DATABASE_POOLER" in str(error) for error in errors)
