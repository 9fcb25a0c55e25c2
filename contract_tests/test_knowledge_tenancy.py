"""No organization's knowledge reaches another: on every database, and on every vector store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from faultmaven_adapters.blobs.memory import MemoryBlobStore
from faultmaven_adapters.vectors.memory import MemoryVectorStore
from faultmaven_contract_tests.knowledge_installation import KnowledgeInstallation, Letters
from faultmaven_contract_tests.knowledge_tenancy import KnowledgeTenancyContract
from faultmaven_contract_tests.samples import ACME, OTHER
from faultmaven_contract_tests.vector_samples import counted
from faultmaven_core.knowledge.model import Tier
from faultmaven_core.knowledge.vectors import collection
from faultmaven_core.ports.vectors import Scope, VectorStore
from faultmaven_core.shared.clock import FixedClock
from storages import OPENERS as STORAGES
from storages import memory
from test_vectors import OPENERS as VECTORS

FINGERPRINT = f"letters:{uuid4().hex}"
"""So the tests have collections of their own in servers that all tests of a run share, and share those: some stores make
them slowly."""


class TestOnDatabases(KnowledgeTenancyContract):
    """With vectors in memory."""

    port = "knowledge"
    openers = STORAGES

    @pytest.fixture
    async def subject(self, backend: str, tmp_path: Path) -> AsyncIterator[KnowledgeInstallation]:
        """Rows in this database."""
        vectors, blobs = MemoryVectorStore(), MemoryBlobStore()
        async with self.openers[backend](tmp_path) as storage:
            yield KnowledgeInstallation(storage, blobs, vectors, FixedClock(datetime.now(UTC)))
        await vectors.aclose()
        await blobs.aclose()


class TestOnVectorStores(KnowledgeTenancyContract):
    """With rows in memory."""

    port = "vectors"
    openers = VECTORS

    @pytest.fixture
    async def subject(
        self, backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[KnowledgeInstallation]:
        """Vectors in this store."""
        monkeypatch.setattr(Letters, "fingerprint", FINGERPRINT)
        blobs = MemoryBlobStore()
        async with memory(tmp_path) as storage, self.openers[backend](tmp_path) as vectors:
            await empty(vectors)
            yield KnowledgeInstallation(storage, blobs, vectors, FixedClock(datetime.now(UTC)))
        await blobs.aclose()


async def empty(vectors: VectorStore) -> None:
    """Nothing is left of the test before, also where it takes a while until that is seen."""
    for name in [collection(tier, FINGERPRINT) for tier in Tier]:
        if await vectors.describe(name) is not None:
            for scope in (Scope(name, ACME), Scope(name, OTHER)):
                await vectors.delete_organization(scope)
                await counted(vectors, partial(vectors.count, scope), 0)
