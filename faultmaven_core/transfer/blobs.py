"""Blobs from one store to another, with their content types and attributes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from urllib.parse import urlencode

from faultmaven_core.codec import canonical
from faultmaven_core.ports.blobs import BlobKey, BlobStore, ListedBlob
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.transfer.model import Batch, Digest, Digester, Kind, Part
from faultmaven_core.transfer.ports import Cargo, Told

AT_ONCE = 4
"""Blobs on their way at the same time."""
BATCH = 16
"""Blobs that are confirmed together."""


EVERYTHING = "*"
"""The part of all organizations; none has this name."""


class BlobCargo(Cargo):
    """The blobs of some organizations, which begin with their names, or all of a store; in the order of their keys."""

    kind = Kind.BLOBS

    def __init__(
        self,
        stores: tuple[BlobStore, BlobStore],
        places: tuple[str, str],
        organizations: Sequence[OrganizationId] = (),
    ) -> None:
        self._from, self._to = stores
        self.source, self.target = places
        self._names = organizations or (EVERYTHING,)

    async def start(self) -> None:
        """See Cargo."""
        await self._from.ping()
        await self._to.ping()

    async def parts(self) -> Sequence[Part]:
        """See Cargo."""
        found = []
        for name in self._names:
            items = size = 0
            async for blob in self._from.list(_prefix(name)):
                items, size = items + 1, size + blob.size
            found.append(Part(self.kind, name, items, size))
        return found

    async def found(self) -> str:
        """See Cargo."""
        for name in self._names:
            async for blob in self._to.list(_prefix(name)):
                return f"the blob {blob.key}"
        return ""

    async def copy(self, part: Part, after: str) -> AsyncIterator[Batch]:
        """See Cargo."""
        async for batch in _batches(self._from, part, BlobKey(after) if after else None):
            await _together(self._copy, batch)
            yield Batch(batch[-1].key.text, len(batch), sum(blob.size for blob in batch))

    async def digests(self, part: Part, told: Told) -> tuple[Digest, Digest]:
        """See Cargo."""
        return await _digest(self._from, part, told), await _digest(self._to, part, lambda _items, _size: None)

    async def _copy(self, blob: ListedBlob) -> None:
        async with self._from.open(blob.key) as reader:
            await self._to.put(
                blob.key,
                reader,
                content_type=reader.info.content_type,
                attributes=reader.info.attributes,
                expected_sha256=reader.info.sha256,
                mode="replace",
            )


def _prefix(name: str) -> str:
    return "" if name == EVERYTHING else f"{name}/"


async def _batches(store: BlobStore, part: Part, after: BlobKey | None = None) -> AsyncIterator[Sequence[ListedBlob]]:
    batch: list[ListedBlob] = []
    async for blob in store.list(_prefix(part.name), after=after):
        batch.append(blob)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _digest(store: BlobStore, part: Part, told: Told) -> Digest:
    """Of what is stored and of what is known of it; the moment of storing is each store's own."""
    digester = Digester()
    async for batch in _batches(store, part):
        found: dict[BlobKey, bytes] = {}

        async def look(blob: ListedBlob, found: dict[BlobKey, bytes] = found) -> None:
            found[blob.key] = await _described(store, blob.key)
            told(1, blob.size)

        await _together(look, batch)
        for blob in batch:
            digester.take(found[blob.key])
    return digester.digest()


async def _described(store: BlobStore, key: BlobKey) -> bytes:
    sha256, size = hashlib.sha256(), 0
    async with store.open(key) as reader:
        async for chunk in reader:
            sha256.update(chunk)
            size += len(chunk)
        attributes = urlencode(sorted(reader.info.attributes.items()))
        return canonical([key.text, size, sha256.hexdigest(), reader.info.content_type, attributes])


async def _together(work: Callable[[ListedBlob], Awaitable[None]], blobs: Sequence[ListedBlob]) -> None:
    """Do it for all, some at a time; the first failure ends it."""
    seats = asyncio.Semaphore(AT_ONCE)

    async def seated(blob: ListedBlob) -> None:
        async with seats:
            await work(blob)

    try:
        async with asyncio.TaskGroup() as group:
            for blob in blobs:
                group.create_task(seated(blob))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
