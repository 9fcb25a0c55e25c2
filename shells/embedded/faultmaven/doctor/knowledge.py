"""One real use of what knowledge is searched with, in a collection of our own that is removed again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from faultmaven.doctor.trials import ORGANIZATION, OTHER
from faultmaven_core.ports.vector_fields import FieldType
from faultmaven_core.ports.vector_filters import Eq
from faultmaven_core.ports.vectors import (
    CollectionName,
    CollectionSpec,
    Embedding,
    Metric,
    Scope,
    VectorId,
    VectorRecord,
    VectorStore,
)
from faultmaven_core.shared.errors import BackendError, CorruptDataError

if TYPE_CHECKING:
    from faultmaven_core.ports.embedding import Embedder

RELATED = ("The disk is full, so the database refuses writes.", "No space left on device")
UNRELATED = "The certificate of the web site expired."


async def vectors(store: VectorStore, mark: str) -> Sequence[str]:
    """Vectors are kept, found by likeness and by field, unseen by another organization, and removed."""
    name = CollectionName(f"fm_doctor_{mark[:8]}")
    mine, theirs = Scope(name, ORGANIZATION), Scope(name, OTHER)
    near, far = Embedding.of([1, 0.1, 0, 0]), Embedding.of([0, 0, 1, 0])
    records = [
        VectorRecord(VectorId("near"), near, {"kind": "a"}),
        VectorRecord(VectorId("far"), far, {"kind": "b"}),
    ]
    try:
        await store.ensure(CollectionSpec(name, 4, Metric.COSINE, {"kind": FieldType.STRING}, "fm-doctor"))
        token = await store.upsert(mine, records)
        found = await store.search(mine, near, limit=2, after=token)
        filtered = await store.search(mine, near, limit=2, where=Eq("kind", "b"), after=token)
        foreign = await store.search(theirs, near, limit=2)
        await store.delete_organization(mine)
    finally:
        await store.drop(name)
    if foreign:
        raise BackendError("Another organization saw the vectors: do not use this store before that is mended.")
    if [match.id for match in found] != ["near", "far"] or [match.id for match in filtered] != ["far"]:
        raise CorruptDataError("Vectors came back other than they were stored, or in another order: use another store.")
    return ()


async def embedding(embedder: Embedder, _mark: str) -> Sequence[str]:
    """Texts of one meaning lie closer together than others."""
    first, second, other = await embedder.embed([*RELATED, UNRELATED])
    if _cosine(first, second) <= _cosine(first, other):
        return (
            f"{embedder.dimension} numbers a text",
            "It puts sentences of one meaning no closer together than others: name a model that is made for embeddings.",
        )
    return (f"{embedder.dimension} numbers a text",)


def _cosine(one: Embedding, other: Embedding) -> float:
    return sum(a * b for a, b in zip(one.values, other.values, strict=True))
