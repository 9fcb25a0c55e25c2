"""The contract of embedders on ours: hashing, the local model, and a real server with OpenAI's interface."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from embedding_servers import embedder_of
from faultmaven_adapters.embedding.cached import CachedQueries
from faultmaven_adapters.embedding.hashing import HashingEmbedder
from faultmaven_adapters.embedding.onnx import OnnxEmbedder
from faultmaven_adapters.resilience.policy import resilient
from faultmaven_contract_tests.embeddings import ANSWER, EmbedderContract
from faultmaven_contract_tests.harness import Opener
from faultmaven_contract_tests.servers import needs, shared
from faultmaven_core.ports.embedding import MOST_TEXTS, Embedder
from faultmaven_core.ports.policy import EMBEDDING


def opener(make: Callable[[], Embedder]) -> Opener:
    """An opener of an embedder, which needs no folder."""

    @asynccontextmanager
    async def opened(folder: Path) -> AsyncIterator[Embedder]:
        embedder = make()
        try:
            yield embedder
        finally:
            await embedder.aclose()

    return opened


OPENERS = {
    "hashing": opener(HashingEmbedder),
    "resilient": opener(lambda: resilient(HashingEmbedder(), EMBEDDING, "The embedder")),
    "cached": opener(lambda: CachedQueries(HashingEmbedder())),
    "onnx": opener(OnnxEmbedder),
    "openai_compatible": needs("llama")(opener(lambda: embedder_of(shared("llama")))),
}


MANY = {"onnx": 80, "openai_compatible": 3}
"""Texts that take a while; 256 where the backend does not stand here."""


class TestEmbedder(EmbedderContract):
    """An embedder."""

    port = "embedding"
    openers = OPENERS

    @pytest.fixture
    async def subject(self, backend: str, tmp_path: Path) -> AsyncIterator[Embedder]:
        """A fresh one."""
        async with self.openers[backend](tmp_path) as embedder:
            yield embedder

    @pytest.fixture
    def again(self, backend: str, tmp_path: Path) -> Callable[[], AbstractAsyncContextManager[Embedder]]:
        """Makes another one of the same."""
        return partial(self.openers[backend], tmp_path)

    @pytest.fixture
    def many(self, backend: str) -> Sequence[str]:
        """What takes it a while."""
        return [f"{ANSWER} {number}" for number in range(MANY.get(backend, MOST_TEXTS))]
