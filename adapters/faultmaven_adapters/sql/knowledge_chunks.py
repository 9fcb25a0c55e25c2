"""Chunks of knowledge, and what is found by their words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    select,
    tuple_,
)

from faultmaven_adapters.sql.knowledge_rows import (
    chunk_of,
    chunk_row,
    counted,
    index_prefix,
    is_word,
    joined,
    scope_texts,
    vocabulary,
)
from faultmaven_adapters.sql.tables import CHUNK, DOCUMENT, NAME, POSTING, VOCABULARY
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_core.knowledge.model import Chunk
from faultmaven_core.knowledge.ports import (
    Candidate,
    ChunkTerms,
    KnowledgeRepository,
    NamedChunk,
    Scopes,
    Statistics,
)
from faultmaven_core.shared.batches import batched
from faultmaven_core.shared.errors import NotFoundError

T = TypeVar("T")

_BATCH = 1000
"""Values of one list in a statement: databases allow some 32,000 parameters."""

_FEW = 20
"""Documents whose chunks are looked at in one go."""

# Built once: to build a statement costs more than to run it.
_OWN = DOCUMENT.c.organization_id == bindparam("own")
_FOUND = and_(_OWN, DOCUMENT.c.searchable, DOCUMENT.c.scope.in_(bindparam("scopes", expanding=True)))
_SIZE = select(
    func.count().label("documents"),
    func.sum(DOCUMENT.c.chunks).label("chunks"),
    func.sum(DOCUMENT.c.words).label("words"),
).where(_FOUND)
_OWNER = (
    select(DOCUMENT.c.scope, DOCUMENT.c.searchable).where(_OWN, DOCUMENT.c.key == bindparam("of")).with_for_update()
)

_OF_CHUNK = and_(CHUNK.c.organization_id == bindparam("own"), CHUNK.c.document == bindparam("of"))
_CHUNKS = select(CHUNK).where(_OF_CHUNK, CHUNK.c.number >= bindparam("first")).order_by(CHUNK.c.number)
_TERMS = (
    select(CHUNK.c.document, CHUNK.c.number, CHUNK.c.terms, CHUNK.c.labels)
    .join(DOCUMENT, DOCUMENT.c.key == CHUNK.c.document)
    .where(
        _FOUND,
        CHUNK.c.organization_id == bindparam("own"),
        CHUNK.c.document.in_(bindparam("keys", expanding=True)),
    )
    .order_by(CHUNK.c.document, CHUNK.c.number)
)
_REMOVE = [
    delete(table).where(table.c.organization_id == bindparam("own"), table.c.document == bindparam("of"))
    for table in (CHUNK, NAME, VOCABULARY)
]
_ADD, _ADD_NAMES, _ADD_WORDS = insert(CHUNK), insert(NAME), insert(VOCABULARY)

_NAMED = (
    select(NAME.c.document, NAME.c.number, NAME.c.name)
    .join(DOCUMENT, DOCUMENT.c.key == NAME.c.document)
    .where(_FOUND, NAME.c.organization_id == bindparam("own"), NAME.c.name.in_(bindparam("names", expanding=True)))
    .order_by(NAME.c.name, NAME.c.document, NAME.c.number)
    .limit(bindparam("most"))
)
_FREQUENCY = (
    select(POSTING.c.term, func.count().label("documents"))
    .where(POSTING.c.organization_id == bindparam("own"), POSTING.c.term.in_(bindparam("terms", expanding=True)))
    .group_by(POSTING.c.term)
)


class SqlChunks(KnowledgeRepository, Protocol):
    """The part of the port that is about chunks."""

    _run: SqlTransaction

    async def replace_chunks(self, document: UUID, chunks: Sequence[Chunk]) -> None:
        of = self._own() | {"of": document}
        owner = await self._run.first(_OWNER, of)
        if owner is None:
            raise NotFoundError("There is no such document for these chunks.")
        for statement in _REMOVE:
            await self._run.run(statement, of)
        if not chunks:
            return
        own, of = {"organization_id": self._run.organization}, {"document": document}
        await self._run.run(_ADD, [chunk_row(chunk, self._run.organization) | of for chunk in chunks])
        names = [{"number": chunk.number, "name": name} for chunk in chunks for name in dict.fromkeys(chunk.names)]
        if names:
            await self._run.run(_ADD_NAMES, [own | of | name for name in names])
        prefix = index_prefix(self._run.organization, owner.scope)
        words = joined([prefix + word for word in sorted(vocabulary(chunks))])
        await self._run.run(_ADD_WORDS, own | of | {"searchable": owner.searchable, "terms": words})

    async def chunks(self, document: UUID, *, first: int = 0, limit: int | None = None) -> Sequence[Chunk]:
        wanted = self._own() | {"of": document, "first": first}
        return [chunk_of(row) for row in await self._run.run(_CHUNKS.limit(limit), wanted)]

    async def chunks_at(self, places: Collection[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], Chunk]:
        found: dict[tuple[UUID, int], Chunk] = {}
        for batch in batches(places):
            own = CHUNK.c.organization_id == self._run.organization
            rows = await self._run.run(select(CHUNK).where(own, tuple_(CHUNK.c.document, CHUNK.c.number).in_(batch)))
            found |= {(row.document, row.number): chunk_of(row) for row in rows}
        return found

    async def statistics(self, scopes: Scopes, terms: Collection[str]) -> Statistics:
        named = scope_texts(scopes)
        (size,) = await self._run.run(_SIZE, self._own() | {"scopes": named})
        plain = self._indexed(named, terms)
        frequency: Counter[str] = Counter()
        for batch in batches(plain):
            for row in await self._run.run(_FREQUENCY, self._own() | {"terms": batch}):
                frequency[plain[row.term]] += row.documents
        return Statistics(size.documents, int(size.chunks or 0), int(size.words or 0), dict(frequency))

    async def candidates(self, scopes: Scopes, weights: Mapping[str, int], limit: int) -> Sequence[Candidate]:
        named = scope_texts(scopes)
        indexed = {term: weights[plain] for term, plain in self._indexed(named, weights).items() if weights[plain]}
        if not indexed:
            return []
        heaviest = [row.document for row in await self._run.run(_heaviest(indexed).limit(limit), self._own())]
        asked = frozenset(weights)
        chunks: dict[UUID, list[ChunkTerms]] = defaultdict(list)
        # Few at a time: what is counted below holds the event loop.
        for keys in batches(heaviest, _FEW):
            for row in await self._run.run(_TERMS, self._own() | {"scopes": named, "keys": keys}):
                if found := counted(row.number, row.terms, row.labels, asked):
                    chunks[row.document].append(found)
        return [Candidate(key, tuple(chunks[key])) for key in heaviest if key in chunks]

    async def named(self, scopes: Scopes, names: Collection[str], limit: int) -> Sequence[NamedChunk]:
        wanted = self._own() | {"scopes": scope_texts(scopes), "names": list(names), "most": limit}
        found = await self._run.run(_NAMED, wanted) if names else ()
        return [NamedChunk(row.document, row.number, row.name) for row in found]

    def _own(self) -> dict[str, Any]:
        return {"own": self._run.organization}

    def _indexed(self, scopes: Sequence[str], terms: Iterable[str]) -> dict[str, str]:
        """The words of the lexical index that stand for these, each with its own."""
        prefixes = [index_prefix(self._run.organization, scope) for scope in dict.fromkeys(scopes)]
        return {prefix + term: term for prefix in prefixes for term in terms if is_word(term)}


def _heaviest(weights: Mapping[str, int]) -> Select[Any]:
    """Documents by the sum of the weights of the words that they hold."""
    # No join with the weights: planners that do not know the index yet begin it at the wrong end.
    weight = case(weights, value=POSTING.c.term)
    total = func.sum(weight, type_=BigInteger)
    return (
        select(POSTING.c.document)
        .where(POSTING.c.organization_id == bindparam("own"), POSTING.c.term.in_(list(weights)))
        .group_by(POSTING.c.document)
        .having(total > literal_column("0"))
        .order_by(total.desc(), POSTING.c.document)
    )


def batches(items: Collection[T], most: int = _BATCH) -> Iterator[list[T]]:
    """All items, in lists that fit into a statement."""
    return map(list, batched(items, most))
