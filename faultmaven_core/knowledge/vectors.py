"""Where the vectors of chunks stand: one collection per tier and embedder, so that two models never meet in one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from faultmaven_core.knowledge.model import Chunk, Document, Tier
from faultmaven_core.ports.embedding import Embedder
from faultmaven_core.ports.vector_fields import FieldType
from faultmaven_core.ports.vector_filters import Filter, In
from faultmaven_core.ports.vectors import CollectionName, CollectionSpec, Embedding, Metric, VectorId, VectorRecord

_FIELDS = {"document": FieldType.STRING, "owner": FieldType.STRING, "chunk": FieldType.INTEGER}


def collection(tier: Tier, fingerprint: str) -> CollectionName:
    """The collection of a tier's chunks as the embedder with this fingerprint made them."""
    digest = hashlib.sha256(fingerprint.encode()).hexdigest()[:8]
    return CollectionName(f"knowledge_{tier}_{digest}")


def spec(tier: Tier, embedder: Embedder) -> CollectionSpec:
    """What that collection holds."""
    return CollectionSpec(
        collection(tier, embedder.fingerprint), embedder.dimension, Metric.COSINE, _FIELDS, embedder.fingerprint
    )


def record(document: Document, chunk: Chunk, embedding: Embedding) -> VectorRecord:
    """A chunk as it stands there. The global tier has no owner."""
    fields: dict[str, str | int] = {"document": document.key.hex, "chunk": chunk.number}
    if document.scope.owner:
        fields["owner"] = document.scope.owner
    return VectorRecord(VectorId(chunk.id), embedding, fields)


def owned_by(owners: Sequence[str]) -> Filter | None:
    """What the records of these owners meet, within their tier's collection; of the global tier, which has none, all."""
    return In("owner", tuple(owners)) if any(owners) else None
