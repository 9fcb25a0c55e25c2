"""What is pgvector's own: who owns the tables, row-level security, the index, long vectors, poolers, locks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import pytest

from faultmaven_adapters.vectors.pgvector import PgVectorStore, prepare
from faultmaven_contract_tests.servers import shared
from faultmaven_contract_tests.vector_samples import EAST, SPEC, WEST, fresh_scope, ids, record
from faultmaven_core.ports.health import AuthenticationError
from faultmaven_core.ports.vector_fields import FieldType
from faultmaven_core.ports.vector_filters import Eq
from faultmaven_core.ports.vectors import (
    CollectionMissingError,
    CollectionName,
    CollectionSpec,
    Embedding,
    Metric,
    Scope,
    VectorId,
    VectorRecord,
)
from faultmaven_core.shared.errors import BackendUnavailableError, DeadlineExceededError, MisconfiguredError
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.shared.secret import Secret
from pgvector_backends import DATABASE, prepared
from storages import APP, as_app, as_owner, new_database, owned

pytestmark = pytest.mark.servers("postgres")

FRESH = "vectors_fresh"
MANY = CollectionSpec(
    CollectionName("pgvector_many"), 16, Metric.COSINE, {"kind": FieldType.STRING}, embedding="random"
)


@asynccontextmanager
async def opened(url: str = "", **options: Any) -> AsyncIterator[PgVectorStore]:
    """A store, by default in the shared database."""
    store = PgVectorStore(url or await prepared(), **options)
    try:
        yield store
    finally:
        await store.aclose()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    """A connection past the store."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def test_without_an_organization_nobody_sees_a_row() -> None:
    """Row-level security holds where a statement forgot whose rows it wants, for reading and for writing."""
    async with opened() as store, connected(await prepared()) as raw:
        await store.ensure(SPEC)
        mine, theirs = fresh_scope(), fresh_scope()
        await store.upsert(mine, [record("a")])
        await store.upsert(theirs, [record("a"), record("b")])
        table = f"vectors_of_{SPEC.name}"
        assert await raw.fetchval(f"SELECT count(*) FROM {table}") == 0
        await raw.execute(f"SELECT set_config('app.organization', '{mine.organization}', false)")
        assert await raw.fetchval(f"SELECT count(*) FROM {table}") == 1
        assert await raw.execute(f"DELETE FROM {table} WHERE organization_id = $1", theirs.organization) == "DELETE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await raw.execute(f"UPDATE {table} SET organization_id = $1", theirs.organization)
        assert set(await store.get(theirs, ids("a", "b"))) == {"a", "b"}


async def test_the_services_role_owns_nothing_and_cannot_lift_the_rules() -> None:
    """It makes collections through one function, which takes names of collections and nothing else."""
    async with opened() as store, connected(await prepared()) as raw:
        await store.ensure(SPEC)
        for statement in (
            "CREATE TABLE vectors_of_mine (id int)",
            f"ALTER TABLE vectors_of_{SPEC.name} DISABLE ROW LEVEL SECURITY",
            f"DROP POLICY organization ON vectors_of_{SPEC.name}",
            f"DROP TABLE vectors_of_{SPEC.name}",
            "DELETE FROM vectors_collections",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await raw.execute(statement)
        for name in ("x", "Abc", "a b", 'abc"; DROP TABLE vectors_collections; --', "a" * 46):
            with pytest.raises(asyncpg.InvalidParameterValueError):
                await raw.execute("SELECT vectors_make($1, 3, '')", name)
        await raw.execute("SELECT vectors_drop('collections')")
        assert await raw.fetchval("SELECT count(*) FROM vectors_collections") > 0


async def test_nobody_else_may_call_the_functions() -> None:
    """They run with the owner's rights."""
    await prepared()
    owner = await as_owner(shared("postgres").url, DATABASE)
    try:
        await owner.execute(
            "DROP ROLE IF EXISTS vectors_stranger; CREATE ROLE vectors_stranger; SET ROLE vectors_stranger"
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute("SELECT vectors_make('strange', 3, '')")
        await owner.execute("RESET ROLE; DROP ROLE vectors_stranger")
    finally:
        await owner.close()


async def test_preparing_is_repeatable_and_waits_for_others() -> None:
    """Whatever order several deployments come in; what is stored stays."""
    url = await prepared()
    async with opened() as store:
        await store.ensure(SPEC)
        scope = fresh_scope()
        await store.upsert(scope, [record("a")])
        place = owned(shared("postgres").url, DATABASE)
        await asyncio.gather(*(prepare(place, app_role=APP) for _ in range(4)))
        assert set(await store.get(scope, ids("a"))) == {"a"}
    async with opened(url) as again:
        assert await again.count(scope) == 1


async def test_a_role_that_is_not_there_is_said() -> None:
    """Before anything is made."""
    await prepared()
    with pytest.raises(MisconfiguredError, match="nobody_here"):
        await prepare(owned(shared("postgres").url, DATABASE), app_role="nobody_here")


async def test_a_database_that_nobody_prepared() -> None:
    """The services' role says what to run; a role that may make tables does it itself, once."""
    url = shared("postgres").url
    place = await new_database(url, FRESH, migrated=False)
    async with opened(as_app(url, FRESH)) as store:
        with pytest.raises(MisconfiguredError, match="fm migrate"):
            await store.ensure(SPEC)
        await prepare(place, app_role=APP)
        await store.ensure(SPEC)
    await new_database(url, FRESH, migrated=False)
    async with opened(place) as one, opened(place) as other:
        await asyncio.gather(one.ensure(SPEC), other.ensure(SPEC))
        scope = fresh_scope()
        await one.upsert(scope, [record("a")])
        assert set(await other.get(scope, ids("a"))) == {"a"}
        assert (await one.inspect()).warnings


async def test_a_database_of_its_own_is_prepared_as_the_error_says() -> None:
    """Nobody migrates it: what its user lacks an administrator grants, and the same call is then answered."""
    url = shared("postgres").url
    await new_database(url, FRESH, migrated=False)
    async with opened(as_app(url, FRESH)) as store:
        administrator = await as_owner(url, FRESH)
        try:
            for said, granted in (
                ("CREATE EXTENSION vector in this database", "CREATE EXTENSION vector"),
                ("GRANT CREATE ON SCHEMA public", f"GRANT CREATE ON SCHEMA public TO {APP}"),
            ):
                with pytest.raises(MisconfiguredError, match=said):
                    await store.ensure(SPEC)
                await administrator.execute(granted)
        finally:
            await administrator.close()
        await store.ensure(SPEC)
        scope = fresh_scope()
        await store.upsert(scope, [record("a")])
        assert set(await store.get(scope, ids("a"))) == {"a"}


@pytest.mark.parametrize("dimension", [2000, 2001, 4000])
async def test_long_vectors_are_found_with_full_precision(dimension: int) -> None:
    """The index takes halves of numbers over 2,000; what is stored and the score are exact."""
    spec = CollectionSpec(CollectionName(f"pgvector_{dimension}"), dimension, Metric.COSINE, {}, embedding="long")
    chosen = random.Random(dimension)
    vectors = [Embedding.of([chosen.gauss(0, 1) for _ in range(dimension)]) for _ in range(20)]
    async with opened() as store:
        await store.ensure(spec)
        scope = Scope(spec.name, OrganizationId("long"))
        await store.upsert(scope, [VectorRecord(VectorId(f"v{n}"), vector, {}) for n, vector in enumerate(vectors)])
        found = await store.search(scope, vectors[7], limit=3)
        assert (found[0].id, found[0].score) == ("v7", 1.0)
        assert (await store.get(scope, ids("v7")))[VectorId("v7")].vector == vectors[7]
        await store.drop(spec.name)
        with pytest.raises(CollectionMissingError):
            await store.count(scope)


async def test_many_records_are_searched_by_the_index_and_few_are_all_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recall beside the exact answer; an organization or a kind with few records is not lost behind others' many."""
    chosen = random.Random(3)

    def vector() -> Embedding:
        return Embedding.of([chosen.gauss(0, 1) for _ in range(MANY.dimension)])

    async with opened() as store:
        await store.drop(MANY.name)
        await store.ensure(MANY)
        large, small = (Scope(MANY.name, OrganizationId(name)) for name in ("large", "small"))
        rows = [
            VectorRecord(VectorId(f"r{n}"), vector(), {"kind": "rare" if n % 180 == 0 else "usual"})
            for n in range(2000)
        ]
        await store.upsert(large, rows)
        await store.upsert(small, [VectorRecord(VectorId(f"s{n}"), vector(), {"kind": "usual"}) for n in range(12)])
        await _analysed()
        query = vector()
        exact = sorted(rows, key=lambda row: -sum(a * b for a, b in zip(row.vector.values, query.values, strict=True)))
        with _plans(monkeypatch) as plans:
            found = await store.search(large, query, limit=10)
        assert ["embedding_idx" in plan for plan in plans] == [True], plans
        assert len({match.id for match in found} & {row.id for row in exact[:10]}) >= 9
        assert len(await store.search(large, query, limit=10, where=Eq("kind", "rare"))) == 10
        assert len(await store.search(small, query, limit=12)) == 12
        await store.drop(MANY.name)


async def _analysed() -> None:
    owner = await as_owner(shared("postgres").url, DATABASE)
    try:
        await owner.execute(f"ANALYZE vectors_of_{MANY.name}")
    finally:
        await owner.close()


@contextmanager
def _plans(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """How the database does each query of the adapter's, with its parameters and in its own transaction."""
    fetch, plans = asyncpg.Connection.fetch, list[str]()

    async def explained(connection: Any, query: str, *parameters: Any, **options: Any) -> Any:
        plans.append("\n".join(row[0] for row in await fetch(connection, f"EXPLAIN {query}", *parameters)))
        return await fetch(connection, query, *parameters, **options)

    with monkeypatch.context() as patched:
        patched.setattr(asyncpg.Connection, "fetch", explained)
        yield plans


@pytest.mark.servers("pgbouncer")
async def test_behind_a_pooler_each_call_has_its_own_organization() -> None:
    """The next transaction may have another connection: nothing may stay on one."""
    await prepared()
    async with opened(as_app(shared("pgbouncer").url, DATABASE), transaction_pooler=True, pool=4) as store:
        await store.ensure(SPEC)
        scopes = [fresh_scope() for _ in range(6)]
        await asyncio.gather(*(store.upsert(scope, [record("a"), record("b", WEST)]) for scope in scopes))
        found = await asyncio.gather(*(store.search(scope, Embedding.of(EAST), limit=9) for scope in scopes))
        assert [[match.id for match in matches] for matches in found] == [["a", "b"]] * 6
        assert await store.count(fresh_scope()) == 0


async def test_more_callers_than_connections_are_served_in_turn() -> None:
    """And in the end nobody holds one."""
    async with opened(pool=2) as store:
        await store.ensure(SPEC)
        scope = fresh_scope()
        await asyncio.gather(*(store.upsert(scope, [record(f"r{number}")]) for number in range(40)))
        assert await store.count(scope) == 40


async def test_a_lock_is_not_waited_for_without_end() -> None:
    """Whoever reads is not harmed, and the connection serves the next call."""
    async with opened(timeout=3.0, pool=1) as store:
        await store.ensure(SPEC)
        scope = fresh_scope()
        await store.upsert(scope, [record("a")])
        owner = await as_owner(shared("postgres").url, DATABASE)
        try:
            async with owner.transaction():
                await owner.execute(f"LOCK TABLE vectors_of_{SPEC.name} IN SHARE MODE")
                with pytest.raises((BackendUnavailableError, DeadlineExceededError)):
                    await store.upsert(scope, [record("b")])
                assert await store.count(scope) == 1
        finally:
            await owner.close()
        await store.upsert(scope, [record("b")])
        assert await store.count(scope) == 2


@pytest.mark.servers("postgres_tls")
async def test_a_wrong_password_is_said_and_not_shown() -> None:
    """Nor is it tried again."""
    server = shared("postgres_tls")
    async with opened(server.url, password=Secret("wrong-canary")) as store:
        with pytest.raises(AuthenticationError) as raised:
            await store.ping()
    assert "wrong-canary" not in f"{raised.value} {raised.value!r} {store!r}"
    assert not raised.value.retryable


@pytest.mark.servers("postgres_tls")
async def test_a_server_without_the_extension_is_said() -> None:
    """The distribution's has none."""
    server = shared("postgres_tls")
    with pytest.raises(MisconfiguredError, match="pgvector"):
        await prepare(server.url, password=Secret(server.password))


async def test_a_database_that_is_not_there_is_said() -> None:
    """Waiting does not make one."""
    async with opened(as_app(shared("postgres").url, "nowhere_here")) as store:
        with pytest.raises(MisconfiguredError):
            await store.ping()
