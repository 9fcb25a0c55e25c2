"""Openers of vector stores in Chroma, for all suites of vectors.

A folder's process takes seconds to start on a busy machine, and the suites use an organization of its own in every test: so
one store serves them all, unless a test has closed it.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from faultmaven_adapters.vectors.chroma import ChromaVectorStore
from faultmaven_contract_tests.servers import needs, shared
from faultmaven_core.ports.vectors import VectorStore
from faultmaven_core.shared.errors import ConflictError

_folders: list[Path] = []
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


def close_kept() -> None:
    """At the end of the run."""
    while _stores:
        asyncio.run(_stores.pop().aclose())
    while _folders:
        shutil.rmtree(_folders.pop())


async def _kept() -> ChromaVectorStore:
    if not _folders:
        _folders.append(Path(tempfile.mkdtemp(prefix="faultmaven-chroma-")))
    if _stores:
        try:
            await _stores[0].ping()
        except ConflictError:
            _stores.clear()
    if not _stores:
        _stores.append(ChromaVectorStore(_folders[0]))
    return _stores[0]


OPENERS = {"chroma": chroma, "chroma_server": chroma_server}
