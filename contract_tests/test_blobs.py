"""The blob contract on our backends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest

from buckets import fresh_prefix, parts_left, s3_store
from faultmaven_adapters.blobs.filesystem import FilesystemBlobStore
from faultmaven_adapters.blobs.memory import MemoryBlobStore
from faultmaven_adapters.blobs.s3 import S3BlobStore
from faultmaven_adapters.resilience.policy import resilient
from faultmaven_contract_tests.blob_faults import BlobFaultContract
from faultmaven_contract_tests.blob_memory import BlobMemoryContract
from faultmaven_contract_tests.blobs import BlobReadingContract, BlobWritingContract
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.harness import Opener
from faultmaven_contract_tests.servers import needs, shared
from faultmaven_core.ports.blobs import BlobStore
from faultmaven_core.ports.policy import BLOBS
from faultmaven_core.shared.secret import Secret

WRONG = "a-canary-that-opens-nothing"


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
    """Blobs in a bucket, each test below a prefix of its own; at the end no part of an upload may be left."""
    server = shared("s3")
    prefix = fresh_prefix()
    store = s3_store(server, prefix=prefix)
    await store.start()
    try:
        yield store
        assert await asyncio.to_thread(parts_left, server, prefix) == []
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


class TestBlobFaults(BlobFaultContract):
    """Failures of network and server; what keeps its blobs in this machine has others."""

    port = "blobs"
    openers: ClassVar[Mapping[str, Opener]] = {"s3": s3}

    @pytest.fixture
    async def proxy(self) -> AsyncIterator[FaultProxy]:
        """In front of the server."""
        place = urlsplit(shared("s3").url)
        async with FaultProxy(str(place.hostname), place.port or 0) as proxy:
            yield proxy

    @pytest.fixture
    async def opened(self, proxy: FaultProxy) -> AsyncIterator[Callable[..., S3BlobStore]]:
        """Opens stores through the proxy, all below one prefix; at the end no part of an upload may be left."""
        server, prefix, stores = shared("s3"), fresh_prefix(), []

        def open_store(**options: Any) -> S3BlobStore:
            store = s3_store(server, prefix=prefix, endpoint_url=proxy.through(server.url), **options)
            stores.append(store)
            return store

        yield open_store
        proxy.refuse = proxy.blackhole = False
        proxy.answer(None)
        for store in stores:
            await store.aclose()
        assert await asyncio.to_thread(parts_left, server, prefix) == []

    @pytest.fixture
    async def subject(self, backend: str, opened: Callable[..., S3BlobStore]) -> BlobStore:
        """Patient with outages, not with one answer."""
        store = opened(read_timeout=5.0)
        await store.start()
        return store

    @pytest.fixture
    def wrapped(self, subject: BlobStore) -> BlobStore:
        """The same under its policies."""
        return resilient(subject, BLOBS, "The blob store")

    @pytest.fixture
    async def impatient(self, opened: Callable[..., S3BlobStore]) -> BlobStore:
        """Gives up while the outage lasts."""
        store = opened(read_timeout=1.0, patience=1.0)
        await store.start()
        return store

    @pytest.fixture
    def secrets(self) -> list[str]:
        """The right one and the wrong one."""
        return [shared("s3").secret_key, WRONG]

    @pytest.fixture
    def stranger(self, opened: Callable[..., S3BlobStore]) -> BlobStore:
        """With a wrong secret."""
        return opened(secret_key=Secret(WRONG))

    @pytest.fixture
    def placeless(self, opened: Callable[..., S3BlobStore]) -> BlobStore:
        """Where there is no bucket."""
        return opened(bucket="nobody-made-this")

    @pytest.fixture
    def commits(self) -> list[bytes]:
        """What is in the request that makes a small and a large blob visible."""
        return [b"PUT /", b"<CompleteMultipartUpload"]
