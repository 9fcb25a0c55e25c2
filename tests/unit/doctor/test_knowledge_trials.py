"""What the doctor tries on vector stores and embedders, and the faults that it must notice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from faultmaven.doctor import knowledge, trials
from faultmaven_adapters.embedding.hashing import HashingEmbedder
from faultmaven_adapters.vectors.memory import MemoryVectorStore
from faultmaven_core.ports.embedding import Purpose
from faultmaven_core.ports.vectors import CollectionName, CollectionSpec, Embedding, Match, Metric
from faultmaven_core.shared.errors import BackendError, CorruptDataError
from faultmaven_core.shared.ids import OrganizationId


async def test_a_store_that_works_is_found_to_work_and_keeps_nothing() -> None:
    """The collection is gone afterwards: another one of its name can be made."""
    store = MemoryVectorStore()
    assert await knowledge.vectors(store, "m") == ()
    await store.ensure(CollectionSpec(CollectionName("fm_doctor_m"), 8, Metric.DOT, {}, "other"))
    await store.aclose()


class EveryonesVectors(MemoryVectorStore):
    """Knows only one organization."""

    async def _search(self, spec: Any, organization: OrganizationId, *rest: Any) -> Iterable[Match]:
        return await super()._search(spec, trials.ORGANIZATION, *rest)


class OddVectors(MemoryVectorStore):
    """Does not look at filters."""

    async def _search(self, spec: Any, organization: Any, query: Any, limit: int, where: Any, after: Any) -> Any:
        return await super()._search(spec, organization, query, limit, None, after)


@pytest.mark.parametrize(
    ("store", "kind", "told"),
    [
        (EveryonesVectors(), BackendError, "Another organization saw"),
        (OddVectors(), CorruptDataError, "in another order"),
    ],
)
async def test_a_store_that_does_what_it_must_not_is_found_out(
    store: MemoryVectorStore, kind: type[Exception], told: str
) -> None:
    """And is cleaned up all the same."""
    with pytest.raises(kind, match=told):
        await knowledge.vectors(store, "m")
    await store.ensure(CollectionSpec(CollectionName("fm_doctor_m"), 8, Metric.DOT, {}, "other"))
    await store.aclose()


class SenselessEmbedder(HashingEmbedder):
    """Finds everything about the web closest to full disks."""

    async def embed(self, texts: Sequence[str], purpose: Purpose = Purpose.DOCUMENT) -> Sequence[Embedding]:
        """The second one lies apart."""
        return [Embedding.of([1.0, 0.0 + (number == 1) * 5]) for number, _ in enumerate(texts)]


async def test_an_embedder_is_told_from_one_that_knows_no_meaning() -> None:
    """A warning, not a failure: it may be what somebody wants."""
    senseless, hashing = SenselessEmbedder(), HashingEmbedder()
    said, warning = await knowledge.embedding(senseless, "m")
    assert "256 numbers" in said
    assert "made for embeddings" in warning
    assert (await knowledge.embedding(hashing, "m"))[0] == "256 numbers a text"
    await senseless.aclose()
    await hashing.aclose()
