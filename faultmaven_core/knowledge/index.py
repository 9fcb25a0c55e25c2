"""The vector side of documents: embeddings of their chunks put in, taken out and counted up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from faultmaven_core.knowledge import vectors
from faultmaven_core.knowledge.chunking import passage
from faultmaven_core.knowledge.model import Chunk, Document, Tier, chunk_of
from faultmaven_core.ports.embedding import MOST_TEXTS, Embedder
from faultmaven_core.ports.vector_filters import And, Eq, Gte, In, Or
from faultmaven_core.ports.vectors import CollectionMissingError, Scope, VectorRecord, VectorStore
from faultmaven_core.shared.batches import batched
from faultmaven_core.shared.ids import OrganizationId

_TAILS_AT_ONCE = 40
"""Documents of one filter: two leaves each, of the hundred that a filter may have."""


class VectorIndex:
    """Chunks by meaning, under the embedder in force. Every step may be repeated and ends the same."""

    def __init__(self, store: VectorStore, embedder: Embedder | None) -> None:
        self._store, self._embedder = store, embedder

    @property
    def fingerprint(self) -> str:
        """The embedder's; empty where there is none."""
        return self._embedder.fingerprint if self._embedder else ""

    async def put(self, cut: Sequence[tuple[Document, Sequence[Chunk]]]) -> None:
        """Embed documents of one organization wholly: afterwards their vectors are those of these chunks and no others."""
        by_tier: dict[Tier, list[tuple[Document, Sequence[Chunk]]]] = defaultdict(list)
        for document, chunks in cut:
            by_tier[document.scope.tier].append((document, chunks))
        for tier, members in by_tier.items():
            scope = await self._scope(tier, members[0][0].organization)
            passages = [(document, chunk) for document, chunks in members for chunk in chunks]
            for some in batched(passages, MOST_TEXTS):
                await self._store.upsert(scope, await self._records(some))
            # A document that was cut into more chunks before has vectors beyond its last one.
            for few in batched(members, _TAILS_AT_ONCE):
                beyond = [And(Eq("document", document.key.hex), Gte("chunk", len(chunks))) for document, chunks in few]
                await self._store.delete_matching(scope, Or(*beyond))

    async def remove(self, documents: Iterable[Document]) -> None:
        """Take documents of one organization out, under the embedder in force and the one that embedded them last."""
        places: dict[Scope, list[str]] = defaultdict(list)
        for document in documents:
            for fingerprint in {document.embedded, self.fingerprint} - {""}:
                collection = vectors.collection(document.scope.tier, fingerprint)
                places[Scope(collection, document.organization)].append(document.key.hex)
        for scope, keys in places.items():
            await self._remove(scope, keys)

    async def leave(self, documents: Iterable[Document]) -> None:
        """Take documents out of the collections of embedders that are not in force any more."""
        places: dict[Scope, list[str]] = defaultdict(list)
        for document in documents:
            if document.embedded not in ("", self.fingerprint):
                collection = vectors.collection(document.scope.tier, document.embedded)
                places[Scope(collection, document.organization)].append(document.key.hex)
        for scope, keys in places.items():
            await self._remove(scope, keys)

    async def counted(self, organization: OrganizationId) -> AsyncIterator[tuple[Tier, Mapping[UUID, int]]]:
        """How many vectors which documents have, by tier, under the embedder in force."""
        for tier in Tier if self._embedder else ():
            scope = Scope(vectors.collection(tier, self.fingerprint), organization)
            counts: dict[UUID, int] = defaultdict(int)
            with suppress(CollectionMissingError):
                async for vector_id in self._store.scan(scope):
                    counts[chunk_of(vector_id)[0]] += 1
            yield tier, counts

    async def remove_keys(self, organization: OrganizationId, tier: Tier, keys: Iterable[UUID]) -> None:
        """Take out what stands under keys that no document has."""
        await self._remove(Scope(vectors.collection(tier, self.fingerprint), organization), [key.hex for key in keys])

    async def _remove(self, scope: Scope, keys: Sequence[str]) -> None:
        with suppress(CollectionMissingError):
            for some in batched(keys, 1000):
                await self._store.delete_matching(scope, In("document", some))

    async def _scope(self, tier: Tier, organization: OrganizationId) -> Scope:
        if self._embedder is None:
            raise RuntimeError("nothing is embedded without an embedder")
        await self._store.ensure(vectors.spec(tier, self._embedder))
        return Scope(vectors.collection(tier, self.fingerprint), organization)

    async def _records(self, passages: Sequence[tuple[Document, Chunk]]) -> Sequence[VectorRecord]:
        if self._embedder is None:
            raise RuntimeError("nothing is embedded without an embedder")
        texts = [passage(document.title, chunk) for document, chunk in passages]
        embeddings = await self._embedder.embed(texts)
        return [
            vectors.record(document, chunk, embedding)
            for (document, chunk), embedding in zip(passages, embeddings, strict=True)
        ]
