"""The repository of knowledge in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from uuid import UUID

from faultmaven_adapters.sql.knowledge_rows import counted, joined, scope_texts, vocabulary
from faultmaven_adapters.sql.memory_tables import MemoryTransaction
from faultmaven_core.knowledge.model import Chunk, Document, DocumentState, KnowledgeScope
from faultmaven_core.knowledge.ports import (
    KIND,
    OTHER,
    Candidate,
    Census,
    ChunkTerms,
    DocumentQuery,
    KnowledgeRepository,
    NamedChunk,
    Scopes,
    Statistics,
)
from faultmaven_core.ports.transactions import own
from faultmaven_core.shared.errors import AlreadyExistsError, InvalidInputError, NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import DocumentId, OrganizationId
from faultmaven_core.shared.page import Page


class MemoryKnowledgeRepository(KnowledgeRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._run, self._organization = transaction, organization

    async def add(self, documents: Sequence[Document]) -> None:
        for document in documents:
            own(self._organization, document.organization)
        for document in documents:
            self._keep(document)

    async def get(self, document_id: DocumentId) -> Document:
        for document in self._all(lambda document: document.id == document_id):
            return document
        raise NotFoundError(f"There is no document {document_id}.")

    async def get_many(self, keys: Collection[UUID]) -> Mapping[UUID, Document]:
        return {document.key: document for document in self._all(lambda document: document.key in keys)}

    async def save(self, documents: Sequence[Document]) -> None:
        rows = self._run.tables.documents
        for document in documents:
            own(self._organization, document.organization)
            place = (self._organization, document.key)
            found = rows.get(place)
            if found is None or (found.version, found.scope) != (document.version, document.scope):
                raise StaleVersionError(f"{document.name} was changed or removed by somebody else; read it again.")
            del rows[place]
            self._keep(replace(document, version=document.version + 1))

    async def remove(self, documents: Collection[UUID]) -> None:
        for key in documents:
            self._run.tables.documents.pop((self._organization, key), None)
            self._run.tables.chunks.pop((self._organization, key), None)

    async def page(
        self, query: DocumentQuery, *, after: UUID | None, limit: int, offset: int = 0, newest: bool = False
    ) -> Page[Document]:
        found = self._within(query.scopes, lambda document: _matches(document, query))
        if newest:
            found.reverse()
        if after is not None:
            found = [one for one in found if (one.key < after if newest else one.key > after)]
        found = found[offset:]
        return Page(tuple(found[:limit]), found[limit - 1].key if len(found) > limit else None)

    async def count(self, query: DocumentQuery) -> int:
        return len(self._within(query.scopes, lambda document: _matches(document, query)))

    async def by_name(self, scope: KnowledgeScope, names: Collection[str]) -> Mapping[str, Document]:
        return {found.name: found for found in self._kept(scope, lambda document: document.name in names)}

    async def by_digest(self, scope: KnowledgeScope, sha256: str) -> Sequence[Document]:
        return self._kept(scope, lambda document: document.sha256 == sha256)

    async def of_source(self, scope: KnowledgeScope, source: str) -> Sequence[Document]:
        return self._kept(scope, lambda document: document.source == source)

    async def in_state(self, state: DocumentState, limit: int) -> Sequence[Document]:
        return self._all(lambda document: document.state is state)[:limit]

    async def not_embedded(self, fingerprint: str, limit: int) -> Sequence[Document]:
        return self._all(lambda document: document.searchable and document.embedded != fingerprint)[:limit]

    async def blobs(self) -> Collection[str]:
        return {document.blob for document in self._all(lambda document: bool(document.blob))}

    async def census(self, scopes: Scopes, fingerprint: str) -> Census:
        found = self._within(scopes, lambda _: True)
        kept = [document for document in found if document.state is not DocumentState.REMOVED]
        searchable = [document for document in kept if document.searchable]
        return Census(
            dict(Counter(document.state for document in found)),
            len(searchable),
            sum(document.embedded == fingerprint != "" for document in searchable),
            sum(document.chunks for document in kept),
            sum(document.characters for document in kept),
            sum(document.size for document in kept),
        )

    async def replace_chunks(self, document: UUID, chunks: Sequence[Chunk]) -> None:
        if (self._organization, document) not in self._run.tables.documents:
            raise NotFoundError("There is no such document for these chunks.")
        if len({chunk.number for chunk in chunks}) < len(chunks):
            raise self._run.refused(AlreadyExistsError("There is a row with the same number already."))
        for chunk in chunks:
            joined(chunk.terms)
            joined(chunk.labels)
        kept = [replace(chunk, document=document) for chunk in chunks]
        self._run.tables.chunks[self._organization, document] = tuple(sorted(kept, key=lambda chunk: chunk.number))

    async def chunks(self, document: UUID, *, first: int = 0, limit: int | None = None) -> Sequence[Chunk]:
        return [chunk for chunk in self._chunks(document) if chunk.number >= first][:limit]

    async def chunks_at(self, places: Collection[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], Chunk]:
        found = [chunk for document in {document for document, _ in places} for chunk in self._chunks(document)]
        wanted = set(places)
        return {place: chunk for chunk in found if (place := (chunk.document, chunk.number)) in wanted}

    async def statistics(self, scopes: Scopes, terms: Collection[str]) -> Statistics:
        found = self._searchable(scopes)
        held: Counter[str] = Counter()
        for document in found:
            held.update(vocabulary(self._chunks(document.key)) & set(terms))
        return Statistics(len(found), sum(one.chunks for one in found), sum(one.words for one in found), dict(held))

    async def candidates(self, scopes: Scopes, weights: Mapping[str, int], limit: int) -> Sequence[Candidate]:
        weighed = []
        for document in self._searchable(scopes):
            weight = sum(weights[term] for term in vocabulary(self._chunks(document.key)) & weights.keys())
            if weight > 0:
                weighed.append((-weight, document.key))
        return [Candidate(key, tuple(self._holding(key, weights))) for _, key in sorted(weighed)[:limit]]

    async def named(self, scopes: Scopes, names: Collection[str], limit: int) -> Sequence[NamedChunk]:
        found = [
            (name, chunk.document, chunk.number)
            for document in self._searchable(scopes)
            for chunk in self._chunks(document.key)
            for name in set(names) & set(chunk.names)
        ]
        return [NamedChunk(document, number, name) for name, document, number in sorted(found)[:limit]]

    def _all(self, wanted: Callable[[Document], bool]) -> list[Document]:
        rows = self._run.tables.documents.items()
        found = [document for (owner, _), document in rows if owner == self._organization and wanted(document)]
        return sorted(found, key=lambda document: document.key)

    def _within(self, scopes: Scopes, wanted: Callable[[Document], bool]) -> list[Document]:
        scope_texts(scopes)
        return [document for document in self._all(wanted) if document.scope in scopes]

    def _kept(self, scope: KnowledgeScope, wanted: Callable[[Document], bool]) -> list[Document]:
        return [found for found in self._within([scope], wanted) if found.state is not DocumentState.REMOVED]

    def _searchable(self, scopes: Scopes) -> list[Document]:
        return self._within(scopes, lambda document: document.searchable)

    def _chunks(self, document: UUID) -> tuple[Chunk, ...]:
        return self._run.tables.chunks.get((self._organization, document), ())

    def _holding(self, document: UUID, terms: Collection[str]) -> Iterator[ChunkTerms]:
        for chunk in self._chunks(document):
            if found := counted(chunk.number, joined(chunk.terms), joined(chunk.labels), frozenset(terms)):
                yield found

    def _keep(self, document: Document) -> None:
        moments = (document.added_at, document.updated_at)
        if any(at.tzinfo is None for at in moments):
            raise self._run.refused(InvalidInputError("A time without a zone cannot be stored."))
        if self._all(lambda other: _clash(other, document)):
            raise self._run.refused(AlreadyExistsError("There is a document with the same key, id or name already."))
        added, updated = (at.astimezone(UTC) for at in moments)
        place = (self._organization, document.key)
        self._run.tables.documents[place] = replace(document, added_at=added, updated_at=updated)


def _clash(one: Document, other: Document) -> bool:
    removed = DocumentState.REMOVED in (one.state, other.state)
    return (
        one.key == other.key
        or one.id == other.id
        or (not removed and (one.scope, one.name) == (other.scope, other.name))
    )


def _matches(document: Document, query: DocumentQuery) -> bool:
    return (
        document.state in query.states
        and query.source in (None, document.source)
        and set(query.tags) <= set(document.tags)
        and query.kind in ("", document.details.get(KIND, OTHER))
    )
