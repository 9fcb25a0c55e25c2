"""What every vector store promises about finding and reading."""

from __future__ import annotations

import math

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.vector_samples import (
    EAST,
    NORTH,
    SOUTH,
    SPEC,
    WEST,
    WIDE,
    counted,
    fresh_scope,
    ids,
    record,
    scanned,
)
from faultmaven_core.ports.vector_filters import Gt
from faultmaven_core.ports.vectors import (
    Embedding,
    Scope,
    VectorCapability,
    VectorId,
    VectorRecord,
    VectorStore,
)
from faultmaven_core.shared.errors import InvalidInputError

QUERY = Embedding.of(EAST)


class VectorReadingContract(Contract):
    """A binding gives the fixture `subject`, a store."""

    @pytest.fixture
    async def scope(self, subject: VectorStore) -> Scope:
        """An organization with nothing in the collection."""
        await subject.ensure(SPEC)
        return fresh_scope()

    async def test_what_was_written_is_found(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 1: after its token, with the score of likeness itself, and its fields."""
        written = record("a", (3.0, 4.0, 0, 0), title="Runbook", amount=7)
        token = await subject.upsert(scope, [written])
        (found,) = await subject.search(scope, written.vector, limit=5, after=token)
        assert (found.id, dict(found.fields)) == ("a", {"title": "Runbook", "amount": 7})
        assert found.score == pytest.approx(1, abs=1e-5)

    async def test_reads_without_a_token_see_what_was_written_where_that_is_declared(
        self, subject: VectorStore, scope: Scope
    ) -> None:
        """Elsewhere a token is needed, and serves."""
        for number in range(5):
            token = await subject.upsert(scope, [record("a", amount=number)])
            after = None if VectorCapability.IMMEDIATE_READS in subject.capabilities else token
            (found,) = await subject.search(scope, QUERY, limit=1, after=after)
            assert found.fields == {"amount": number}
            assert (await subject.get(scope, ids("a"), after=after))[VectorId("a")].fields == {"amount": number}
            token = await subject.delete(scope, ids("a"))
            after = None if after is None else token
            assert list(await subject.search(scope, QUERY, limit=1, after=after)) == []
            assert await subject.get(scope, ids("a"), after=after) == {}

    async def test_the_best_comes_first(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 2: from 1 for the same direction over 0 to -1 for the opposite one."""
        directions = {
            "west": WEST,
            "north": NORTH,
            "east": EAST,
            "between": (1.0, 1.0, 0, 0),
            "steep": (-1.0, 2.0, 0, 0),
        }
        token = await subject.upsert(scope, [record(name, direction) for name, direction in directions.items()])
        found = await subject.search(scope, QUERY, limit=10, after=token)
        assert [match.id for match in found] == ["east", "between", "north", "steep", "west"]
        expected = [1, math.sqrt(0.5), 0, -1 / math.sqrt(5), -1]
        assert [match.score for match in found] == pytest.approx(expected, abs=1e-5)
        assert all(-1 <= match.score <= 1 for match in found)

    async def test_equally_good_ones_come_by_id(self, subject: VectorStore, scope: Scope) -> None:
        """So that the same question has the same answer."""
        token = await subject.upsert(scope, [record(name) for name in ("b", "B", "a.2", "a", "a:1", "_", "10", "9")])
        found = [match.id for match in await subject.search(scope, QUERY, limit=10, after=token)]
        assert found == sorted(found)
        assert len(found) == 8

    async def test_the_length_of_a_vector_changes_nothing(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 3: neither of a query nor of what is stored."""
        for scale in (1e-20, 0.001, 1, 12345.678, 1e20):
            token = await subject.upsert(scope, [record("a", [scale, scale, 0, 0]), record("b", [0, 0, scale, 0])])
            found = await subject.search(scope, Embedding.of([scale, 0, 0, 0]), limit=2, after=token)
            assert [match.id for match in found] == ["a", "b"]
            assert [match.score for match in found] == pytest.approx([math.sqrt(0.5), 0], abs=1e-5)

    async def test_the_limit_is_kept(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 4: and fewer records are no error."""
        rows = [record(f"r{number}", [1, number / 10, 0, 0]) for number in range(20)]
        token = await subject.upsert(scope, rows)
        for limit, expected in ((1, 1), (7, 7), (20, 20), (1000, 20)):
            found = await subject.search(scope, QUERY, limit=limit, after=token)
            assert [match.id for match in found] == [row.id for row in rows[:expected]]

    async def test_no_limit_that_not_all_take(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 4: neither of a search nor of a page."""
        for limit in (0, -1, 1001):
            with pytest.raises(InvalidInputError):
                await subject.search(scope, QUERY, limit=limit)
            with pytest.raises(InvalidInputError):
                await scanned(subject, scope, limit)

    async def test_a_least_score_leaves_out_what_is_less_like(self, subject: VectorStore, scope: Scope) -> None:
        """Also where that is everything."""
        token = await subject.upsert(scope, [record("e", EAST), record("n", NORTH), record("w", WEST)])
        for least, expected in ((0.5, ["e"]), (-0.5, ["e", "n"]), (-1, ["e", "n", "w"]), (None, ["e", "n", "w"])):
            found = await subject.search(scope, QUERY, limit=9, min_score=least, after=token)
            assert [match.id for match in found] == expected
        south = await subject.search(scope, Embedding.of((0, 0, 0, 1)), limit=9, min_score=0.9, after=token)
        assert list(south) == []

    async def test_getting_tells_what_is_there(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 8: what is missing is left out, and asked twice is told once."""
        token = await subject.upsert(scope, [record("a", NORTH), record("b", SOUTH)])
        found = await subject.get(scope, ids("b", "nobody", "a", "b"), after=token)
        assert set(found) == {"a", "b"}
        assert list(found[VectorId("b")].vector.values) == pytest.approx(SOUTH, abs=1e-6)

    async def test_fields_come_back_as_they_were(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 8: integers as integers, booleans as booleans, lists in their order; what is missing stays missing."""
        largest = 2**53 - 1
        rows = [
            record("full", title="x", amount=3, weight=0.1, open=True, tags=("b", "a", "b")),
            record("edges", title="", amount=-largest, weight=-1e300, open=False, tags=("",)),
            record("large", amount=largest, weight=5e-324),
            record("whole", amount=0, weight=2.0),
            record("none"),
        ]
        token = await subject.upsert(scope, rows)
        found = await subject.get(scope, [row.id for row in rows], after=token)
        matches = {match.id: match for match in await subject.search(scope, QUERY, limit=9, after=token)}
        for row in rows:
            for told in (found[row.id].fields, matches[row.id].fields):
                assert dict(told) == row.fields
                assert {name: type(value) for name, value in told.items()} == {
                    name: type(value) for name, value in row.fields.items()
                }

    async def test_a_whole_number_is_a_number(self, subject: VectorStore, scope: Scope) -> None:
        """What holds numbers gives them back as floats, also where an integer was given."""
        token = await subject.upsert(scope, [record("a", weight=3)])
        weight = (await subject.get(scope, ids("a"), after=token))[VectorId("a")].fields["weight"]
        assert (weight, type(weight)) == (3.0, float)

    @pytest.mark.parametrize("dimension", [SPEC.dimension, WIDE.dimension])
    async def test_vectors_come_back_as_they_were(self, subject: VectorStore, dimension: int) -> None:
        """To the precision of 32 bits."""
        spec = SPEC if dimension == SPEC.dimension else WIDE
        await subject.ensure(spec)
        scope = fresh_scope(spec)
        written = Embedding.of([math.sin(number * number) for number in range(1, dimension + 1)])
        token = await subject.upsert(scope, [VectorRecord(VectorId("a"), written, {})])
        found = (await subject.get(scope, ids("a"), after=token))[VectorId("a")]
        assert list(found.vector.values) == pytest.approx(list(written.values), abs=1e-6)

    async def test_counting(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 16: with and without a filter, and after every kind of write."""
        await counted(subject, lambda: subject.count(scope), 0)
        await subject.upsert(scope, [record(f"r{number}", amount=number) for number in range(10)])
        await counted(subject, lambda: subject.count(scope), 10)
        await counted(subject, lambda: subject.count(scope, Gt("amount", 6)), 3)
        await subject.delete(scope, ids("r9", "nobody"))
        await counted(subject, lambda: subject.count(scope, Gt("amount", 6)), 2)
        await subject.upsert(scope, [record("r0", amount=70)])
        await counted(subject, lambda: subject.count(scope), 9)
        await counted(subject, lambda: subject.count(scope, Gt("amount", 6)), 3)

    async def test_scanning_tells_every_id_once(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 17: whatever the size of a page; what is written meanwhile may be missing."""
        names = [f"r{number:03}" for number in range(250)]
        await subject.upsert(scope, [record(name) for name in names])
        await counted(subject, lambda: scanned(subject, scope), ids(*names))
        for page_size in (60, 250, 1000):
            assert await scanned(subject, scope, page_size) == names
        seen: list[VectorId] = []
        async for vector_id in subject.scan(scope, page_size=50):
            if len(seen) % 60 == 10:
                await subject.upsert(scope, [record(f"new{len(seen)}")])
            seen.append(vector_id)
        assert sorted(vector_id for vector_id in seen if vector_id.startswith("r")) == names
        assert len(set(seen)) == len(seen)

    async def test_more_than_a_batch(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 23: 1,201 records are stored, told, found, counted and removed like one."""
        names = [f"r{number:04}" for number in range(1201)]
        rows = [record(name, [1, number / 100, 0, 0], amount=number) for number, name in enumerate(names)]
        token = await subject.upsert(scope, rows)
        found = await subject.get(scope, ids(*names), after=token)
        assert {name: row.fields["amount"] for name, row in found.items()} == {
            row.id: row.fields["amount"] for row in rows
        }
        best = await subject.search(scope, QUERY, limit=10, after=token)
        assert [match.id for match in best] == names[:10]
        await counted(subject, lambda: scanned(subject, scope, 1000), ids(*names))
        await counted(subject, lambda: subject.count(scope), 1201)
        token = await subject.delete(scope, ids(*names[1:]))
        assert set(await subject.get(scope, ids(*names), after=token)) == {"r0000"}
