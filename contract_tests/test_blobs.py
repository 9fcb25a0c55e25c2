"""The blob contract on our backends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from buckets import fresh_prefix, s3_store, unfinished
from faultmaven_adapters.blobs.filesystem import FilesystemBlobStore
from faultmaven_adapters.blobs.memory import MemoryBlobStore
from faultmaven_adapters.resilience.policy import resilient
from faultmaven_contract_tests.blob_memory import BlobMemoryContract
from faultmaven_contract_tests.blobs import BlobReadingContract, BlobWritingContract
from faultmaven_contract_tests.harness import Opener
from faultmaven_contract_tests.servers import needs, shared
from faultmaven_core.ports.blobs import BlobStore
from faultmaven_core.ports.policy import BLOBS


@asynccontextmanager
async def filesystem(folder: Path) -> AsyncIterator[BlobStore]:
    """Blobs as files; at the end nothing partial may be left."""
    store = FilesystemBlobStore(folder / "blobs")
    try:
        yield store
    finally:
        await store.aclose()
    assert [name for _, _, names in os.walk(folder) for name in names if not name.endswith(".blob")] == []


@asynccontextmanager
async def memory(folder: Path) -> AsyncIterator[BlobStore]:
    """Blobs in memory."""
    store = MemoryBlobStore()
    yield store
    await store.aclose()


@asynccontextmanager
async def wrapped(folder: Path) -> AsyncIterator[BlobStore]:
    """The store in memory under its policies: the wrapper may change nothing but failures."""
    async with memory(folder) as store:
        yield resilient(store, BLOBS, "The blob store")


@needs("s3")
@asynccontextmanager
async def s3(folder: Path) -> AsyncIterator[BlobStore]:
    """Blobs in a bucket, each test below a prefix of its own; at the end no upload may be unfinished."""
    server = shared("s3")
    prefix = fresh_prefix()
    store = s3_store(server, prefix=prefix)
    await store.start()
    try:
        yield store
        assert await asyncio.to_thread(unfinished, server, prefix) == []
    finally:
        await store.aclose()


OPENERS = {"memory": memory, "resilient": wrapped, "filesystem": filesystem, "s3": s3}


class TestBlobWriting(BlobWritingContract):
    """Writing."""

    port = "blobs"
    openers = OPENERS

    @pytest.fixture
    async def subject(self, backend: str, tmp_path: Path) -> AsyncIterator[BlobStore]:
        """A fresh store."""
        async with self.openers[backend](tmp_path) as store:
            yield store


class TestBlobReading(BlobReadingContract):
    """Reading."""

    port = "blobs"
    openers = OPENERS

    @pytest.fixture
    async def subject(self, backend: str, tmp_path: Path) -> AsyncIterator[BlobStore]:
        """A fresh store."""
        async with self.openers[backend](tmp_path) as store:
            yield store


class TestBlobMemory(BlobMemoryContract):
    """Bounds; what keeps its blobs in memory has none."""

    port = "blobs"
    openers: ClassVar[Mapping[str, Opener]] = {"filesystem": filesystem, "s3": s3}
    most: ClassVar[Mapping[str, int]] = {"filesystem": 16, "s3": 64}

    @pytest.fixture
    async def subject(self, backend: str, tmp_path: Path) -> AsyncIterator[BlobStore]:
        """A fresh store."""
        async with self.openers[backend](tmp_path) as store:
            yield store
