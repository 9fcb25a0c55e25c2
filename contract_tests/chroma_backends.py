"""Openers of vector stores in Chroma, for all suites of vectors.

A folder's process takes seconds to start on a busy machine, and the suites use an organization of its own in every test: so
one store serves them all, unless a test has closed it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from faultmaven_adapters.vectors.chroma import ChromaVectorStore
from faultmaven_contract_tests.harness import Opener
from faultmaven_contract_tests.servers import at_end, needs, shared
from faultmaven_core.ports.vectors import VectorStore
from faultmaven_core.shared.errors import ConflictError

_stores: list[ChromaVectorStore] = []


@asynccontextmanager
async def chroma(folder: Path) -> AsyncIterator[VectorStore]:
    """Vectors in a folder that the whole run shares."""
    yield await _kept()


@needs("chroma")
@asynccontextmanager
async def chroma_server(folder: Path) -> AsyncIterator[VectorStore]:
    """Vectors in a server."""
    store = ChromaVectorStore(url=shared("chroma").url)
    yield store
    await store.aclose()


async def _kept() -> ChromaVectorStore:
    for store in [store for store in _stores if not await _is_open(store)]:
        _stores.remove(store)
    if not _stores:
        place = TemporaryDirectory(prefix="fm-chroma-")
        _stores.append(ChromaVectorStore(Path(place.name)))
        at_end(place.cleanup)
        at_end(partial(_close, _stores[0]))
    return _stores[0]


async def _is_open(store: ChromaVectorStore) -> bool:
    try:
        await store.ping()
    except ConflictError:
        return False
    return True


def _close(store: ChromaVectorStore) -> None:
    asyncio.run(store.aclose())


OPENERS: Mapping[str, Opener] = {"chroma": chroma, "chroma_server": chroma_server}
