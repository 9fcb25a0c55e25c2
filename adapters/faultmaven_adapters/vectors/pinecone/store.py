"""The store: the port's methods as requests about documents."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pinecone import AsyncIndex, DenseVectorQuery
from pinecone.models.documents.document import Document
from pinecone.models.response_info import ResponseInfo

from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.vectors.pinecone.documents import (
    KEY,
    VECTOR,
    document,
    expression,
    fields_of,
    numbers,
    record_of,
)
from faultmaven_adapters.vectors.pinecone.errors import TABLE
from faultmaven_adapters.vectors.pinecone.indexes import Indexes, PineconeProject
from faultmaven_adapters.vectors.pinecone.inspection import inspected
from faultmaven_core.ports.checked_vectors import CheckedVectors
from faultmaven_core.ports.health import Inspection
from faultmaven_core.ports.vector_filters import Filter
from faultmaven_core.ports.vectors import (
    CollectionMissingError,
    CollectionName,
    CollectionSpec,
    Embedding,
    Match,
    NotYetVisibleError,
    VectorCapability,
    VectorId,
    VectorRecord,
    WriteToken,
)
from faultmaven_core.shared.backoff import delay
from faultmaven_core.shared.errors import BackendError, BackendUnavailableError, InvalidInputError, NotFoundError
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.shared.secret import Secret

MOST_ANSWERED = 3_000_000
"""Bytes of an answer that are counted on; the service gives 4 MB at most."""
FIELDS, NUMBER = 30_000, 22
"""Bytes of a record's fields, and of one number of its vector, in an answer: the most."""
MOST_FIELDS_ANSWERED = MOST_ANSWERED // FIELDS
"""Records whose fields surely fit into one answer."""
PAGE = 100
"""Ids that one page of a listing has at most."""
COUNTED = 1000
"""Documents that one page of a count has."""
_NOTHING = WriteToken("")
_LOOK, _LONGEST_LOOK = 0.05, 1.0
"""Seconds between searches that wait for a write."""


class _NoNamespaceError(BackendError):
    """The index is there, and nobody has written into that namespace yet."""


class PineconeVectorStore(CheckedVectors):
    """See the port. Reads lag behind writes by seconds, counts and listings too.

    A collection is a document index, an organization a namespace in it, whose name stays when all in it is removed.
    `prefix` begins the names of the indexes: letters, digits and hyphens, for installations that share a project.
    """

    capabilities = frozenset({VectorCapability.MULTI_PROCESS})

    def __init__(
        self,
        api_key: Secret,
        *,
        control_url: str = "",
        cloud: str = "aws",
        region: str = "us-east-1",
        prefix: str = "",
        timeout: float = 10.0,
        patience: float = 15.0,
    ) -> None:
        super().__init__()
        self._project = PineconeProject(api_key, control_url, cloud, region, prefix, timeout, patience)
        self._indexes = Indexes(self._project)

    async def _described(self, name: CollectionName) -> CollectionSpec | None:
        return await self._indexes.described(name)

    async def _make(self, spec: CollectionSpec) -> None:
        await self._indexes.make(spec)

    async def _drop(self, name: CollectionName) -> None:
        await self._indexes.drop(name)

    async def _write(
        self, spec: CollectionSpec, organization: OrganizationId, records: Sequence[VectorRecord]
    ) -> WriteToken:
        documents = [document(record) for record in records]
        async with self._index(spec) as index:
            answer = await index.documents.upsert(namespace=organization, documents=documents)
        return self._token(answer.response_info)

    async def _delete(self, spec: CollectionSpec, organization: OrganizationId, ids: Sequence[VectorId]) -> WriteToken:
        return await self._removed(spec, organization, ids=list(ids))

    async def _delete_matching(self, spec: CollectionSpec, organization: OrganizationId, where: Filter) -> WriteToken:
        return await self._removed(spec, organization, filter=expression(where))

    async def _delete_organization(self, spec: CollectionSpec, organization: OrganizationId) -> WriteToken:
        # Not the namespace itself: its log would begin anew, and tokens from before would be ahead of it for long.
        return await self._removed(spec, organization, delete_all=True)

    async def _search(
        self,
        spec: CollectionSpec,
        organization: OrganizationId,
        query: Embedding,
        limit: int,
        where: Filter | None,
        after: WriteToken | None,
    ) -> Iterable[Match]:
        asked = None if where is None else expression(where)
        # With their fields, many could be more than one answer holds: these are then asked for by themselves.
        fields = [*spec.fields] if limit <= MOST_FIELDS_ANSWERED else []
        found = await self._found(spec, organization, numbers(query), limit, asked, fields, after)
        scores = {one.id: _score(one) for one in found}
        if limit > MOST_FIELDS_ANSWERED and spec.fields:
            found = await self._by_key(spec, organization, [*scores], [*spec.fields], MOST_FIELDS_ANSWERED, after)
        return [Match(VectorId(one.id), scores[one.id], fields_of(one.to_dict(), spec)) for one in found]

    async def _get(
        self, spec: CollectionSpec, organization: OrganizationId, ids: Sequence[VectorId], after: WriteToken | None
    ) -> Iterable[VectorRecord]:
        most = MOST_ANSWERED // (FIELDS + NUMBER * spec.dimension)
        found: list[Document] = []
        if after is not None:
            # Only searches say how fresh they are.
            found = await self._by_key(spec, organization, ids, ["*"], most, after)
        else:
            for batch in _cut(ids, most):
                async with self._index(spec) as index:
                    answer = await index.documents.fetch(namespace=organization, ids=batch)
                found += answer.documents.values()
        return [record_of(one.to_dict(), spec) for one in found]

    async def _count(self, spec: CollectionSpec, organization: OrganizationId, where: Filter | None) -> int:
        if where is None:
            try:
                async with self._index(spec) as index:
                    return (await index.describe_namespace(name=organization)).record_count
            except _NoNamespaceError:
                return 0
        counted, page = 0, None
        while True:
            async with self._index(spec) as index:
                answer = await index.documents.fetch(
                    namespace=organization,
                    filter=expression(where),
                    include_fields=[KEY],
                    limit=COUNTED,
                    pagination_token=page,
                )
            counted += len(answer.documents)
            page = answer.pagination.next if answer.pagination else None
            if not page:
                return counted

    async def _pages(
        self, spec: CollectionSpec, organization: OrganizationId, page_size: int
    ) -> AsyncGenerator[Sequence[VectorId], None]:
        async with self._index(spec) as index:
            pages = index.documents.list(namespace=organization, limit=min(page_size, PAGE)).pages()
        while True:
            async with self._index(spec):
                page = await anext(pages, None)
            if page is None:
                return
            yield [VectorId(one.id) for one in page.items]

    async def _ping(self) -> None:
        await self._indexes.listed()

    async def _inspect(self) -> Inspection:
        return inspected(self._project, await self._indexes.listed())

    async def _release(self) -> None:
        await self._indexes.aclose()

    async def _removed(self, spec: CollectionSpec, organization: OrganizationId, **selected: Any) -> WriteToken:
        try:
            async with self._index(spec) as index:
                answer = await index.documents.delete(namespace=organization, **selected)
        except _NoNamespaceError:
            return _NOTHING
        return self._token(answer.response_info)

    async def _found(
        self,
        spec: CollectionSpec,
        organization: OrganizationId,
        direction: list[float],
        limit: int,
        where: dict[str, Any] | None,
        fields: list[str],
        after: WriteToken | None,
    ) -> list[Document]:
        """What a search gives that has seen the write. It is repeated until then, within our patience."""
        position = _position(after)
        end, looks = time.monotonic() + self._project.patience, 0
        while True:
            async with self._index(spec) as index:
                answer = await index.documents.search(
                    namespace=organization,
                    score_by=[DenseVectorQuery(values=direction, fields=[VECTOR])],
                    top_k=limit,
                    include_fields=fields,
                    filter=where,
                )
            reached = answer.response_info.lsn_reconciled if answer.response_info else None
            if position <= (reached or 0):
                return answer.matches
            if time.monotonic() > end:
                raise NotYetVisibleError(f"{self._project} does not show yet what was written.")
            looks += 1
            await asyncio.sleep(delay(looks, base=_LOOK, cap=_LONGEST_LOOK, chance=random.random))

    async def _by_key(
        self,
        spec: CollectionSpec,
        organization: OrganizationId,
        ids: Sequence[str],
        fields: list[str],
        most: int,
        after: WriteToken | None,
    ) -> list[Document]:
        """The documents with these ids, by searches in any direction."""
        direction = [1.0, *[0.0] * (spec.dimension - 1)]
        found: list[Document] = []
        for batch in _cut(ids, most):
            where = {KEY: {"$in": batch}}
            found += await self._found(spec, organization, direction, len(batch), where, fields, after)
        return found

    def _token(self, said: ResponseInfo | None) -> WriteToken:
        position = None if said is None else said.lsn_committed
        if position is None:
            raise BackendError(f"{self._project} does not say where it wrote; does something on the way drop headers?")
        return WriteToken(str(position))

    @asynccontextmanager
    async def _index(self, spec: CollectionSpec) -> AsyncIterator[AsyncIndex]:
        """The collection's index; only calls of the driver belong inside. Raises CollectionMissingError where it is gone."""
        index = await self._indexes.opened(spec.name)
        if index is None:
            raise CollectionMissingError(f"There is no collection {spec.name}.")
        try:
            with translation(TABLE, str(self._project)):
                yield index
        except NotFoundError as error:
            # An index that is gone and a namespace that never was answer alike.
            now = await self._indexes.reopened(spec.name)
            if now is None:
                raise CollectionMissingError(f"There is no collection {spec.name}.") from error
            if now.host != index.host:
                raise BackendUnavailableError(f"{self._project} has moved the collection {spec.name}.") from error
            raise _NoNamespaceError(f"{self._project} has no namespace of that organization.") from error


def _position(after: WriteToken | None) -> int:
    if after is None:
        return 0
    if not after.isdigit():
        raise InvalidInputError("This is no token of a write into Pinecone.", fields={"after": "unknown"})
    return int(after)


def _cut(ids: Sequence[str], most: int) -> list[list[str]]:
    return [list(ids[start : start + most]) for start in range(0, len(ids), most)]


def _score(one: Document) -> float:
    if one.score is None:
        raise BackendError("Pinecone gave a score that is no number.")
    return one.score
