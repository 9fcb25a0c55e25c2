"""The vector store over one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.vectors.sqlite import file
from faultmaven_adapters.vectors.sqlite.errors import TABLE
from faultmaven_adapters.vectors.sqlite.file import KnownScope, VectorFile
from faultmaven_adapters.vectors.sqlite.likeness import Block, Held, Keys, Shelf, best
from faultmaven_core.ports.checked_vectors import CheckedVectors
from faultmaven_core.ports.health import Inspection
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

T = TypeVar("T")

MOST_CACHED = 256 << 20
"""Bytes of vectors held in memory: 170,000 of 384 numbers."""

PATIENCE = 5.0
"""Seconds that a writer waits for writers in other processes."""

_WRITTEN = WriteToken("written")


class SqliteVectorStore(CheckedVectors):
    """See the port. Only for a local disk, where any number of processes may share the file.

    Searches compare the query with every vector. Those of an organization are kept in memory and brought up to date before
    each search; where they are more than `most_cached` bytes, they are read anew each time, a block at once.
    """

    capabilities = frozenset(VectorCapability)

    def __init__(self, path: Path, *, most_cached: int = MOST_CACHED, patience: float = PATIENCE) -> None:
        super().__init__()
        self._place = f"The file of vectors {path}"
        self._shelf = Shelf(most_cached)
        # One thread for each, so that neither needs a lock: writers come one after another anyway, and a search already
        # takes what memory can give.
        self._writer, self._writing = VectorFile(path, patience), BlockingCalls("vectors-writing", 1)
        self._reader, self._reading = VectorFile(path, patience), BlockingCalls("vectors-reading", 1)

    async def _described(self, name: CollectionName) -> CollectionSpec | None:
        text = await self._read(partial(file.spec_of, name=name))
        return None if text is None else CollectionSpec.from_text(name, text)

    async def _make(self, spec: CollectionSpec) -> None:
        await self._change(partial(file.add_collection, name=spec.name, spec=spec.to_text()))

    async def _drop(self, name: CollectionName) -> None:
        await self._change(partial(file.remove_collection, name=name))

    async def _write(
        self, spec: CollectionSpec, organization: OrganizationId, records: Sequence[VectorRecord]
    ) -> WriteToken:
        def replace(connection: sqlite3.Connection) -> None:
            scope = file.made_scope(connection, spec.name, organization)
            file.remove(connection, scope, file.keys_of(connection, scope, [record.id for record in records]))
            file.add(connection, scope, records)

        await self._change(replace)
        return _WRITTEN

    async def _delete(self, spec: CollectionSpec, organization: OrganizationId, ids: Sequence[VectorId]) -> WriteToken:
        return await self._remove(spec, organization, partial(file.keys_of, ids=ids))

    async def _delete_matching(self, spec: CollectionSpec, organization: OrganizationId, where: Filter) -> WriteToken:
        return await self._remove(spec, organization, partial(_keys_meeting, where=where))

    async def _delete_organization(self, spec: CollectionSpec, organization: OrganizationId) -> WriteToken:
        return await self._remove(spec, organization, partial(_keys_meeting, where=None))

    async def _search(
        self,
        spec: CollectionSpec,
        organization: OrganizationId,
        query: Embedding,
        limit: int,
        where: Filter | None,
        after: WriteToken | None,
    ) -> Iterable[Match]:
        def search(connection: sqlite3.Connection) -> list[Match]:
            return self._found(connection, spec, organization, query, limit, where)

        return await self._read(search)

    async def _get(
        self, spec: CollectionSpec, organization: OrganizationId, ids: Sequence[VectorId], after: WriteToken | None
    ) -> Iterable[VectorRecord]:
        def get(connection: sqlite3.Connection) -> list[VectorRecord]:
            known = file.scope_of(connection, spec.name, organization)
            return file.records_of(connection, file.keys_of(connection, known.number, ids)) if known else []

        return await self._read(get)

    async def _count(self, spec: CollectionSpec, organization: OrganizationId, where: Filter | None) -> int:
        def count(connection: sqlite3.Connection) -> int:
            known = file.scope_of(connection, spec.name, organization)
            if known is None:
                return 0
            return known.records if where is None else file.count(connection, known.number, where)

        return await self._read(count)

    async def _pages(
        self, spec: CollectionSpec, organization: OrganizationId, page_size: int
    ) -> AsyncGenerator[Sequence[VectorId], None]:
        known = await self._read(partial(file.scope_of, name=spec.name, organization=organization))
        last = 0
        while known and (rows := await self._read(partial(file.page, scope=known.number, above=last, size=page_size))):
            yield [vector_id for _, vector_id in rows]
            last = rows[-1][0]

    async def _ping(self) -> None:
        await self._read(partial(file.spec_of, name=CollectionName("")))

    async def _inspect(self) -> Inspection:
        await self._ping()
        return Inspection("sqlite", sqlite3.sqlite_version)

    async def _release(self) -> None:
        self._shelf.clear()
        # The last added is the first done, and one that fails keeps no other open. The last connection to close folds the
        # write-ahead log into the file: that is the one that may write.
        async with AsyncExitStack() as stack:
            stack.callback(self._writing.close)
            stack.callback(self._reading.close)
            stack.push_async_callback(self._writing, self._writer.close)
            stack.push_async_callback(self._reading, self._reader.close)

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._reading(self._within, self._reader, "DEFERRED", work)

    async def _change(self, work: Callable[[sqlite3.Connection], None]) -> None:
        await self._writing(self._within, self._writer, "IMMEDIATE", work)

    def _within(self, opened: VectorFile, kind: str, work: Callable[[sqlite3.Connection], T]) -> T:
        with translation(TABLE, self._place), opened.transaction(kind) as connection:
            return work(connection)

    async def _remove(
        self,
        spec: CollectionSpec,
        organization: OrganizationId,
        which: Callable[[sqlite3.Connection, int], Sequence[int]],
    ) -> WriteToken:
        def remove(connection: sqlite3.Connection) -> None:
            known = file.scope_of(connection, spec.name, organization)
            if known:
                file.remove(connection, known.number, which(connection, known.number))

        await self._change(remove)
        return _WRITTEN

    def _found(
        self,
        connection: sqlite3.Connection,
        spec: CollectionSpec,
        organization: OrganizationId,
        query: Embedding,
        limit: int,
        where: Filter | None,
    ) -> list[Match]:
        known = file.scope_of(connection, spec.name, organization)
        if not known:
            return []
        asked = None if where is None else file.keys_meeting(connection, known.number, where)
        blocks = self._blocks(connection, known, spec.dimension, asked)
        scores = dict(best(blocks, np.frombuffer(query.values, np.float32), limit, asked))
        told = file.hydrated(connection, list(scores))
        return [Match(vector_id, scores[key], fields) for key, (vector_id, fields) in told.items()]

    def _blocks(
        self, connection: sqlite3.Connection, known: KnownScope, dimension: int, asked: Keys | None
    ) -> Iterable[Block]:
        """All vectors of the scope as this transaction sees them, from memory where they have room there."""
        held = self._shelf.take(known.number)
        if known.records * dimension * np.float32().itemsize > self._shelf.most:
            return file.blocks(connection, known.number, dimension, asked=asked)
        held = held or Held(known.removals)
        if held.removals != known.removals:
            held.keep(file.keys_meeting(connection, known.number, None), known.removals)
        for block in file.blocks(connection, known.number, dimension, above=held.last):
            held.add(block)
        self._shelf.put(known.number, held)
        return held.blocks


def _keys_meeting(connection: sqlite3.Connection, scope: int, where: Filter | None) -> list[int]:
    found: list[int] = file.keys_meeting(connection, scope, where).tolist()
    return found
