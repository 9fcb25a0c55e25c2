"""Stores in Milvus for tests: on the run's server, and as Milvus Lite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from faultmaven_adapters.vectors.milvus import MilvusVectorStore
from faultmaven_contract_tests.harness import Opener
from faultmaven_contract_tests.servers import needs, shared
from faultmaven_core.ports.vectors import VectorStore


@needs("milvus")
@asynccontextmanager
async def milvus(folder: Path) -> AsyncIterator[VectorStore]:
    """Vectors in a server, whose collections the tests share."""
    store = MilvusVectorStore(shared("milvus").url)
    try:
        yield store
    finally:
        await store.aclose()


@asynccontextmanager
async def milvus_lite(folder: Path) -> AsyncIterator[VectorStore]:
    """Vectors in a folder."""
    store = MilvusVectorStore(str(folder / "milvus"))
    try:
        yield store
    finally:
        await store.aclose()


OPENERS: Mapping[str, Opener] = {"milvus": milvus, "milvus_lite": milvus_lite}
