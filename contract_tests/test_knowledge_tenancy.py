"""No organization's knowledge reaches another: on every database, and on every vector store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from faultmaven_adapters.blobs.memory import MemoryBlobStore
from faultmaven_adapters.vectors.memory import MemoryVectorStore
from faultmaven_contract_tests.knowledge_installation import KnowledgeInstallation, Letters
from faultmaven_contract_tests.knowledge_tenancy import KnowledgeTenancyContract
from faultmaven_core.shared.clock import FixedClock
from storages import OPENERS as STORAGES
from storages import memory
from test_vectors import OPENERS as VECTORS


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
        """Vectors in this store, in collections of their own: servers are shared by all tests of a run."""
        monkeypatch.setattr(Letters, "fingerprint", f"letters:{uuid4().hex}")
        blobs = MemoryBlobStore()
        async with memory(tmp_path) as storage, self.openers[backend](tmp_path) as vectors:
            yield KnowledgeInstallation(storage, blobs, vectors, FixedClock(datetime.now(UTC)))
        await blobs.aclose()
