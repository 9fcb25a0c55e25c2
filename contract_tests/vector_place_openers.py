"""Openers of places that keep vectors, for suites that open more than one store there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from faultmaven_adapters.vectors.chroma import ChromaVectorStore
from faultmaven_adapters.vectors.milvus import MilvusVectorStore
from faultmaven_adapters.vectors.pgvector import PgVectorStore
from faultmaven_adapters.vectors.sqlite import SqliteVectorStore
from faultmaven_contract_tests.servers import needs, shared
from faultmaven_contract_tests.vector_places import VectorPlace
from pgvector_backends import prepared
from pinecone_backends import emulated_at, project
from vectors_elsewhere import Maker, elsewhere


@asynccontextmanager
async def _place(make: Maker) -> AsyncIterator[VectorPlace]:
    async with elsewhere(make) as other:
        yield VectorPlace(make, other)


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[VectorPlace]:
    """A file."""
    async with _place(partial(SqliteVectorStore, folder / "vectors.db")) as place:
        yield place


@asynccontextmanager
async def chroma(folder: Path) -> AsyncIterator[VectorPlace]:
    """A folder of Chroma's."""
    async with _place(partial(ChromaVectorStore, folder / "chroma")) as place:
        yield place


@needs("chroma")
@asynccontextmanager
async def chroma_server(folder: Path) -> AsyncIterator[VectorPlace]:
    """Chroma's server."""
    async with _place(partial(ChromaVectorStore, url=shared("chroma").url)) as place:
        yield place


@needs("milvus")
@asynccontextmanager
async def milvus(folder: Path) -> AsyncIterator[VectorPlace]:
    """Milvus's server."""
    async with _place(partial(MilvusVectorStore, shared("milvus").url)) as place:
        yield place


@asynccontextmanager
async def milvus_lite(folder: Path) -> AsyncIterator[VectorPlace]:
    """A folder of Milvus Lite's."""
    async with _place(partial(MilvusVectorStore, str(folder / "milvus"))) as place:
        yield place


@needs("postgres")
@asynccontextmanager
async def pgvector(folder: Path) -> AsyncIterator[VectorPlace]:
    """A PostgreSQL's database."""
    async with _place(partial(PgVectorStore, await prepared())) as place:
        yield place


@needs("pinecone_emulator")
@asynccontextmanager
async def pinecone_emulated(folder: Path) -> AsyncIterator[VectorPlace]:
    """A project of the emulator's."""
    async with project() as key, _place(partial(emulated_at, shared("pinecone_emulator").url, key)) as place:
        yield place


OPENERS = {
    "sqlite": sqlite,
    "chroma": chroma,
    "chroma_server": chroma_server,
    "milvus": milvus,
    "milvus_lite": milvus_lite,
    "pgvector": pgvector,
    "pinecone_emulated": pinecone_emulated,
}
