"""Vectors in memory: for tests, and for a program that is one small process. The contract in its plainest form."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence

import numpy as np

from faultmaven_core.ports.checked_vectors import CheckedVectors
from faultmaven_core.ports.health import Inspection
from faultmaven_core.ports.vector_filters import Filter, matches
from faultmaven_core.ports.vectors import (
    CollectionMissingError,
    CollectionName,
    CollectionSpec,
    Embedding,
    Match,
    VectorCapability,
    VectorId,
    VectorRecord,
    WriteToken,
)
from faultmaven_core.shared.batches import batched
from faultmaven_core.shared.ids import OrganizationId

_WRITTEN = WriteToken("written")

Records = dict[VectorId, VectorRecord]


class MemoryVectorStore(CheckedVectors):
    """See the port. Nothing awaits between a look and a change, so every batch is one step."""

    capabilities = frozenset(
        {VectorCapability.IMMEDIATE_READS, VectorCapability.EXACT_COUNT, VectorCapability.STRING_RANGE}
    )

    def __init__(self) -> None:
        super().__init__()
        self._collections: dict[CollectionName, tuple[CollectionSpec, dict[OrganizationId, Records]]] = {}

    async def _described(self, name: CollectionName) -> CollectionSpec | None:
        found = self._collections.get(name)
        return found[0] if found else None

    async def _make(self, spec: CollectionSpec) -> None:
        self._collections.setdefault(spec.name, (spec, {}))

    async def _drop(self, name: CollectionName) -> None:
        self._collections.pop(name, None)

    async def _write(
        self, spec: CollectionSpec, organization: OrganizationId, records: Sequence[VectorRecord]
    ) -> WriteToken:
        self._records(spec, organization).update((record.id, record) for record in records)
        return _WRITTEN

    async def _delete(self, spec: CollectionSpec, organization: OrganizationId, ids: Sequence[VectorId]) -> WriteToken:
        records = self._records(spec, organization)
        for vector_id in ids:
            records.pop(vector_id, None)
        return _WRITTEN

    async def _delete_matching(self, spec: CollectionSpec, organization: OrganizationId, where: Filter) -> WriteToken:
        meeting = [record.id for record in self._meeting(spec, organization, where)]
        return await self._delete(spec, organization, meeting)

    async def _delete_organization(self, spec: CollectionSpec, organization: OrganizationId) -> WriteToken:
        self._records(spec, organization).clear()
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
        asked = self._meeting(spec, organization, where)
        rows = b"".join(record.vector.values.tobytes() for record in asked)
        vectors = np.frombuffer(rows, dtype=np.float32).reshape(len(asked), spec.dimension)
        scores = (vectors @ np.frombuffer(query.values, dtype=np.float32)).tolist()
        return [Match(record.id, score, record.fields) for record, score in zip(asked, scores, strict=True)]

    async def _get(
        self, spec: CollectionSpec, organization: OrganizationId, ids: Sequence[VectorId], after: WriteToken | None
    ) -> Iterable[VectorRecord]:
        records = self._records(spec, organization)
        return [records[vector_id] for vector_id in ids if vector_id in records]

    async def _count(self, spec: CollectionSpec, organization: OrganizationId, where: Filter | None) -> int:
        return len(self._meeting(spec, organization, where))

    async def _pages(
        self, spec: CollectionSpec, organization: OrganizationId, page_size: int
    ) -> AsyncGenerator[Sequence[VectorId], None]:
        ids = list(self._records(spec, organization))
        for page in batched(ids, page_size):
            yield page

    async def _ping(self) -> None:
        """It is there."""

    async def _inspect(self) -> Inspection:
        return Inspection("memory", "")

    async def _release(self) -> None:
        self._collections.clear()

    def _records(self, spec: CollectionSpec, organization: OrganizationId) -> Records:
        found = self._collections.get(spec.name)
        if found is None:
            raise CollectionMissingError(f"There is no collection {spec.name}.")
        return found[1].setdefault(organization, {})

    def _meeting(self, spec: CollectionSpec, organization: OrganizationId, where: Filter | None) -> list[VectorRecord]:
        records = self._records(spec, organization).values()
        return [record for record in records if where is None or matches(where, record.fields)]
