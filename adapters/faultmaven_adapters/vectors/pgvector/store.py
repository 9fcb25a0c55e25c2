"""Collections as tables, organizations as a column that row-level security holds to, likeness by an HNSW index."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

from faultmaven_adapters._support.postgres_place import PostgresPlace
from faultmaven_adapters.vectors.pgvector.connections import Connections, Patience
from faultmaven_adapters.vectors.pgvector.filters import Parameters, condition
from faultmaven_adapters.vectors.pgvector.inspection import inspection
from faultmaven_adapters.vectors.pgvector.preparation import MOST_INDEXED
from faultmaven_core.ports.checked_vectors import CheckedVectors
from faultmaven_core.ports.health import Inspection
from faultmaven_core.ports.vector_fields import FieldValue, restored
from faultmaven_core.ports.vector_filters import Filter
from faultmaven_core.ports.vectors import (
    CollectionName,
    CollectionSpec,
    Embedding,
    Match,
    VectorCapability,
    VectorId,
    VectorRecord,
    WriteToken,
)
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.shared.secret import Secret

_WRITTEN = WriteToken("written")
_LEAST_EXPLORED, _MOST_EXPLORED = 100, 1000
"""Candidates that a search of the index keeps, for few and for many wanted."""


class PgVectorStore(CheckedVectors):
    """See the port. Searches of many records are by the index, and exact where that does not find enough.

    `pool` connections at most; behind a pooler that gives each transaction another connection, say so. `timeout`: seconds
    for a statement. The database is prepared by `prepare`, or at the first call where our user may do that.
    """

    capabilities = frozenset(VectorCapability)

    def __init__(
        self,
        url: str,
        *,
        password: Secret | None = None,
        pool: int = 10,
        timeout: float = 15.0,
        connect_timeout: float = 5.0,
        transaction_pooler: bool = False,
    ) -> None:
        super().__init__()
        patience = Patience(connect_timeout, pool=timeout, statement=timeout, lock=min(timeout, 5.0))
        place = PostgresPlace.parse(url, password)
        self._connections = Connections(place, pool, patience, transaction_pooler=transaction_pooler)

    async def _described(self, name: CollectionName) -> CollectionSpec | None:
        async with self._connections.transaction(None) as connection:
            text = await connection.fetchval("SELECT spec FROM vectors_collections WHERE name = $1", name)
        return None if text is None else CollectionSpec.from_text(name, text)

    async def _make(self, spec: CollectionSpec) -> None:
        async with self._connections.transaction(None) as connection:
            await connection.execute("SELECT vectors_make($1, $2, $3)", spec.name, spec.dimension, spec.to_text())

    async def _drop(self, name: CollectionName) -> None:
        async with self._connections.transaction(None) as connection:
            await connection.execute("SELECT vectors_drop($1)", name)

    async def _write(
        self, spec: CollectionSpec, organization: OrganizationId, records: Sequence[VectorRecord]
    ) -> WriteToken:
        # In one order, or two writers of the same ids would wait for each other.
        ordered = sorted(records, key=lambda record: record.id)
        async with self._connections.transaction(organization) as connection:
            await connection.execute(
                f"INSERT INTO {_table(spec)} (organization_id, id, embedding, fields) "  # noqa: S608 - a checked name
                "SELECT $1, given.id, given.embedding, given.fields::jsonb "
                "FROM unnest($2::text[], $3::vector[], $4::text[]) AS given (id, embedding, fields) "
                "ON CONFLICT (organization_id, id) DO UPDATE SET embedding = excluded.embedding, fields = excluded.fields",
                organization,
                [record.id for record in ordered],
                [record.vector for record in ordered],
                [json.dumps(dict(record.fields)) for record in ordered],
            )
        return _WRITTEN

    async def _delete(self, spec: CollectionSpec, organization: OrganizationId, ids: Sequence[VectorId]) -> WriteToken:
        return await self._remove(spec, organization, "id = ANY($2::text[])", list(ids))

    async def _delete_matching(self, spec: CollectionSpec, organization: OrganizationId, where: Filter) -> WriteToken:
        parameters = Parameters([organization])
        text = condition(where, parameters)
        return await self._remove(spec, organization, text, *parameters.values[1:])

    async def _delete_organization(self, spec: CollectionSpec, organization: OrganizationId) -> WriteToken:
        return await self._remove(spec, organization, "true")

    async def _remove(
        self, spec: CollectionSpec, organization: OrganizationId, which: str, *values: object
    ) -> WriteToken:
        async with self._connections.transaction(organization) as connection:
            await connection.execute(
                f"DELETE FROM {_table(spec)} WHERE organization_id = $1 AND {which}",  # noqa: S608 - values are parameters
                organization,
                *values,
            )
        return _WRITTEN

    async def _search(
        self,
        spec: CollectionSpec,
        organization: OrganizationId,
        query: Embedding,
        limit: int,
        where: Filter | None,
        after: WriteToken | None,
    ) -> Iterable[Match]:
        parameters = Parameters([organization, query])
        asked = f"organization_id = $1 AND {condition(where, parameters)}" if where else "organization_id = $1"
        most = parameters.add(limit)
        explored = min(_MOST_EXPLORED, max(_LEAST_EXPLORED, 2 * limit))
        settings = (f"hnsw.ef_search = {explored}", "hnsw.iterative_scan = strict_order")
        async with self._connections.transaction(organization, *settings) as connection:
            for order in (_indexed(spec), "(embedding <=> $2) + 0"):
                rows = await connection.fetch(
                    f"SELECT id, 1 - (embedding <=> $2) AS score, fields FROM {_table(spec)} WHERE {asked} "  # noqa: S608 - as above
                    f"ORDER BY {order}, id LIMIT {most}",
                    *parameters.values,
                )
                # The index gives up after a bounded search; what is few is then found by looking at all.
                if len(rows) == limit:
                    break
        return [Match(VectorId(row["id"]), row["score"], _fields(spec, row["fields"])) for row in rows]

    async def _get(
        self, spec: CollectionSpec, organization: OrganizationId, ids: Sequence[VectorId], after: WriteToken | None
    ) -> Iterable[VectorRecord]:
        async with self._connections.transaction(organization) as connection:
            rows = await connection.fetch(
                f"SELECT id, embedding, fields FROM {_table(spec)} "  # noqa: S608 - as above
                "WHERE organization_id = $1 AND id = ANY($2::text[])",
                organization,
                list(ids),
            )
        return [VectorRecord(VectorId(row["id"]), row["embedding"], _fields(spec, row["fields"])) for row in rows]

    async def _count(self, spec: CollectionSpec, organization: OrganizationId, where: Filter | None) -> int:
        parameters = Parameters([organization])
        asked = f"organization_id = $1 AND {condition(where, parameters)}" if where else "organization_id = $1"
        async with self._connections.transaction(organization) as connection:
            statement = f"SELECT count(*) FROM {_table(spec)} WHERE {asked}"  # noqa: S608 - as above
            return int(await connection.fetchval(statement, *parameters.values))

    async def _pages(
        self, spec: CollectionSpec, organization: OrganizationId, page_size: int
    ) -> AsyncGenerator[Sequence[VectorId], None]:
        last = ""
        while True:
            async with self._connections.transaction(organization) as connection:
                rows = await connection.fetch(
                    f"SELECT id FROM {_table(spec)} WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT $3",  # noqa: S608 - as above
                    organization,
                    last,
                    page_size,
                )
            if rows:
                yield [VectorId(row["id"]) for row in rows]
            if len(rows) < page_size:
                return
            last = rows[-1]["id"]

    async def _ping(self) -> None:
        async with self._connections.transaction(None) as connection:
            await connection.fetchval("SELECT count(*) FROM vectors_collections")

    async def _inspect(self) -> Inspection:
        async with self._connections.transaction(None) as connection:
            return await inspection(connection)

    async def _release(self) -> None:
        await self._connections.close()


def _table(spec: CollectionSpec) -> str:
    return f"vectors_of_{spec.name}"


def _indexed(spec: CollectionSpec) -> str:
    """The order in which the index gives records."""
    if spec.dimension <= MOST_INDEXED:
        return "embedding <=> $2"
    return f"embedding::halfvec({spec.dimension}) <=> $2::vector::halfvec({spec.dimension})"


def _fields(spec: CollectionSpec, text: str) -> Mapping[str, FieldValue]:
    return restored(spec.fields, json.loads(text))
