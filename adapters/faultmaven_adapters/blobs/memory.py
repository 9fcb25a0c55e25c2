"""Blobs in memory: for tests and for programs that keep nothing."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Literal

from faultmaven_core.ports.blobs import (
    BlobCapability,
    BlobExistsError,
    BlobInfo,
    BlobKey,
    BlobNotFoundError,
    BlobReader,
    BlobStore,
    Intake,
    ListedBlob,
    checked_description,
    checked_range,
)
from faultmaven_core.shared.errors import ConflictError, UnsupportedError

BLOCK = 1 << 20


class MemoryBlobStore(BlobStore):
    """See the port."""

    capabilities = frozenset({BlobCapability.CONDITIONAL_WRITE})

    def __init__(self) -> None:
        self._stored: dict[BlobKey, tuple[BlobInfo, bytes]] = {}
        self._closed = False

    async def put(
        self,
        key: BlobKey,
        chunks: AsyncIterable[bytes],
        *,
        content_type: str = "application/octet-stream",
        attributes: Mapping[str, str] = MappingProxyType({}),
        expected_sha256: str | None = None,
        max_size: int | None = None,
        mode: Literal["create", "replace"] = "create",
    ) -> BlobInfo:
        checked_description(content_type, attributes)
        self._create(key, mode)
        intake = Intake(expected_sha256, max_size)
        parts = []
        async for chunk in chunks:
            intake.take(chunk)
            parts.append(bytes(chunk))
        info = BlobInfo(key, intake.size, intake.digest(), content_type, datetime.now(UTC), dict(attributes))
        # Asked again, because another writer may have come while the source was read.
        self._create(key, mode)
        self._stored[key] = info, b"".join(parts)
        return info

    @asynccontextmanager
    async def open(self, key: BlobKey, *, start: int = 0, length: int | None = None) -> AsyncIterator[BlobReader]:
        checked_range(start, length)
        found = self._all().get(key)
        if found is None:
            raise BlobNotFoundError(f"Nothing is stored under {key}.")
        info, data = found
        yield _Reader(info, data[start:] if length is None else data[start : start + length])

    async def stat(self, key: BlobKey) -> BlobInfo | None:
        found = self._all().get(key)
        return found[0] if found else None

    async def delete(self, keys: Collection[BlobKey]) -> None:
        for key in keys:
            self._all().pop(key, None)

    async def list(self, prefix: str, *, after: BlobKey | None = None) -> AsyncIterator[ListedBlob]:
        for key in sorted(self._all()):
            found = self._stored.get(key)
            if found and key.text.startswith(prefix) and (after is None or key > after):
                yield ListedBlob(key, found[0].size, found[0].created_at)

    async def presign_get(self, key: BlobKey, *, expires: timedelta, download_name: str | None = None) -> str:
        raise UnsupportedError(BlobCapability.PRESIGN_GET)

    async def ping(self) -> None:
        self._all()

    async def aclose(self) -> None:
        self._closed = True

    def _create(self, key: BlobKey, mode: str) -> None:
        if mode == "create" and key in self._all():
            raise BlobExistsError(f"{key} is stored already.")

    def _all(self) -> dict[BlobKey, tuple[BlobInfo, bytes]]:
        if self._closed:
            raise ConflictError("blobs was closed.")
        return self._stored


class _Reader(BlobReader):
    def __init__(self, info: BlobInfo, data: bytes) -> None:
        self.info = info
        self._data = data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._data), BLOCK):
            yield self._data[start : start + BLOCK]
