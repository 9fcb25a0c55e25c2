"""Port for vectors under an id, found again by likeness: the index of the knowledge base, never its only copy."""

from __future__ import annotations

import json
import math
import re
from abc import abstractmethod
from array import array
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, Protocol

from faultmaven_core.ports.health import Inspectable, Pingable
from faultmaven_core.ports.vector_fields import FieldType, FieldValue
from faultmaven_core.ports.vector_filters import Filter
from faultmaven_core.shared.capability import Capability
from faultmaven_core.shared.errors import (
    BackendError,
    ConflictError,
    CorruptDataError,
    DeadlineExceededError,
    InvalidInputError,
    NotFoundError,
)
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.shared.scoped_name import checked_organization
from faultmaven_core.shared.text import checked

CollectionName = NewType("CollectionName", str)
"""3 to 45 of `a-z 0-9 _`, starting with a letter, ending with no `_`."""
VectorId = NewType("VectorId", str)
"""1 to 256 of `A-Z a-z 0-9 . _ : -`; unique within a scope."""
WriteToken = NewType("WriteToken", str)
"""Names a write of one scope, so that a read can wait for it; the backend's own, opaque."""

MOST_MATCHES = 1000
LEAST_DIMENSION, MOST_DIMENSION = 2, 4000
MOST_FIELDS = 32

_COLLECTION = re.compile(r"[a-z][a-z0-9_]{1,43}[a-z0-9]")
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,62}")
_ID = re.compile(r"[A-Za-z0-9._:-]{1,256}")
_UNIT = 1e-6


class DimensionMismatchError(InvalidInputError):
    """The vector has not as many numbers as the collection's."""


class CollectionMissingError(NotFoundError):
    """Nobody made this collection: `ensure` does."""


class CollectionMismatchError(ConflictError):
    """The collection is there, for vectors or fields of another kind."""


class NotYetVisibleError(DeadlineExceededError):
    """The write that the read was to wait for is not readable yet."""


class PartlyWrittenError(BackendError):
    """The first batches of an upsert are stored, and of `unconfirmed` it is not known; the cause says why.

    Retryable where its cause is: an upsert that is repeated ends the same.
    """

    def __init__(self, message: str, *, unconfirmed: tuple[VectorId, ...], retryable: bool) -> None:
        super().__init__(message)
        self.unconfirmed = unconfirmed
        self.retryable = retryable


class VectorCapability(Capability):
    """What only some backends can do.

    IMMEDIATE_READS: every read sees what was written before it, without a token. EXACT_COUNT: `count` does too.
    MULTI_PROCESS: several processes may use one place; elsewhere the second one is refused when it first uses it.
    STRING_RANGE: ranges over text.
    """

    IMMEDIATE_READS = "immediate_reads"
    EXACT_COUNT = "exact_count"
    MULTI_PROCESS = "multi_process"
    STRING_RANGE = "string_range"


class Metric(StrEnum):
    """How likeness is measured. All vectors have length 1, so both give the same numbers."""

    COSINE = "cosine"
    DOT = "dot"


@dataclass(frozen=True, slots=True)
class Embedding:
    """A vector of length 1, as 32-bit floats. Made by `of`; nobody changes `values`."""

    values: array[float]

    @classmethod
    def of(cls, values: Sequence[float]) -> Embedding:
        """These numbers, scaled to length 1. Raises InvalidInputError for NaN, infinity and the zero vector."""
        length = math.hypot(*values)
        if not math.isfinite(length) or length == 0:
            raise InvalidInputError(
                "A vector has finite numbers, not all of them zero.", fields={"vector": "has no direction"}
            )
        if isinstance(values, array) and values.typecode == "f" and abs(length - 1) < _UNIT:
            # As it is: what was stored comes back to the last bit.
            return cls(values)
        return cls(array("f", [value / length for value in values]))

    def __len__(self) -> int:
        return len(self.values)

    def __hash__(self) -> int:
        return hash(self.values.tobytes())


@dataclass(frozen=True, slots=True)
class CollectionSpec:
    """What a collection holds: vectors of one model and one length, and declared fields.

    `embedding` is the fingerprint of the model: vectors of two models cannot be compared. 2 to 4,000 numbers; at most 32
    fields, their names 1 to 63 of `a-z 0-9 _`, starting with a letter.
    """

    name: CollectionName
    dimension: int
    metric: Metric
    fields: Mapping[str, FieldType]
    embedding: str

    def __post_init__(self) -> None:
        checked_collection(self.name)
        checked("embedding", self.embedding, most=200, least=1)
        if not LEAST_DIMENSION <= self.dimension <= MOST_DIMENSION:
            raise InvalidInputError(
                f"A collection's vectors have {LEAST_DIMENSION} to {MOST_DIMENSION} numbers, not {self.dimension}.",
                fields={"dimension": "not allowed"},
            )
        if len(self.fields) > MOST_FIELDS:
            raise InvalidInputError(f"A collection has at most {MOST_FIELDS} fields.", fields={"fields": "too many"})
        for field in self.fields:
            if not _FIELD.fullmatch(field):
                raise InvalidInputError(f"{field[:80]!r} is no name of a field.", fields={"fields": "not allowed"})

    def to_text(self) -> str:
        """The specification as backends keep it beside the collection: ASCII, the same for equal ones."""
        told = {"dimension": self.dimension, "metric": self.metric, "fields": self.fields, "embedding": self.embedding}
        return json.dumps(told, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_text(cls, name: CollectionName, text: str) -> CollectionSpec:
        """The specification that `to_text` wrote. Raises CorruptDataError where it is none."""
        try:
            told = json.loads(text)
            fields = {field: FieldType(kind) for field, kind in told["fields"].items()}
            return cls(name, told["dimension"], Metric(told["metric"]), fields, told["embedding"])
        except (ValueError, KeyError, TypeError, AttributeError, InvalidInputError) as error:
            raise CorruptDataError(f"What is kept about the collection {name} cannot be read.") from error


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a call reads and writes: one organization's part of a collection. There is no call without one."""

    collection: CollectionName
    organization: OrganizationId

    def __post_init__(self) -> None:
        checked_collection(self.collection)
        checked_organization(self.organization)


@dataclass(frozen=True, slots=True)
class VectorRecord:
    """A vector under an id, with values of declared fields; a field may be missing, never None. At most 30 KB of fields."""

    id: VectorId
    vector: Embedding
    fields: Mapping[str, FieldValue]


@dataclass(frozen=True, slots=True)
class Match:
    """What a search found. `score` is the similarity, from -1 to 1, 1 the same direction."""

    id: VectorId
    score: float
    fields: Mapping[str, FieldValue]


class VectorStore(Pingable, Inspectable, Protocol):
    """Vectors by collection and organization. Ids are unique per organization and collection; nobody sees another's.

    Every method that takes a scope raises CollectionMissingError where the collection is not there. Records, ids, filters
    and limits are refused (InvalidInputError, InvalidFilterError, DimensionMismatchError) before anything is sent. An
    empty input does nothing. An outage is BackendUnavailableError, or DeadlineExceededError where the server hangs; never
    an empty answer. A read given `after`, a token of an earlier write in the same scope, sees that write and those before
    it, or raises NotYetVisibleError; without it, only where IMMEDIATE_READS is declared.
    """

    capabilities: frozenset[VectorCapability]

    @abstractmethod
    async def ensure(self, spec: CollectionSpec) -> None:
        """Make the collection where it is not there. Raises CollectionMismatchError where it is, and differs."""

    @abstractmethod
    async def describe(self, name: CollectionName) -> CollectionSpec | None:
        """The collection as it was made; None where it is not there."""

    @abstractmethod
    async def drop(self, name: CollectionName) -> None:
        """Remove the collection with all that every organization has in it; an absent one is no error."""

    @abstractmethod
    async def upsert(self, scope: Scope, records: Sequence[VectorRecord]) -> WriteToken:
        """Store the records; each replaces the one with its id wholly, its fields too.

        An id twice in one call is InvalidInputError. Many records go in batches, each of them whole or not at all; where a
        later one fails it is PartlyWrittenError, which names the records that are not confirmed.
        """

    @abstractmethod
    async def delete(self, scope: Scope, ids: Collection[VectorId]) -> WriteToken:
        """Remove records; absent ones are no error."""

    @abstractmethod
    async def delete_matching(self, scope: Scope, where: Filter) -> WriteToken:
        """Remove the records that meet the filter. One that every record meets is InvalidFilterError."""

    @abstractmethod
    async def delete_organization(self, scope: Scope) -> WriteToken:
        """Remove all that the organization has in the collection."""

    @abstractmethod
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
        """The records most like the query, the best first, equal ones by id; `limit` is from 1 to 1,000.

        Only those that meet the filter and have at least `min_score`: `limit` of them where there are so many.
        """

    @abstractmethod
    async def get(
        self, scope: Scope, ids: Collection[VectorId], *, after: WriteToken | None = None
    ) -> Mapping[VectorId, VectorRecord]:
        """The records that there are."""

    @abstractmethod
    async def count(self, scope: Scope, where: Filter | None = None) -> int:
        """How many records there are, or meet the filter. It may lag where EXACT_COUNT is not declared."""

    @abstractmethod
    def scan(self, scope: Scope, *, page_size: int = 100) -> AsyncIterator[VectorId]:
        """Every id once, in any order. What was written or deleted meanwhile may be missing or there."""

    @abstractmethod
    async def aclose(self) -> None:
        """Use no more; using it afterwards is ConflictError. Closing twice is no error."""


def checked_collection(name: CollectionName) -> CollectionName:
    """The name. Raises InvalidInputError where not every backend can hold it."""
    if not _COLLECTION.fullmatch(name):
        raise InvalidInputError(f"{name[:80]!r} is no name of a collection.", fields={"collection": "not allowed"})
    return name


def checked_id(vector_id: VectorId) -> VectorId:
    """The id. Raises InvalidInputError where not every backend can hold it."""
    if not _ID.fullmatch(vector_id):
        raise InvalidInputError(f"{vector_id[:80]!r} is no id of a vector.", fields={"id": "not allowed"})
    return vector_id
