"""The originals of documents in the blob store, under keys of their own."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import quote

from faultmaven_core.knowledge.ports import Scratch
from faultmaven_core.ports.blobs import BlobInfo, BlobKey, BlobStore
from faultmaven_core.shared.ids import Ids, OrganizationId

_MOST_NAME = 900
"""Characters of a name, escaped, among a blob's attributes; the row has the whole."""


class Originals:
    """Keeps originals of at most `most_bytes`. Each gets a key that was never used: what is read under one never changes."""

    def __init__(self, blobs: BlobStore, ids: Ids, most_bytes: int) -> None:
        self._blobs, self._ids = blobs, ids
        self.most_bytes = most_bytes

    async def keep(
        self,
        organization: OrganizationId,
        name: str,
        media_type: str,
        chunks: AsyncIterable[bytes],
        sha256: str | None = None,
    ) -> BlobInfo:
        """Store an original. Raises BlobTooLargeError, and DigestMismatchError where it is not what `sha256` says."""
        return await self._blobs.put(
            BlobKey(f"{prefix(organization)}{self._ids.new().hex}"),
            chunks,
            content_type=media_type,
            attributes={"name": quote(name)[:_MOST_NAME]},
            expected_sha256=sha256,
            max_size=self.most_bytes,
        )

    @asynccontextmanager
    async def fetched(self, blob: str, scratch: Scratch) -> AsyncIterator[str]:
        """The path of a local copy, for as long as the context lasts. Raises BlobNotFoundError."""
        async with self._blobs.open(BlobKey(blob)) as reader:
            path = await scratch.write(reader)
        try:
            yield path
        finally:
            await scratch.remove(path)

    async def destroy(self, blobs: Collection[str]) -> None:
        """Destroy originals; those that are gone are no error."""
        await self._blobs.delete([BlobKey(blob) for blob in blobs])

    async def older(self, organization: OrganizationId, before: datetime) -> Collection[str]:
        """The keys of the organization's originals from before a moment."""
        return [str(info.key) async for info in self._blobs.list(prefix(organization)) if info.created_at < before]


def prefix(organization: OrganizationId) -> str:
    """What the keys of an organization's originals begin with."""
    return f"{organization}/knowledge/"
