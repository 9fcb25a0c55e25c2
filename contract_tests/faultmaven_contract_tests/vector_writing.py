"""What every vector store promises about writing and deleting."""

from __future__ import annotations

import asyncio
import math

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.stalls import assert_lively
from faultmaven_contract_tests.vector_samples import (
    EAST,
    NORTH,
    SPEC,
    WEST,
    WIDE,
    counted,
    fresh_scope,
    ids,
    record,
)
from faultmaven_core.ports.vector_filters import Eq
from faultmaven_core.ports.vectors import (
    DimensionMismatchError,
    Embedding,
    Scope,
    VectorId,
    VectorRecord,
    VectorStore,
)
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError

QUERY = Embedding.of(EAST)
BAD: list[tuple[VectorRecord, type[InvalidInputError | TooLargeError]]] = [
    (record("good"), InvalidInputError),
    (VectorRecord(VectorId("wide"), Embedding.of([1.0] * 5), {}), DimensionMismatchError),
    (record("", amount=1), InvalidInputError),
    (record("a b"), InvalidInputError),
    (record("\u00e9"), InvalidInputError),
    (record("x" * 257), InvalidInputError),
    (record("a", unknown=1), InvalidInputError),
    (record("a", amount=True), InvalidInputError),
    (record("a", amount=1.0), InvalidInputError),
    (record("a", amount="1"), InvalidInputError),
    (record("a", amount=2**53), InvalidInputError),
    (record("a", weight=math.nan), InvalidInputError),
    (record("a", weight=math.inf), InvalidInputError),
    (record("a", open=1), InvalidInputError),
    (record("a", title="x" * 1025), InvalidInputError),
    (record("a", title="\u00e9" * 513), InvalidInputError),
    (record("a", title="with \0 NUL"), InvalidInputError),
    (record("a", title="half \ud83d a pair"), InvalidInputError),
    (record("a", tags=()), InvalidInputError),
    (record("a", tags=tuple("x" * 1000 for _ in range(31))), TooLargeError),
]
"""Records beside which one with the id `good` cannot be stored."""


class VectorWritingContract(Contract):
    """A binding gives the fixture `subject`, a store."""

    @pytest.fixture
    async def scope(self, subject: VectorStore) -> Scope:
        """An organization with nothing in the collection."""
        await subject.ensure(SPEC)
        return fresh_scope()

    async def test_writing_again_replaces_the_whole_record(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 5: the vector, and fields that the new record does not have."""
        await subject.upsert(
            scope, [record("a", EAST, title="old", amount=1, tags=("x",)), record("b", NORTH, amount=2)]
        )
        token = await subject.upsert(scope, [record("a", WEST, weight=0.5)])
        found = await subject.search(scope, QUERY, limit=9, after=token)
        assert [(match.id, dict(match.fields)) for match in found] == [("b", {"amount": 2}), ("a", {"weight": 0.5})]
        assert found[1].score == pytest.approx(-1, abs=1e-5)
        assert list(await subject.search(scope, QUERY, limit=9, where=Eq("title", "old"), after=token)) == []
        token = await subject.upsert(scope, [record("a", EAST)])
        assert (await subject.get(scope, ids("a"), after=token))[VectorId("a")].fields == {}

    async def test_a_bad_record_stores_nothing_of_its_call(self, subject: VectorStore, scope: Scope) -> None:
        """Clauses 6 and 20: an id given twice, a wrong length, what a field cannot hold."""
        for bad, error in BAD:
            with pytest.raises(error):
                await subject.upsert(scope, [record("good"), bad])
        token = await subject.upsert(scope, [record("later")])
        assert await subject.get(scope, ids("good"), after=token) == {}

    @pytest.mark.parametrize("values", [[math.nan, 1, 0, 0], [math.inf, 0, 0, 1], [0, 0, 0, 0], []])
    def test_what_has_no_direction_is_no_vector(self, values: list[float]) -> None:
        """Clause 20: neither to store nor to ask."""
        with pytest.raises(InvalidInputError):
            Embedding.of(values)

    async def test_a_query_of_another_length_is_refused(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 20: also where there is nothing to find."""
        with pytest.raises(DimensionMismatchError):
            await subject.search(scope, Embedding.of([1.0, 2.0]), limit=1)

    async def test_nothing_given_nothing_done(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 7: its token is as good as any."""
        await subject.upsert(scope, [record("a")])
        empty: list[VectorId] = []
        for token in (await subject.upsert(scope, []), await subject.delete(scope, empty)):
            await subject.search(scope, QUERY, limit=1, after=token)
        assert await subject.get(scope, empty) == {}
        await counted(subject, lambda: subject.count(scope), 1)

    async def test_the_longest_id_and_the_largest_fields(self, subject: VectorStore, scope: Scope) -> None:
        """All that may be given is stored; ids that differ in one letter, or in its case, are two."""
        tags = tuple(f"{number:02}" + "\u00e9" * 500 for number in range(29))
        names = ["Aa.:_-" + "x" * 250, "Aa.:_-" + "x" * 249 + "y", "aa.:_-" + "x" * 250]
        token = await subject.upsert(scope, [record(name, tags=tags, title="t" * 900) for name in names])
        found = await subject.get(scope, ids(*names), after=token)
        assert set(found) == set(names)
        assert all(row.fields == {"tags": tags, "title": "t" * 900} for row in found.values())

    async def test_deleting_twice_is_as_good_as_once(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 9: what is not there is no error."""
        await subject.upsert(scope, [record("a"), record("b")])
        for _ in range(2):
            token = await subject.delete(scope, ids("a", "nobody", "a"))
            assert set(await subject.get(scope, ids("a", "b"), after=token)) == {"b"}
        found = await subject.search(scope, QUERY, limit=9, after=token)
        assert [match.id for match in found] == ["b"]

    async def test_what_was_deleted_can_be_written_again(self, subject: VectorStore, scope: Scope) -> None:
        """With nothing of what it was."""
        await subject.upsert(scope, [record("a", title="old")])
        await subject.delete(scope, ids("a"))
        token = await subject.upsert(scope, [record("a", NORTH, amount=1)])
        (found,) = await subject.search(scope, Embedding.of(NORTH), limit=9, after=token)
        assert (found.id, dict(found.fields)) == ("a", {"amount": 1})

    async def test_of_two_who_write_one_record_one_wins(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 25: wholly, never half of each."""
        for number in range(5):
            one = record(f"r{number}", EAST, title="one", amount=1)
            two = record(f"r{number}", WEST, title="two", weight=2.0)
            await asyncio.gather(subject.upsert(scope, [one]), subject.upsert(scope, [two]))
            token = await subject.upsert(scope, [record("last")])
            found = (await subject.get(scope, ids(f"r{number}"), after=token))[one.id]
            title = "one" if found.fields["title"] == "one" else "two"
            expected = one if title == "one" else two
            assert dict(found.fields) == expected.fields
            assert list(found.vector.values) == pytest.approx(list(expected.vector.values), abs=1e-6)
            (told,) = await subject.search(scope, expected.vector, limit=1, where=Eq("title", title), after=token)
            assert told.score == pytest.approx(1, abs=1e-5)

    async def test_a_large_upsert_does_not_hold_up_the_loop(self, subject: VectorStore) -> None:
        """Clause 28: 500 vectors of 384 numbers."""
        await subject.ensure(WIDE)
        scope = fresh_scope(WIDE)
        rows = [
            VectorRecord(VectorId(f"r{row}"), Embedding.of([math.sin(row * 384 + column) for column in range(384)]), {})
            for row in range(500)
        ]
        await subject.upsert(scope, rows[:1])
        # A tenth of a second is the promise; the rest is for machines that are busy with other tests.
        await assert_lively(lambda: subject.upsert(scope, rows), 0.5)
