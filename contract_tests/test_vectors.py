"""The contract of vector stores on our backends."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chroma_backends import OPENERS as CHROMA
from faultmaven_adapters.resilience.policy import resilient
from faultmaven_adapters.vectors.memory import MemoryVectorStore
from faultmaven_adapters.vectors.sqlite import SqliteVectorStore
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.vector_collections import VectorCollectionContract
from faultmaven_contract_tests.vector_faults import VectorFaultContract
from faultmaven_contract_tests.vector_filtering import VectorFilterContract
from faultmaven_contract_tests.vector_places import VectorPlace, VectorPlaceContract
from faultmaven_contract_tests.vector_tenancy import VectorTenancyContract
from faultmaven_contract_tests.vector_writing import VectorWritingContract
from faultmaven_contract_tests.vectors import VectorReadingContract
from faultmaven_core.ports.policy import VECTORS
from faultmaven_core.ports.vectors import VectorStore
from milvus_backends import OPENERS as MILVUS
from pgvector_backends import OPENERS as PGVECTOR
from pinecone_backends import OPENERS as PINECONE
from vector_fault_openers import OPENERS as FAULTY
from vector_fault_openers import Faulty
from vector_place_openers import OPENERS as PLACES


@asynccontextmanager
async def memory(folder: Path) -> AsyncIterator[VectorStore]:
    """Vectors in memory."""
    store = MemoryVectorStore()
    yield store
    await store.aclose()


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[VectorStore]:
    """Vectors in an SQLite file; at the end nothing is left of its log."""
    store = SqliteVectorStore(folder / "vectors.db")
    try:
        yield store
    finally:
        await store.aclose()
    assert [name for _, _, names in os.walk(folder) for name in names if name != "vectors.db"] == []


@asynccontextmanager
async def wrapped(folder: Path) -> AsyncIterator[VectorStore]:
    """The store in memory under its policies: the wrapper may change nothing but failures."""
    async with memory(folder) as store:
        yield resilient(store, VECTORS, "The vector store")


OPENERS = {"memory": memory, "resilient": wrapped, "sqlite": sqlite, **CHROMA, **MILVUS, **PGVECTOR, **PINECONE}


class OurBackends(Contract):
    """What all bindings here share."""

    port = "vectors"
    openers = OPENERS

    @pytest.fixture
    async def subject(self, backend: str, tmp_path: Path) -> AsyncIterator[VectorStore]:
        """A store."""
        async with self.openers[backend](tmp_path) as store:
            yield store


class TestVectorReading(OurBackends, VectorReadingContract):
    """Reading."""


class TestVectorWriting(OurBackends, VectorWritingContract):
    """Writing."""


class TestVectorCollections(OurBackends, VectorCollectionContract):
    """Collections."""


class TestVectorFilters(OurBackends, VectorFilterContract):
    """Filters."""


class TestVectorTenancy(OurBackends, VectorTenancyContract):
    """Organizations."""


class TestVectorPlaces(VectorPlaceContract):
    """What lasts; vectors in memory do not."""

    port = "vectors"
    openers = PLACES

    @pytest.fixture
    async def place(self, backend: str, tmp_path: Path) -> AsyncIterator[VectorPlace]:
        """A place with nothing in it."""
        async with self.openers[backend](tmp_path) as place:
            yield place

    @pytest.fixture
    async def subject(self, place: VectorPlace) -> AsyncIterator[VectorStore]:
        """A store there."""
        store = place.opened()
        yield store
        await store.aclose()


class TestVectorFaults(VectorFaultContract):
    """Failures of network and server; what keeps its vectors in this machine has others."""

    port = "vectors"
    openers = FAULTY

    @pytest.fixture
    async def faulty(self, backend: str, tmp_path: Path) -> AsyncIterator[Faulty]:
        """A server behind a proxy."""
        async with self.openers[backend](tmp_path) as faulty:
            yield faulty

    @pytest.fixture
    def subject(self, faulty: Faulty) -> VectorStore:
        """Impatient."""
        return faulty.subject

    @pytest.fixture
    def wrapped(self, faulty: Faulty) -> VectorStore:
        """The same under its policies."""
        return resilient(faulty.subject, VECTORS, "The vector store")

    @pytest.fixture
    def direct(self, faulty: Faulty) -> VectorStore:
        """On a way that does not break."""
        return faulty.direct

    @pytest.fixture
    def proxy(self, faulty: Faulty) -> FaultProxy:
        """What breaks."""
        return faulty.proxy
