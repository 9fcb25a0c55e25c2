"""The store: one collection of Chroma's for what a collection of ours is, and one for each organization's part of it.

The first, `fm.<name>`, holds no vectors; its metadata tell what it is. A part is named by the first one's id, which Chroma
never gives twice, so that what was dropped cannot come back with another's vectors.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from faultmaven_adapters.vectors.chroma.embedded import EmbeddedWire
from faultmaven_adapters.vectors.chroma.http import HttpWire
from faultmaven_adapters.vectors.chroma.where import fields_of, metadata_of, where_of
from faultmaven_adapters.vectors.chroma.wire import Found, Operation, Wire
from faultmaven_core.ports.checked_vectors import CheckedVectors
from faultmaven_core.ports.health import Inspection
from faultmaven_core.ports.vector_filters import Filter
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
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.shared.secret import Secret

SPECIFICATION = "faultmaven"
"""The key of a collection's metadata under which its specification stands."""
INDEX = {"hnsw": {"space": "cosine", "ef_construction": 128, "ef_search": 128}}
PAGE = 1000
"""Collections that are listed at once."""
NO_TOKEN = WriteToken("")
"""Chroma's reads see every write that was answered."""

UNENCRYPTED = "Vectors and the token travel unencrypted: give FM_VECTORS_URL an address with chroma+https."


class ChromaVectorStore(CheckedVectors):
    """See the port. Give a folder, or the `http` or `https` URL of a server; nothing connects or opens before the first call.

    A folder is for one process at a time. `timeout`: seconds that one answer may take.
    """

    batch_rows = 250

    def __init__(
        self, path: Path | None = None, *, url: str = "", token: Secret | None = None, timeout: float = 30.0
    ) -> None:
        super().__init__()
        if (path is None) == (not url):
            raise InvalidInputError("A Chroma store has either a folder or a URL.", fields={"url": "not allowed"})
        self._wire: Wire = (
            HttpWire(url, token, timeout=timeout) if path is None else EmbeddedWire(path, timeout=timeout)
        )
        self._parts: dict[tuple[CollectionName, OrganizationId], Found | None] = {}
        self._unencrypted = url.startswith("http:")
        self.capabilities = frozenset({VectorCapability.IMMEDIATE_READS, VectorCapability.EXACT_COUNT})
        if path is None:
            self.capabilities |= {VectorCapability.MULTI_PROCESS}

    async def _described(self, name: CollectionName) -> CollectionSpec | None:
        whole = await self._find(_whole(name))
        return None if whole is None else CollectionSpec.from_text(name, whole.metadata.get(SPECIFICATION, ""))

    async def _make(self, spec: CollectionSpec) -> None:
        await self._create(_whole(spec.name), {SPECIFICATION: spec.to_text()})

    async def _drop(self, name: CollectionName) -> None:
        whole = await self._find(_whole(name))
        if whole is None:
            return
        self._parts = {scope: part for scope, part in self._parts.items() if scope[0] != name}
        # The parts first: a drop that was cut short is still to be seen, and can be repeated. Then those that were made
        # meanwhile; once the whole is gone nobody makes more.
        await self._remove_parts(whole)
        await self._remove(whole.name)
        await self._remove_parts(whole)

    async def _write(
        self, spec: CollectionSpec, organization: OrganizationId, records: Sequence[VectorRecord]
    ) -> WriteToken:
        body = {
            "ids": [record.id for record in records],
            "embeddings": [_little_endian(record.vector) for record in records],
            "metadatas": [metadata_of(record.fields, spec.fields) for record in records],
        }
        await self._ask(Operation.UPSERT, spec, organization, body, make=True)
        return NO_TOKEN

    async def _delete(self, spec: CollectionSpec, organization: OrganizationId, ids: Sequence[VectorId]) -> WriteToken:
        await self._ask(Operation.DELETE, spec, organization, {"ids": list(ids)})
        return NO_TOKEN

    async def _delete_matching(self, spec: CollectionSpec, organization: OrganizationId, where: Filter) -> WriteToken:
        await self._ask(Operation.DELETE, spec, organization, {"where": where_of(where)})
        return NO_TOKEN

    async def _delete_organization(self, spec: CollectionSpec, organization: OrganizationId) -> WriteToken:
        part = await self._part(spec, organization, make=False)
        if part is not None:
            await self._remove(part.name)
        return NO_TOKEN

    async def _search(
        self,
        spec: CollectionSpec,
        organization: OrganizationId,
        query: Embedding,
        limit: int,
        where: Filter | None,
        after: WriteToken | None,
    ) -> Iterable[Match]:
        body = {
            "query_embeddings": [query.values],
            "n_results": limit,
            "where": None if where is None else where_of(where),
            "include": ["distances", "metadatas"],
        }
        found = await self._ask(Operation.QUERY, spec, organization, body)
        if found is None:
            return []
        rows = zip(found["ids"][0], found["distances"][0], found["metadatas"][0], strict=True)
        return [Match(VectorId(row), 1 - distance, fields_of(metadata)) for row, distance, metadata in rows]

    async def _get(
        self, spec: CollectionSpec, organization: OrganizationId, ids: Sequence[VectorId], after: WriteToken | None
    ) -> Iterable[VectorRecord]:
        body = {"ids": list(ids), "include": ["embeddings", "metadatas"]}
        found = await self._ask(Operation.GET, spec, organization, body)
        if found is None:
            return []
        rows = zip(found["ids"], found["embeddings"], found["metadatas"], strict=True)
        return [
            VectorRecord(VectorId(row), Embedding.of(array("f", vector)), fields_of(metadata))
            for row, vector, metadata in rows
        ]

    async def _count(self, spec: CollectionSpec, organization: OrganizationId, where: Filter | None) -> int:
        if where is not None:
            return len(await self._ids(spec, organization, where_of(where)))
        count = await self._ask(Operation.COUNT, spec, organization, {})
        return 0 if count is None else int(count)

    async def _pages(
        self, spec: CollectionSpec, organization: OrganizationId, page_size: int
    ) -> AsyncGenerator[Sequence[VectorId], None]:
        # All at once: Chroma counts its pages from the beginning, and a deletion meanwhile would hide ids.
        ids = await self._ids(spec, organization, None)
        for page in batched(ids, page_size):
            yield page

    async def _ping(self) -> None:
        await self._wire(Operation.PING)

    async def _inspect(self) -> Inspection:
        version = await self._wire(Operation.VERSION)
        return Inspection("Chroma", version, None, (UNENCRYPTED,) if self._unencrypted else ())

    async def _release(self) -> None:
        await self._wire.aclose()

    async def _ids(
        self, spec: CollectionSpec, organization: OrganizationId, where: dict[str, Any] | None
    ) -> Sequence[VectorId]:
        found = await self._ask(Operation.GET, spec, organization, {"where": where, "include": []})
        return [] if found is None else found["ids"]

    async def _ask(
        self,
        operation: Operation,
        spec: CollectionSpec,
        organization: OrganizationId,
        body: dict[str, Any],
        *,
        make: bool = False,
    ) -> Any:
        """The answer of the organization's part; None where it has none."""
        part = self._parts.get((spec.name, organization))
        if part is not None:
            # Somebody else may have dropped it since, and made it again.
            with suppress(CollectionMissingError):
                return await self._wire(operation, part, body)
        part = await self._part(spec, organization, make=make)
        return None if part is None else await self._wire(operation, part, body)

    async def _part(self, spec: CollectionSpec, organization: OrganizationId, *, make: bool) -> Found | None:
        whole = await self._find(_whole(spec.name))
        if whole is None:
            raise CollectionMissingError(f"There is no collection {spec.name}.")
        name = f"{_parts(whole)}{hashlib.sha256(organization.encode()).hexdigest()[:32]}"
        part = await self._find(name)
        if part is None and make:
            part = await self._create(name, {"collection": spec.name, "organization": organization})
        self._parts[spec.name, organization] = part
        return part

    async def _find(self, name: str) -> Found | None:
        try:
            return Found.of(await self._wire(Operation.FIND, name))
        except CollectionMissingError:
            return None

    async def _create(self, name: str, metadata: dict[str, str]) -> Found:
        """The collection; where it is there already, as it is."""
        body = {"name": name, "metadata": metadata, "configuration": INDEX, "get_or_create": True}
        return Found.of(await self._wire(Operation.CREATE, body=body))

    async def _remove(self, name: str) -> None:
        with suppress(CollectionMissingError):
            await self._wire(Operation.REMOVE, name)

    async def _remove_parts(self, whole: Found) -> None:
        names: list[str] = []
        while True:
            page = await self._wire(Operation.LIST, body={"limit": PAGE, "offset": len(names)})
            names += [found["name"] for found in page]
            if len(page) < PAGE:
                break
        for name in names:
            if name.startswith(_parts(whole)):
                await self._remove(name)


def _whole(name: CollectionName) -> str:
    return f"fm.{name}"


def _parts(whole: Found) -> str:
    """How the names of all parts begin."""
    return f"fm.{whole.id}."


def _little_endian(vector: Embedding) -> bytes:
    import sys

    if sys.byteorder == "little":
        return vector.values.tobytes()
    swapped = vector.values[:]
    swapped.byteswap()
    return swapped.tobytes()
