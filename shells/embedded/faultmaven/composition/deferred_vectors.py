"""A vector store that is built when it is first used: its driver takes up to seconds to import, and most commands need none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence

from faultmaven_core.ports.health import Inspection
from faultmaven_core.ports.vector_filters import Filter
from faultmaven_core.ports.vectors import (
    CollectionName,
    CollectionSpec,
    Embedding,
    Match,
    Scope,
    VectorCapability,
    VectorId,
    VectorRecord,
    VectorStore,
    WriteToken,
)
from faultmaven_core.shared.errors import ConflictError

_CLOSED = "The vector store is closed."


class DeferredVectorStore(VectorStore):
    """See the port. `make` runs in a thread, once."""

    def __init__(self, make: Callable[[], VectorStore]) -> None:
        self._make = make
        self._made: VectorStore | None = None
        self._making = asyncio.Lock()
        self._building = threading.Lock()
        self._closed = False

    @property
    def capabilities(self) -> frozenset[VectorCapability]:  # type: ignore[override]  # known once it is built
        """The store's own. Built here, where nobody can wait, it is built in the caller's thread."""
        return self._built().capabilities

    async def ensure(self, spec: CollectionSpec) -> None:
        await (await self._store()).ensure(spec)

    async def describe(self, name: CollectionName) -> CollectionSpec | None:
        return await (await self._store()).describe(name)

    async def drop(self, name: CollectionName) -> None:
        await (await self._store()).drop(name)

    async def upsert(self, scope: Scope, records: Sequence[VectorRecord]) -> WriteToken:
        return await (await self._store()).upsert(scope, records)

    async def delete(self, scope: Scope, ids: Collection[VectorId]) -> WriteToken:
        return await (await self._store()).delete(scope, ids)

    async def delete_matching(self, scope: Scope, where: Filter) -> WriteToken:
        return await (await self._store()).delete_matching(scope, where)

    async def delete_organization(self, scope: Scope) -> WriteToken:
        return await (await self._store()).delete_organization(scope)

    async def search(
        self,
        scope: Scope,
        query: Embedding,
        *,
        limit: int,
        where: Filter | None = None,
        min_score: float | None = None,
        after: WriteToken | None = None,
    ) -> Sequence[Match]:
        store = await self._store()
        return await store.search(scope, query, limit=limit, where=where, min_score=min_score, after=after)

    async def get(
        self, scope: Scope, ids: Collection[VectorId], *, after: WriteToken | None = None
    ) -> Mapping[VectorId, VectorRecord]:
        return await (await self._store()).get(scope, ids, after=after)

    async def count(self, scope: Scope, where: Filter | None = None) -> int:
        return await (await self._store()).count(scope, where)

    async def scan(self, scope: Scope, *, page_size: int = 100) -> AsyncIterator[VectorId]:
        ids = (await self._store()).scan(scope, page_size=page_size)
        try:
            async for vector_id in ids:
                yield vector_id
        finally:
            # A generator that its caller leaves early is not closed by the loop over it.
            if isinstance(ids, AsyncGenerator):
                await ids.aclose()

    async def ping(self) -> None:
        await (await self._store()).ping()

    async def inspect(self) -> Inspection:
        return await (await self._store()).inspect()

    async def aclose(self) -> None:
        async with self._making:  # what is being built is closed, too
            with self._building:
                self._closed = True
            if self._made is not None:
                await self._made.aclose()

    async def _store(self) -> VectorStore:
        async with self._making:
            if self._made is None:
                await asyncio.to_thread(self._built)
            if self._closed:
                raise ConflictError(_CLOSED)
            return self._built()

    def _built(self) -> VectorStore:
        with self._building:  # threads meet here: the loop's lock is none for them
            if self._made is None:
                if self._closed:
                    raise ConflictError(_CLOSED)
                self._made = self._make()
            return self._made
