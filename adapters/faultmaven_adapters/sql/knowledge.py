"""Repository of knowledge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Compiled,
    FunctionElement,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.ext.compiler import compiles

from faultmaven_adapters.sql.knowledge_chunks import SqlChunks, batches
from faultmaven_adapters.sql.knowledge_rows import document_of, document_row, scope_text, scope_texts
from faultmaven_adapters.sql.tables import DOCUMENT, VOCABULARY
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_core.knowledge.model import Document, DocumentState, KnowledgeScope
from faultmaven_core.knowledge.ports import KIND, OTHER, Census, DocumentQuery, Scopes
from faultmaven_core.shared.errors import NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import DocumentId
from faultmaven_core.shared.page import Page

# Built once: to build a statement costs more than to run it.
_OWN = DOCUMENT.c.organization_id == bindparam("own")
_KEPT = text("state <> 'removed'")
_KEYS = DOCUMENT.c.key.in_(bindparam("keys", expanding=True))
_AT = and_(
    _OWN,
    DOCUMENT.c.key == bindparam("named"),
    DOCUMENT.c.version == bindparam("at"),
    DOCUMENT.c.scope == bindparam("within"),
)
_ADD, _SAVE = insert(DOCUMENT), update(DOCUMENT).where(_AT)
_GET = select(DOCUMENT).where(_OWN, DOCUMENT.c.id == bindparam("named"))
_MANY, _REMOVE = select(DOCUMENT).where(_OWN, _KEYS), delete(DOCUMENT).where(_OWN, _KEYS)
_OLDEST = select(DOCUMENT).where(_OWN).order_by(DOCUMENT.c.key)
_NEWEST = select(DOCUMENT).where(_OWN).order_by(DOCUMENT.c.key.desc())
_COUNT = select(func.count()).select_from(DOCUMENT).where(_OWN)
_told = func.coalesce(type_coerce(DOCUMENT.c.details, JSON)[KIND].as_string(), OTHER)
_OF_SCOPE = _OLDEST.where(DOCUMENT.c.scope == bindparam("within"), _KEPT)
_BY_NAME = _OF_SCOPE.where(DOCUMENT.c.name.in_(bindparam("names", expanding=True)))
_BY_DIGEST = _OF_SCOPE.where(DOCUMENT.c.sha256 == bindparam("digest"))
_OF_SOURCE = _OF_SCOPE.where(DOCUMENT.c.source == bindparam("source"))
_IN_STATE = _OLDEST.where(DOCUMENT.c.state == bindparam("state")).limit(bindparam("most"))
_NOT_EMBEDDED = _OLDEST.where(DOCUMENT.c.searchable, DOCUMENT.c.embedded != bindparam("model")).limit(bindparam("most"))
_BLOBS = select(DOCUMENT.c.blob).where(_OWN, DOCUMENT.c.blob != "")
_CENSUS = (
    select(
        DOCUMENT.c.state,
        DOCUMENT.c.searchable,
        func.count().label("documents"),
        func.sum(case((DOCUMENT.c.embedded == bindparam("model"), 1), else_=0)).label("embedded"),
        *(
            func.sum(number).label(number.name)
            for number in (DOCUMENT.c.chunks, DOCUMENT.c.characters, DOCUMENT.c.size)
        ),
    )
    .where(_OWN, DOCUMENT.c.scope.in_(bindparam("scopes", expanding=True)))
    .group_by(DOCUMENT.c.state, DOCUMENT.c.searchable)
)
_SEARCHABLE = update(VOCABULARY).where(
    VOCABULARY.c.organization_id == bindparam("own"),
    VOCABULARY.c.document.in_(bindparam("keys", expanding=True)),
    VOCABULARY.c.searchable != bindparam("now"),
)


class SqlKnowledgeRepository(SqlChunks):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, documents: Sequence[Document]) -> None:
        for document in documents:
            self._run.own(document.organization)
        if documents:
            await self._run.run(_ADD, [document_row(document) for document in documents])

    async def get(self, document_id: DocumentId) -> Document:
        row = await self._run.first(_GET, self._own() | {"named": document_id})
        if row is None:
            raise NotFoundError(f"There is no document {document_id}.")
        return document_of(row)

    async def get_many(self, keys: Collection[UUID]) -> Mapping[UUID, Document]:
        return {found.key: found for batch in batches(keys) for found in await self._documents(_MANY, keys=batch)}

    async def save(self, documents: Sequence[Document]) -> None:
        for document in documents:
            self._run.own(document.organization)
            changed = document_row(document) | {"version": document.version + 1}
            at = {"named": document.key, "at": document.version, "within": scope_text(document.scope)}
            if (await self._run.run(_SAVE, changed | self._own() | at)).rowcount != 1:
                raise StaleVersionError(f"{document.name} was changed or removed by somebody else; read it again.")
        for now in (True, False):
            for batch in batches([document.key for document in documents if document.searchable is now]):
                await self._run.run(_SEARCHABLE.values(searchable=now), self._own() | {"keys": batch, "now": now})

    async def remove(self, documents: Collection[UUID]) -> None:
        for batch in batches(documents):
            await self._run.run(_REMOVE, self._own() | {"keys": batch})

    async def page(
        self, query: DocumentQuery, *, after: UUID | None, limit: int, offset: int = 0, newest: bool = False
    ) -> Page[Document]:
        matching = _matching(_NEWEST if newest else _OLDEST, query)
        if after is not None:
            matching = matching.where(DOCUMENT.c.key < after if newest else DOCUMENT.c.key > after)
        found = await self._documents(matching.limit(limit + 1).offset(offset))
        return Page(tuple(found[:limit]), found[limit - 1].key if len(found) > limit else None)

    async def count(self, query: DocumentQuery) -> int:
        row = await self._run.first(_matching(_COUNT, query), self._own())
        return int(row[0]) if row else 0

    async def by_name(self, scope: KnowledgeScope, names: Collection[str]) -> Mapping[str, Document]:
        within = scope_text(scope)
        return {
            found.name: found
            for batch in batches(names)
            for found in await self._documents(_BY_NAME, within=within, names=batch)
        }

    async def by_digest(self, scope: KnowledgeScope, sha256: str) -> Sequence[Document]:
        return await self._documents(_BY_DIGEST, within=scope_text(scope), digest=sha256)

    async def of_source(self, scope: KnowledgeScope, source: str) -> Sequence[Document]:
        return await self._documents(_OF_SOURCE, within=scope_text(scope), source=source)

    async def in_state(self, state: DocumentState, limit: int) -> Sequence[Document]:
        return await self._documents(_IN_STATE, state=str(state), most=limit)

    async def not_embedded(self, fingerprint: str, limit: int) -> Sequence[Document]:
        return await self._documents(_NOT_EMBEDDED, model=fingerprint, most=limit)

    async def blobs(self) -> Collection[str]:
        return {row.blob for row in await self._run.run(_BLOBS, self._own())}

    async def census(self, scopes: Scopes, fingerprint: str) -> Census:
        rows = list(await self._run.run(_CENSUS, self._own() | {"scopes": scope_texts(scopes), "model": fingerprint}))
        states: Counter[DocumentState] = Counter()
        for row in rows:
            states[DocumentState(row.state)] += row.documents
        kept = [row for row in rows if row.state != DocumentState.REMOVED]
        return Census(
            dict(states),
            sum(row.documents for row in kept if row.searchable),
            sum(int(row.embedded) for row in kept if row.searchable and fingerprint),
            *(int(sum(getattr(row, number) for row in kept)) for number in ("chunks", "characters", "size")),
        )

    async def _documents(self, statement: Select[Any], **wanted: Any) -> list[Document]:
        return [document_of(row) for row in await self._run.run(statement, self._own() | wanted)]


def _matching(statement: Select[Any], query: DocumentQuery) -> Select[Any]:
    states = [str(state) for state in query.states]
    matching = statement.where(DOCUMENT.c.scope.in_(scope_texts(query.scopes)), DOCUMENT.c.state.in_(states))
    if query.source is not None:
        matching = matching.where(DOCUMENT.c.source == query.source)
    if query.kind:
        matching = matching.where(_told == query.kind)
    for tag in query.tags:
        matching = matching.where(HasItem(DOCUMENT.c.tags, tag))
    return matching


class HasItem(FunctionElement[bool]):
    """Whether a list in JSON has a text in it."""

    inherit_cache = True


@compiles(HasItem, "sqlite")
def _has_item_in_sqlite(element: HasItem, compiler: Compiled, **options: Any) -> str:
    listed, item = (compiler.process(clause, **options) for clause in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_each({listed}) WHERE value = {item})"  # noqa: S608 - parts that the compiler made


@compiles(HasItem, "postgresql")
def _has_item_in_postgres(element: HasItem, compiler: Compiled, **options: Any) -> str:
    listed, item = (compiler.process(clause, **options) for clause in element.clauses)
    return f"jsonb_exists({listed}, {item})"
