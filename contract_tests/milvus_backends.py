"""Stores in Milvus for tests: on the run's server, and as Milvus Lite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from faultmaven_adapters.vectors.milvus import MilvusVectorStore
from faultmaven_contract_tests.harness import Opener
from faultmaven_contract_tests.servers import at_end, needs, shared
from faultmaven_core.ports.vectors import VectorStore
from faultmaven_core.shared.errors import ConflictError


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
    """Vectors in a folder; its process takes long to start, so the tests share one, as they share the server."""
    for store in [store for store in _lite if not await _is_open(store)]:
        _lite.remove(store)
    if not _lite:
        place = TemporaryDirectory(prefix="fm-milvus-")
        _lite.append(MilvusVectorStore(place.name))
        at_end(place.cleanup)
        at_end(partial(_close, _lite[0]))
    yield _lite[0]


_lite: list[MilvusVectorStore] = []


async def _is_open(store: MilvusVectorStore) -> bool:
    try:
        await store.ping()
    except ConflictError:
        return False
    return True


def _close(store: MilvusVectorStore) -> None:
    asyncio.run(store.aclose())


OPENERS: Mapping[str, Opener] = {"milvus": milvus, "milvus_lite": milvus_lite}
