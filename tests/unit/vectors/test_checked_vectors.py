"""What every vector store does alike: checking before the wire, batches, failures in the middle, order."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_adapters.vectors.memory import MemoryVectorStore
from faultmaven_contract_tests.vector_samples import EAST, FIELDS, SPEC, WIDE, fresh_scope, record
from faultmaven_core.ports.checked_vectors import BATCH_BYTES, BATCH_ROWS
from faultmaven_core.ports.vector_fields import FieldType
from faultmaven_core.ports.vector_filters import And, Eq, Filter, Gt, In, Or
from faultmaven_core.ports.vectors import (
    CollectionMissingError,
    CollectionName,
    CollectionSpec,
    Embedding,
    Match,
    Metric,
    PartlyWrittenError,
    Scope,
    VectorCapability,
    VectorId,
    VectorRecord,
    WriteToken,
)
from faultmaven_core.shared.errors import (
    BackendError,
    BackendUnavailableError,
    CorruptDataError,
    InvalidInputError,
    UnsupportedError,
)
from faultmaven_core.shared.ids import OrganizationId

QUERY = Embedding.of(EAST)


class Watched(MemoryVectorStore):
    """Notes what reaches the backend, and fails at a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.reached: list[str] = []
        self.batches: list[Sequence[VectorRecord]] = []
        self.fails_at: int | None = None
        self.error: Exception = BackendUnavailableError("Gone.")

    async def _write(
        self, spec: CollectionSpec, organization: OrganizationId, records: Sequence[VectorRecord]
    ) -> WriteToken:
        if len(self.batches) == self.fails_at:
            raise self.error
        self.batches.append(records)
        return await super()._write(spec, organization, records)

    async def _delete(self, spec: CollectionSpec, organization: OrganizationId, ids: Sequence[VectorId]) -> WriteToken:
        self.reached.append("delete")
        return await super()._delete(spec, organization, ids)

    async def _search(
        self,
        spec: CollectionSpec,
        organization: OrganizationId,
        query: Embedding,
        limit: int,
        where: Filter | None,
        after: WriteToken | None,
    ) -> Iterable[Match]:
        self.reached.append("search")
        return await super()._search(spec, organization, query, limit, where, after)


class WithoutStringRanges(MemoryVectorStore):
    """As most servers are."""

    capabilities = frozenset({VectorCapability.IMMEDIATE_READS})


@pytest.fixture
async def store() -> Watched:
    """With both collections of the samples."""
    store = Watched()
    await store.ensure(SPEC)
    await store.ensure(WIDE)
    return store


@pytest.fixture
def scope() -> Scope:
    """An organization with nothing."""
    return fresh_scope()


async def test_what_cannot_be_does_not_reach_the_backend(store: Watched, scope: Scope) -> None:
    """Limits, ids, lengths, fields, filters, and what is empty."""
    wrong_id = VectorId("a b")
    for call in (
        store.search(scope, QUERY, limit=0),
        store.search(scope, QUERY, limit=1001),
        store.search(scope, Embedding.of([1, 2]), limit=1),
        store.search(scope, QUERY, limit=1, where=Eq("nobody", 1)),
        store.upsert(scope, [record("a"), record("a")]),
        store.upsert(scope, [record("a"), record("b", nobody=1)]),
        store.upsert(scope, [record("a"), VectorRecord(VectorId("b"), Embedding.of([1, 2]), {})]),
        store.delete(scope, [VectorId("a"), wrong_id]),
        store.get(scope, [wrong_id]),
    ):
        with pytest.raises(InvalidInputError):
            await call
    assert await store.search(scope, QUERY, limit=1, where=In("title", ())) == ()
    assert (await store.upsert(scope, []), await store.delete(scope, [])) == ("", "")
    assert (store.batches, store.reached) == ([], [])


async def test_batches_have_at_most_so_many_rows_and_bytes(store: Watched, scope: Scope) -> None:
    """In the order in which they were given, each record in one of them."""
    rows = [record(f"r{number}") for number in range(2 * BATCH_ROWS + 1)]
    await store.upsert(scope, rows)
    assert [len(batch) for batch in store.batches] == [BATCH_ROWS, BATCH_ROWS, 1]
    assert [row.id for batch in store.batches for row in batch] == [row.id for row in rows]
    store.batches.clear()
    wide = [VectorRecord(VectorId(f"r{number}"), Embedding.of([1.0] * 384), {}) for number in range(BATCH_ROWS)]
    await store.upsert(fresh_scope(WIDE), wide)
    assert len(store.batches) == 3
    assert all(len(batch) * 384 * 16 <= BATCH_BYTES for batch in store.batches)


async def test_a_failure_in_the_middle_names_what_is_not_confirmed(store: Watched, scope: Scope) -> None:
    """And is worth another try where its cause is."""
    rows = [record(f"r{number}") for number in range(2 * BATCH_ROWS + 1)]
    store.fails_at = 1
    with pytest.raises(PartlyWrittenError) as caught:
        await store.upsert(scope, rows)
    assert caught.value.unconfirmed == tuple(row.id for row in rows[BATCH_ROWS:])
    assert caught.value.retryable
    assert isinstance(caught.value.__cause__, BackendUnavailableError)
    store.fails_at = None
    await store.upsert(scope, rows)
    assert await store.count(scope) == len(rows)
    store.fails_at, store.error = len(store.batches) + 1, BackendError("Odd.")
    with pytest.raises(PartlyWrittenError) as caught:
        await store.upsert(scope, rows)
    assert not caught.value.retryable


async def test_a_failure_at_the_beginning_is_what_it_is(store: Watched, scope: Scope) -> None:
    """Then nothing of the call is confirmed anyway."""
    store.fails_at = 0
    with pytest.raises(BackendUnavailableError):
        await store.upsert(scope, [record(f"r{number}") for number in range(BATCH_ROWS + 1)])


async def test_a_collection_that_somebody_else_dropped_is_looked_up_again(store: Watched, scope: Scope) -> None:
    """What was known of it is forgotten when the backend finds it gone."""
    await store.upsert(scope, [record("a")])
    await store._drop(SPEC.name)
    for _ in range(2):
        with pytest.raises(CollectionMissingError):
            await store.search(scope, QUERY, limit=1)
    await store._make(CollectionSpec(SPEC.name, 2, Metric.COSINE, FIELDS, "other"))
    assert await store.search(scope, Embedding.of([1, 2]), limit=1) == []


async def test_ranges_of_texts_are_refused_where_they_are_not_offered(scope: Scope) -> None:
    """Wherever they stand."""
    store = WithoutStringRanges()
    await store.ensure(SPEC)
    for where in (Gt("title", "a"), Or(Eq("amount", 1), And(Eq("amount", 2), Gt("title", "a")))):
        with pytest.raises(UnsupportedError):
            await store.count(scope, where)
    assert await store.count(scope, Gt("amount", 1)) == 0


@pytest.mark.parametrize("bad", ["", "ab", "1ab", "aB_c", "a-b-c", "abc_", "a" * 46, "abc\n"])
def test_no_name_of_a_collection_that_not_all_take(bad: str) -> None:
    """Neither in a specification nor in a scope."""
    with pytest.raises(InvalidInputError):
        CollectionSpec(CollectionName(bad), 2, Metric.DOT, {}, "model")
    with pytest.raises(InvalidInputError):
        Scope(CollectionName(bad), OrganizationId("org"))


@pytest.mark.parametrize("organization", ["", "a b", "a/b", "..", "a" * 129, "\u00e9", "a\0", "a'b"])
def test_no_scope_without_an_organization(organization: str) -> None:
    """It cannot even be said."""
    with pytest.raises(InvalidInputError):
        Scope(SPEC.name, OrganizationId(organization))


@pytest.mark.parametrize(
    ("dimension", "fields", "embedding"),
    [
        (1, {}, "model"),
        (4001, {}, "model"),
        (2, {"Upper": FieldType.STRING}, "model"),
        (2, {"_hidden": FieldType.STRING}, "model"),
        (2, {"x" * 64: FieldType.STRING}, "model"),
        (2, {f"f{number}": FieldType.STRING for number in range(33)}, "model"),
        (2, {}, ""),
    ],
)
def test_no_collection_that_not_all_can_hold(dimension: int, fields: dict[str, FieldType], embedding: str) -> None:
    """Sizes, names of fields, a model without a name."""
    with pytest.raises(InvalidInputError):
        CollectionSpec(CollectionName("abc"), dimension, Metric.DOT, fields, embedding)


def test_a_specification_survives_being_written_down() -> None:
    """As ASCII, the same text whatever the order of its fields."""
    turned = CollectionSpec(SPEC.name, 4, Metric.COSINE, dict(reversed(list(FIELDS.items()))), "mod\u00e8le")
    assert CollectionSpec.from_text(turned.name, turned.to_text()) == turned
    assert turned.to_text().isascii()
    straight = CollectionSpec(SPEC.name, 4, Metric.COSINE, FIELDS, "mod\u00e8le")
    assert straight.to_text() == turned.to_text()


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"dimension":"four"}', '{"dimension":4,"fields":{"a":"b"}}'])
def test_a_specification_that_was_changed_is_corrupt(text: str) -> None:
    """Not an odd error somewhere later."""
    with pytest.raises(CorruptDataError):
        CollectionSpec.from_text(SPEC.name, text)


@given(st.lists(st.floats(-1e30, 1e30), min_size=2, max_size=64).filter(lambda values: math.hypot(*values) > 1e-290))
def test_an_embedding_has_length_one(values: list[float]) -> None:
    """And the direction that was given."""
    made = Embedding.of(values)
    assert math.hypot(*made.values) == pytest.approx(1, abs=1e-6)
    length = math.hypot(*values)
    assert list(made.values) == pytest.approx([value / length for value in values], abs=1e-6)


@given(st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=64).filter(any))
def test_an_embedding_comes_back_to_the_last_bit(values: list[float]) -> None:
    """From the bytes that a store kept."""
    made = Embedding.of(values)
    again = Embedding.of(array("f", made.values.tobytes()))
    assert again == made
    assert hash(again) == hash(made)
