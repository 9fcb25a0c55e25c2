"""Two processes with two models, as while an installation gets another one: no vector outlives its document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from faultmaven_adapters.embedding.hashing import HashingEmbedder
from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge import vectors
from faultmaven_core.knowledge.model import Tier
from faultmaven_core.ports.embedding import Purpose
from faultmaven_core.ports.vectors import Embedding, Scope
from tests.unit.knowledge.library import ACME, ANN, library, write


class Overtaken(HashingEmbedder):
    """Something else is done while it embeds for the first time."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def embed(self, texts: Sequence[str], purpose: Purpose = Purpose.DOCUMENT) -> Sequence[Embedding]:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            await meanwhile()
        return await super().embed(texts, purpose)


async def test_what_another_model_embedded_meanwhile_goes_with_the_document(tmp_path: Path) -> None:
    """The row names one model alone: what the other one made must not be forgotten with it."""
    write(tmp_path / "kb", redis="# Redis\n\nIt is full.\n")
    mine, former = Overtaken(64), HashingEmbedder(32)
    async with library(embedder=former) as subject:
        other = subject.service
        subject.embedder = mine
        subject.begun()
        await subject.service.add(c.AddDocuments(str(tmp_path / "kb")), ANN)
        mine.meanwhile = lambda: other.embed(c.EmbedKnowledge(idle_seconds=0), ANN)
        await subject.run_jobs()
        (document,) = (await subject.documents()).values()
        assert document.embedded == mine.fingerprint
        places = [Scope(vectors.collection(Tier.GLOBAL, model.fingerprint), ACME) for model in (mine, former)]
        assert [await subject.vectors.count(place) for place in places] == [document.chunks, 0]
        await subject.service.delete(c.DeleteDocument(document.id), ANN)
        while await subject.run_jobs():
            pass
        assert [await subject.vectors.count(place) for place in places] == [0, 0]
