"""Vectors from one store to another. Which there are is asked of the database, whose documents they stand for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from math import isclose

from faultmaven_core.codec import canonical
from faultmaven_core.ports.vectors import (
    CollectionMissingError,
    CollectionName,
    Embedding,
    Scope,
    VectorCapability,
    VectorId,
    VectorRecord,
    VectorStore,
)
from faultmaven_core.shared.batches import batched
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.transfer.model import Batch, Digest, Digester, Kind, Part
from faultmaven_core.transfer.ports import Cargo, Told

PAGE = 500
"""Records that are read and written at once."""
BEGUN = "begun"
"""A position: what comes after it is only known by looking what is at the target."""
EQUAL = 1e-6
"""By how much two numbers of a stored vector may differ: some stores normalize again, which costs the last bits."""
CATCHING_UP = 30.0
"""Seconds for a store whose reads lag to show what was written."""
LOOK = 1.0


class VectorCargo(Cargo):
    """The vectors of some organizations' documents, collection by collection."""

    kind = Kind.VECTORS

    def __init__(
        self,
        stores: tuple[VectorStore, VectorStore],
        places: tuple[str, str],
        scopes: Callable[[], Awaitable[Sequence[Scope]]],
    ) -> None:
        self._from, self._to = stores
        self.source, self.target = places
        self._scopes = scopes

    async def start(self) -> None:
        """See Cargo."""
        await self._from.ping()
        await self._to.ping()

    async def parts(self) -> Sequence[Part]:
        """See Cargo."""
        found = []
        for scope in await self._scopes():
            if await self._from.describe(scope.collection) is not None:
                items = await self._from.count(scope)
                found.append(Part(self.kind, f"{scope.organization}/{scope.collection}", items))
        return found

    async def found(self) -> str:
        """See Cargo."""
        for scope in await self._scopes():
            if await self._to.describe(scope.collection) is not None and (items := await self._to.count(scope)):
                return f"{items} vectors of {scope.organization} in {scope.collection}"
        return ""

    async def copy(self, part: Part, after: str) -> AsyncIterator[Batch]:
        """See Cargo."""
        scope = _scope(part)
        spec = await self._from.describe(scope.collection)
        if spec is None:
            raise CollectionMissingError(f"{self.source} has no collection {scope.collection} any more.")
        await self._to.ensure(spec)
        async for ids in _pages(self._from, scope):
            records = await self._from.get(scope, ids)
            there = await self._to.get(scope, ids) if after else {}
            missing = [record for record in records.values() if not _same(record, there.get(record.id))]
            await self._to.upsert(scope, missing)
            yield Batch(BEGUN, len(missing))

    async def digests(self, part: Part, told: Told) -> tuple[Digest, Digest]:
        """See Cargo."""
        scope = _scope(part)
        source, target = await self._compared(scope, told)
        if VectorCapability.IMMEDIATE_READS not in self._to.capabilities:
            end = asyncio.get_running_loop().time() + CATCHING_UP
            while source != target and asyncio.get_running_loop().time() < end:
                await asyncio.sleep(LOOK)
                source, target = await self._compared(scope, lambda _items, _size: None)
        return source, target

    async def _compared(self, scope: Scope, told: Told) -> tuple[Digest, Digest]:
        ids = sorted([vector_id async for page in _pages(self._from, scope) for vector_id in page])
        there = sorted([vector_id async for page in _pages(self._to, scope) for vector_id in page])
        known = set(ids)
        source, target = Digester(), Digester()
        for every in batched(sorted({*ids, *there}), PAGE):
            ours = await self._from.get(scope, [vector_id for vector_id in every if vector_id in known])
            theirs = await self._to.get(scope, every)
            for vector_id in every:
                mine, other = ours.get(vector_id), theirs.get(vector_id)
                if mine is not None:
                    source.take(_told(mine, mine.vector))
                if other is not None:
                    target.take(_told(other, mine.vector if mine and _same(mine, other) else other.vector))
            told(len(ours), 0)
        return source.digest(), target.digest()


def _same(record: VectorRecord, other: VectorRecord | None) -> bool:
    if other is None or dict(record.fields) != dict(other.fields):
        return False
    if record.vector.values == other.vector.values:
        return True
    return all(isclose(a, b, abs_tol=EQUAL) for a, b in zip(record.vector.values, other.vector.values, strict=True))


def _told(record: VectorRecord, vector: Embedding) -> bytes:
    return canonical([record.id, record.fields, vector.values.tobytes()])


async def _pages(store: VectorStore, scope: Scope) -> AsyncIterator[Sequence[VectorId]]:
    page: list[VectorId] = []
    async for vector_id in store.scan(scope, page_size=PAGE):
        page.append(vector_id)
        if len(page) == PAGE:
            yield page
            page = []
    if page:
        yield page


def _scope(part: Part) -> Scope:
    organization, _, collection = part.name.partition("/")
    return Scope(CollectionName(collection), OrganizationId(organization))
