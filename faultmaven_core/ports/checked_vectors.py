# ruff: noqa: D102 - the port has the docstrings
"""What every vector store does alike, once: it checks against the collection, cuts into batches, sorts, and is closed.

An adapter subclasses `CheckedVectors` and writes the abstract methods. What they are given is valid: an existing
collection's specification, ids and records that fit it, at least one of them, and filters as `simplified` returns them.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import ClassVar

from faultmaven_core.ports.health import Inspection
from faultmaven_core.ports.vector_fields import checked_fields, field_bytes
from faultmaven_core.ports.vector_filters import (
    Everything,
    Filter,
    Gt,
    Gte,
    InvalidFilterError,
    Lt,
    Lte,
    Nothing,
    leaves,
    simplified,
)
from faultmaven_core.ports.vectors import (
    MOST_MATCHES,
    CollectionMismatchError,
    CollectionMissingError,
    CollectionName,
    CollectionSpec,
    DimensionMismatchError,
    Embedding,
    Match,
    PartlyWrittenError,
    Scope,
    VectorCapability,
    VectorId,
    VectorRecord,
    VectorStore,
    WriteToken,
    checked_collection,
    checked_id,
)
from faultmaven_core.shared.batches import batched
from faultmaven_core.shared.errors import (
    BackendError,
    ConflictError,
    FaultMavenError,
    InvalidInputError,
    UnsupportedError,
)
from faultmaven_core.shared.ids import OrganizationId

BATCH_ROWS = 500
BATCH_BYTES = 1_500_000

_NUMBER_BYTES = 16
"""A number of a vector as JSON, the widest form in which one travels."""
_NOTHING_WRITTEN = WriteToken("")
_SCORE_DIGITS = 6
_CHECKED_AT_ONCE = 500
"""Records; between so many the loop gets its turn."""


class CheckedVectors(VectorStore):
    """See the port; the abstract methods are a backend's part. `batch_rows`: the most records that it takes at once."""

    batch_rows: ClassVar[int] = BATCH_ROWS

    def __init__(self) -> None:
        self._specs: dict[CollectionName, CollectionSpec] = {}
        self._closed = False

    @abstractmethod
    async def _described(self, name: CollectionName) -> CollectionSpec | None:
        """The collection as it was made; None where it is not there."""

    @abstractmethod
    async def _make(self, spec: CollectionSpec) -> None:
        """Make the collection. Where somebody was faster, his stays as it is, and that is no error."""

    @abstractmethod
    async def _drop(self, name: CollectionName) -> None:
        """See `drop`."""

    @abstractmethod
    async def _write(
        self, spec: CollectionSpec, organization: OrganizationId, records: Sequence[VectorRecord]
    ) -> WriteToken:
        """Store one batch, wholly or not at all; each id is in it once, and what had it is replaced."""

    @abstractmethod
    async def _delete(self, spec: CollectionSpec, organization: OrganizationId, ids: Sequence[VectorId]) -> WriteToken:
        """Remove records; there are at most `batch_rows` ids, each once."""

    @abstractmethod
    async def _delete_matching(self, spec: CollectionSpec, organization: OrganizationId, where: Filter) -> WriteToken:
        """Remove what meets the filter."""

    @abstractmethod
    async def _delete_organization(self, spec: CollectionSpec, organization: OrganizationId) -> WriteToken:
        """Remove all of the organization's."""

    @abstractmethod
    async def _search(
        self,
        spec: CollectionSpec,
        organization: OrganizationId,
        query: Embedding,
        limit: int,
        where: Filter | None,
        after: WriteToken | None,
    ) -> Iterable[Match]:
        """The best `limit` records in any order, perhaps with others. Without a filter all count."""

    @abstractmethod
    async def _get(
        self, spec: CollectionSpec, organization: OrganizationId, ids: Sequence[VectorId], after: WriteToken | None
    ) -> Iterable[VectorRecord]:
        """The records that there are; there are at most `batch_rows` ids, each once."""

    @abstractmethod
    async def _count(self, spec: CollectionSpec, organization: OrganizationId, where: Filter | None) -> int:
        """See `count`."""

    @abstractmethod
    def _pages(
        self, spec: CollectionSpec, organization: OrganizationId, page_size: int
    ) -> AsyncGenerator[Sequence[VectorId], None]:
        """The ids, in pages of `page_size` or fewer."""

    @abstractmethod
    async def _ping(self) -> None:
        """See `ping`."""

    @abstractmethod
    async def _inspect(self) -> Inspection:
        """See `inspect`."""

    @abstractmethod
    async def _release(self) -> None:
        """Close what is open; called once."""

    async def ensure(self, spec: CollectionSpec) -> None:
        self._check_open()
        found = await self._described(spec.name)
        if found is None:
            await self._make(spec)
            found = await self._described(spec.name)
        if found is None:
            raise BackendError(f"The collection {spec.name} was removed while it was being made.")
        if found != spec:
            raise CollectionMismatchError(
                f"The collection {spec.name} is there with another {_differing(found, spec)}: use another name, or drop it."
            )
        self._specs[spec.name] = found

    async def describe(self, name: CollectionName) -> CollectionSpec | None:
        self._check_open()
        return await self._described(checked_collection(name))

    async def drop(self, name: CollectionName) -> None:
        self._check_open()
        self._specs.pop(checked_collection(name), None)
        await self._drop(name)

    async def upsert(self, scope: Scope, records: Sequence[VectorRecord]) -> WriteToken:
        if records:
            # Somebody else may have dropped it and made it anew, for other vectors: no record goes in by what was once so.
            self._specs.pop(scope.collection, None)
        spec = await self._spec(scope)
        checked = await _checked_records(spec, records)
        token, confirmed = _NOTHING_WRITTEN, 0
        for batch in _batches(checked, spec.dimension, self.batch_rows):
            try:
                with self._at(scope):
                    token = await self._write(spec, scope.organization, batch)
            except FaultMavenError as error:
                if not confirmed:
                    raise
                rest = tuple(record.id for record in checked[confirmed:])
                raise PartlyWrittenError(
                    f"{len(rest)} of {len(checked)} records are not confirmed: {error}",
                    unconfirmed=rest,
                    retryable=error.retryable,
                ) from error
            confirmed += len(batch)
        return token

    async def delete(self, scope: Scope, ids: Collection[VectorId]) -> WriteToken:
        spec = await self._spec(scope)
        token = _NOTHING_WRITTEN
        for batch in _ids(ids, self.batch_rows):
            with self._at(scope):
                token = await self._delete(spec, scope.organization, batch)
        return token

    async def delete_matching(self, scope: Scope, where: Filter) -> WriteToken:
        spec = await self._spec(scope)
        asked = self._simplified(where, spec)
        if asked is None:
            raise InvalidFilterError(
                "The filter holds for every record: `delete_organization` removes all.",
                fields={"where": "holds always"},
            )
        if isinstance(asked, Nothing):
            return _NOTHING_WRITTEN
        with self._at(scope):
            return await self._delete_matching(spec, scope.organization, asked)

    async def delete_organization(self, scope: Scope) -> WriteToken:
        spec = await self._spec(scope)
        with self._at(scope):
            return await self._delete_organization(spec, scope.organization)

    async def search(
        self,
        scope: Scope,
        query: Embedding,
        *,
        limit: int,
        where: Filter | None = None,
        min_score: float | None = None,
        after: WriteToken | None = None,
    ) -> Sequence[Match]:
        _check_between("limit", limit)
        spec = await self._spec(scope)
        _check_dimension(spec, query)
        asked = self._simplified(where, spec)
        if isinstance(asked, Nothing):
            return ()
        with self._at(scope):
            found = await self._search(spec, scope.organization, query, limit, asked, after or None)
        least = -1.0 if min_score is None else min_score
        told = (Match(match.id, _score(match.score), match.fields) for match in found)
        best = sorted((match for match in told if match.score >= least), key=lambda match: (-match.score, match.id))
        return best[:limit]

    async def get(
        self, scope: Scope, ids: Collection[VectorId], *, after: WriteToken | None = None
    ) -> Mapping[VectorId, VectorRecord]:
        spec = await self._spec(scope)
        found: dict[VectorId, VectorRecord] = {}
        for batch in _ids(ids, self.batch_rows):
            with self._at(scope):
                records = await self._get(spec, scope.organization, batch, after or None)
            found.update((record.id, record) for record in records)
        return found

    async def count(self, scope: Scope, where: Filter | None = None) -> int:
        spec = await self._spec(scope)
        asked = self._simplified(where, spec)
        if isinstance(asked, Nothing):
            return 0
        with self._at(scope):
            return await self._count(spec, scope.organization, asked)

    async def scan(self, scope: Scope, *, page_size: int = 100) -> AsyncIterator[VectorId]:
        _check_between("page_size", page_size)
        spec = await self._spec(scope)
        with self._at(scope):
            async with aclosing(self._pages(spec, scope.organization, page_size)) as pages:
                async for page in pages:
                    for vector_id in page:
                        yield vector_id

    async def ping(self) -> None:
        self._check_open()
        await self._ping()

    async def inspect(self) -> Inspection:
        self._check_open()
        return await self._inspect()

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            await self._release()

    def _check_open(self) -> None:
        if self._closed:
            raise ConflictError("The vector store was closed.")

    async def _spec(self, scope: Scope) -> CollectionSpec:
        self._check_open()
        spec = self._specs.get(scope.collection) or await self._described(scope.collection)
        if spec is None:
            raise CollectionMissingError(f"There is no collection {scope.collection}.")
        self._specs[scope.collection] = spec
        return spec

    @contextmanager
    def _at(self, scope: Scope) -> Iterator[None]:
        """What is known of a collection is forgotten when the backend finds it gone: somebody else dropped it."""
        try:
            yield
        except CollectionMissingError:
            self._specs.pop(scope.collection, None)
            raise

    def _simplified(self, where: Filter | None, spec: CollectionSpec) -> Filter | Nothing | None:
        """The filter that is left to ask; None where there is nothing to ask, because every record meets it."""
        asked = Everything() if where is None else simplified(where, spec.fields)
        if isinstance(asked, Everything):
            return None
        if VectorCapability.STRING_RANGE not in self.capabilities and not isinstance(asked, Nothing):
            for leaf in leaves(asked):
                if isinstance(leaf, Gt | Gte | Lt | Lte) and isinstance(leaf.value, str):
                    raise UnsupportedError(VectorCapability.STRING_RANGE)
        return asked


async def _checked_records(spec: CollectionSpec, records: Sequence[VectorRecord]) -> list[VectorRecord]:
    """The records as they are stored. Raises InvalidInputError, or a kind of it, for the first that cannot be."""
    checked: dict[VectorId, VectorRecord] = {}
    for number, record in enumerate(records, 1):
        if checked_id(record.id) in checked:
            raise InvalidInputError(f"{record.id} is given twice.", fields={"id": "given twice"})
        _check_dimension(spec, record.vector)
        checked[record.id] = VectorRecord(record.id, record.vector, checked_fields(spec.fields, record.fields))
        if number % _CHECKED_AT_ONCE == 0:
            await asyncio.sleep(0)
    return list(checked.values())


def _batches(records: Sequence[VectorRecord], dimension: int, rows: int) -> Iterator[Sequence[VectorRecord]]:
    """The records in order, as many at a time as all backends take in one request."""
    batch: list[VectorRecord] = []
    size = 0
    for record in records:
        weight = dimension * _NUMBER_BYTES + len(record.id) + field_bytes(record.fields)
        if batch and (len(batch) == rows or size + weight > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += weight
    if batch:
        yield batch


def _ids(ids: Collection[VectorId], rows: int) -> Iterator[Sequence[VectorId]]:
    # All of them are looked at before the first is sent.
    return batched([checked_id(vector_id) for vector_id in dict.fromkeys(ids)], rows)


def _check_dimension(spec: CollectionSpec, vector: Embedding) -> None:
    if len(vector) != spec.dimension:
        raise DimensionMismatchError(
            f"The collection {spec.name} holds vectors of {spec.dimension} numbers, not {len(vector)}.",
            fields={"vector": "wrong dimension"},
        )


def _check_between(name: str, number: int) -> None:
    if not 1 <= number <= MOST_MATCHES:
        raise InvalidInputError(f"The {name} is from 1 to {MOST_MATCHES}, not {number}.", fields={name: "not allowed"})


def _score(similarity: float) -> float:
    """Without the noise of 32 bits, which would order equal ones by chance and take the same direction over 1."""
    return min(1.0, max(-1.0, round(similarity, _SCORE_DIGITS)))


def _differing(found: CollectionSpec, wanted: CollectionSpec) -> str:
    parts = {
        "dimension": found.dimension != wanted.dimension,
        "metric": found.metric != wanted.metric,
        "set of fields": found.fields != wanted.fields,
        "embedding model": found.embedding != wanted.embedding,
    }
    return " and ".join(part for part, differs in parts.items() if differs)
