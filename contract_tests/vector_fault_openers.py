"""Openers of vector stores behind a network that breaks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from faultmaven_adapters.vectors.chroma import ChromaVectorStore
from faultmaven_adapters.vectors.milvus import MilvusVectorStore
from faultmaven_adapters.vectors.pgvector import PgVectorStore
from faultmaven_adapters.vectors.pinecone import PineconeVectorStore
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.servers import needs, shared
from faultmaven_core.ports.vectors import VectorStore
from faultmaven_core.shared.secret import Secret
from pgvector_backends import prepared
from pinecone_backends import project

TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Faulty:
    """A store behind a proxy, and another without one."""

    subject: VectorStore
    direct: VectorStore
    proxy: FaultProxy


@asynccontextmanager
async def _behind(url: str, make: Callable[[str], VectorStore]) -> AsyncIterator[Faulty]:
    place = urlsplit(url)
    async with FaultProxy(str(place.hostname), place.port or 0) as proxy:
        subject, direct = make(proxy.through(url)), make(url)
        try:
            yield Faulty(subject, direct, proxy)
        finally:
            proxy.refuse = proxy.blackhole = False
            await subject.aclose()
            await direct.aclose()


@needs("chroma")
@asynccontextmanager
async def chroma_server(folder: Path) -> AsyncIterator[Faulty]:
    """Chroma's server."""
    async with _behind(shared("chroma").url, lambda url: ChromaVectorStore(url=url, timeout=TIMEOUT)) as faulty:
        yield faulty


@needs("milvus")
@asynccontextmanager
async def milvus(folder: Path) -> AsyncIterator[Faulty]:
    """Milvus's server."""
    async with _behind(shared("milvus").url, lambda url: MilvusVectorStore(url, timeout=TIMEOUT)) as faulty:
        yield faulty


@needs("postgres")
@asynccontextmanager
async def pgvector(folder: Path) -> AsyncIterator[Faulty]:
    """A PostgreSQL's database."""

    def make(url: str) -> VectorStore:
        return PgVectorStore(url, timeout=TIMEOUT, connect_timeout=TIMEOUT)

    async with _behind(await prepared(), make) as faulty:
        yield faulty


@needs("pinecone_emulator")
@asynccontextmanager
async def pinecone_emulated(folder: Path) -> AsyncIterator[Faulty]:
    """A project of the emulator's."""
    async with project() as key:

        def make(url: str) -> VectorStore:
            return PineconeVectorStore(Secret(key), control_url=url, timeout=TIMEOUT)

        async with _behind(shared("pinecone_emulator").url, make) as faulty:
            yield faulty


OPENERS = {
    "chroma_server": chroma_server,
    "milvus": milvus,
    "pgvector": pgvector,
    "pinecone_emulated": pinecone_emulated,
}
