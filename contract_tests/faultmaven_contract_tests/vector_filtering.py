"""What every vector store promises about filters: two truth values, also where fields are missing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pytest

from faultmaven_contract_tests.harness import Contract, requires
from faultmaven_contract_tests.nasty import TEXTS
from faultmaven_contract_tests.vector_samples import (
    EAST,
    SPEC,
    counted,
    fresh_scope,
    ids,
    record,
    scanned,
)
from faultmaven_core.ports.vector_fields import MOST_TEXT_BYTES, FieldValue
from faultmaven_core.ports.vector_filters import (
    And,
    Eq,
    Exists,
    Filter,
    Gt,
    Gte,
    Has,
    In,
    InvalidFilterError,
    Lt,
    Lte,
    Ne,
    Not,
    NotIn,
    Or,
)
from faultmaven_core.ports.vectors import Embedding, Scope, VectorCapability, VectorStore, WriteToken

QUERY = Embedding.of(EAST)

ROWS: dict[str, Mapping[str, FieldValue]] = {
    "one": {"title": "one", "amount": 1, "weight": 0.5, "open": True, "tags": ("a",)},
    "two": {"title": "two", "amount": 2, "weight": 2.0, "open": False, "tags": ("a", "b")},
    "three": {"title": "three", "amount": 3, "weight": -1.5, "tags": ("b", "c c")},
    "zero": {"title": "", "amount": 0, "weight": 0.0, "open": False},
    "minus": {"title": "One", "amount": -1, "weight": 1e10, "open": True, "tags": ("A",)},
    "bare": {},
    "titled": {"title": "1"},
    "weighed": {"weight": 1.0},
}

LEAVES: dict[str, tuple[Filter, set[str]]] = {
    "eq_string": (Eq("title", "one"), {"one"}),
    "eq_string_empty": (Eq("title", ""), {"zero"}),
    "eq_string_of_digits": (Eq("title", "1"), {"titled"}),
    "eq_integer": (Eq("amount", 1), {"one"}),
    "eq_integer_zero": (Eq("amount", 0), {"zero"}),
    "eq_number": (Eq("weight", 0.5), {"one"}),
    "eq_number_whole": (Eq("weight", 2), {"two"}),
    "eq_true": (Eq("open", value=True), {"one", "minus"}),
    "eq_false": (Eq("open", value=False), {"two", "zero"}),
    "eq_nobody": (Eq("amount", 99), set()),
    "ne_string": (Ne("title", "one"), set(ROWS) - {"one"}),
    "ne_integer": (Ne("amount", 2), set(ROWS) - {"two"}),
    "ne_number": (Ne("weight", 0), set(ROWS) - {"zero"}),
    "ne_false": (Ne("open", value=False), set(ROWS) - {"two", "zero"}),
    "ne_nobody": (Ne("title", "nobody"), set(ROWS)),
    "in_strings": (In("title", ("one", "three", "nobody")), {"one", "three"}),
    "in_integers": (In("amount", (2, 3, 2)), {"two", "three"}),
    "in_numbers": (In("weight", (0.5, 1)), {"one", "weighed"}),
    "in_booleans": (In("open", (True, False)), {"one", "two", "zero", "minus"}),
    "in_one": (In("amount", (-1,)), {"minus"}),
    "in_many": (In("amount", tuple(range(3, 1003))), {"three"}),
    "not_in_strings": (NotIn("title", ("one", "")), set(ROWS) - {"one", "zero"}),
    "not_in_integers": (NotIn("amount", (1, 2)), set(ROWS) - {"one", "two"}),
    "not_in_numbers": (NotIn("weight", (0.5,)), set(ROWS) - {"one"}),
    "gt_integer": (Gt("amount", 1), {"two", "three"}),
    "gt_number": (Gt("weight", 1), {"two", "minus"}),
    "gte_integer": (Gte("amount", 1), {"one", "two", "three"}),
    "gte_number": (Gte("weight", 1.0), {"two", "minus", "weighed"}),
    "lt_integer": (Lt("amount", 0), {"minus"}),
    "lt_number": (Lt("weight", 0), {"three"}),
    "lte_integer": (Lte("amount", 0), {"zero", "minus"}),
    "lte_number": (Lte("weight", 0), {"three", "zero"}),
    "has": (Has("tags", "a"), {"one", "two"}),
    "has_second": (Has("tags", "b"), {"two", "three"}),
    "has_blank": (Has("tags", "c c"), {"three"}),
    "has_part": (Has("tags", "c"), set()),
    "exists_string": (Exists("title"), {"one", "two", "three", "zero", "minus", "titled"}),
    "exists_integer": (Exists("amount"), {"one", "two", "three", "zero", "minus"}),
    "exists_number": (Exists("weight"), {"one", "two", "three", "zero", "minus", "weighed"}),
    "exists_boolean": (Exists("open"), {"one", "two", "zero", "minus"}),
    "exists_list": (Exists("tags"), {"one", "two", "three", "minus"}),
}

A, B = Gt("amount", 0), Has("tags", "b")
FORMS: dict[str, tuple[Filter, Filter]] = {
    "de_morgan_and": (Not(And(A, B)), Or(Not(A), Not(B))),
    "de_morgan_or": (Not(Or(A, B)), And(Not(A), Not(B))),
    "twice_not": (Not(Not(A)), A),
    "one_part": (And(Or(A)), A),
    "nested": (And(A, And(B, Or(A, B))), And(A, B)),
    "distributed": (Or(And(A, B), And(A, Not(B))), A),
    "and_of_none_within": (And(A, And()), A),
    "or_of_none_within": (Or(A, Or()), A),
    "in_none_within": (Or(A, In("title", ())), A),
    "two_of_one_field": (And(Gt("amount", 0), Lt("amount", 3)), In("amount", (1, 2))),
    "deep": (And(Or(And(Or(And(Or(And(A, B), B), A), B), A), B), A), And(A, B)),
}

BAD: dict[str, Filter] = {
    "unknown_field": Eq("nobody", 1),
    "unknown_within": And(A, Not(Exists("nobody"))),
    "string_as_integer": Eq("amount", "1"),
    "boolean_as_integer": Eq("amount", value=True),
    "float_as_integer": Gt("amount", 1.5),
    "integer_as_boolean": Eq("open", 1),
    "not_finite": Lt("weight", float("nan")),
    "order_of_booleans": Gt("open", value=True),
    "equal_lists": Eq("tags", "a"),
    "in_of_a_list": In("tags", ("a",)),
    "has_of_a_string": Has("title", "a"),
    "mixed_values": In("amount", (1, "2")),
    "too_many_values": In("amount", tuple(range(1001))),
    "too_long": Eq("title", "x" * (MOST_TEXT_BYTES + 1)),
    "nul": Eq("title", "a\0b"),
    "too_many_leaves": Or(*(Eq("amount", number) for number in range(101))),
    "too_deep": And(Or(And(Or(And(Or(And(Or(And(A, B), A), B), A), B), A), B), A), B),
}


class VectorFilterContract(Contract):
    """A binding gives the fixture `subject`, a store."""

    @pytest.fixture
    async def scope(self, subject: VectorStore) -> Scope:
        """An organization with nothing in the collection."""
        await subject.ensure(SPEC)
        return fresh_scope()

    @pytest.fixture
    async def stocked(self, subject: VectorStore, scope: Scope) -> WriteToken:
        """The rows, written."""
        return await subject.upsert(scope, [record(name, EAST, **fields) for name, fields in ROWS.items()])

    async def test_each_leaf_and_its_complement(self, subject: VectorStore, scope: Scope, stocked: WriteToken) -> None:
        """Clauses 10, 11 and 14: what does not meet it meets its `Not`, also where the field is missing."""
        meeting = {name: await found(subject, scope, where, stocked) for name, (where, _) in LEAVES.items()}
        assert meeting == {name: expected for name, (_, expected) in LEAVES.items()}
        others = {name: await found(subject, scope, Not(where), stocked) for name, (where, _) in LEAVES.items()}
        assert others == {name: set(ROWS) - expected for name, (_, expected) in LEAVES.items()}
        for where, expected in LEAVES.values():
            await counted(subject, partial(subject.count, scope, where), len(expected))

    async def test_forms_that_mean_the_same(self, subject: VectorStore, scope: Scope, stocked: WriteToken) -> None:
        """Clause 12: and so do their complements."""
        expected = {name: await found(subject, scope, other, stocked) for name, (_, other) in FORMS.items()}
        assert all(set() < names < set(ROWS) for names in expected.values())
        assert {name: await found(subject, scope, one, stocked) for name, (one, _) in FORMS.items()} == expected
        assert {name: await found(subject, scope, Not(one), stocked) for name, (one, _) in FORMS.items()} == {
            name: set(ROWS) - names for name, names in expected.items()
        }

    async def test_filters_of_nothing(self, subject: VectorStore, scope: Scope, stocked: WriteToken) -> None:
        """Clause 12: all of none holds, one of none does not."""
        every: list[Filter] = [And(), Not(Or()), Not(In("title", ())), NotIn("title", ()), Or(A, And())]
        none: list[Filter] = [Or(), Not(And()), In("title", ()), And(A, Or())]
        for where in every:
            assert await found(subject, scope, where, stocked) == set(ROWS)
            await counted(subject, partial(subject.count, scope, where), len(ROWS))
        for where in none:
            assert await found(subject, scope, where, stocked) == set()
            assert await subject.count(scope, where) == 0

    async def test_texts_are_data(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 13: quotes, backslashes, words of query languages; what was stored is found, nothing else is."""
        texts = [text for text in (*TEXTS, *HOSTILE) if len(text.encode()) <= MOST_TEXT_BYTES]
        rows = [record(f"t{number}", title=text, tags=(text, "x")) for number, text in enumerate(texts)]
        token = await subject.upsert(scope, [*rows, record("bare")])
        for row, text in zip(rows, texts, strict=True):
            assert await found(subject, scope, Eq("title", text), token) == {row.id}
            assert await found(subject, scope, Has("tags", text), token) == {row.id}
            assert await found(subject, scope, In("title", (text, "nobody")), token) == {row.id}
            assert await found(subject, scope, Ne("title", text), token) == {r.id for r in rows if r is not row} | {
                "bare"
            }
        told = await subject.get(scope, [row.id for row in rows], after=token)
        assert [told[row.id].fields for row in rows] == [row.fields for row in rows]

    async def test_the_largest_filter_is_taken(self, subject: VectorStore, scope: Scope, stocked: WriteToken) -> None:
        """A hundred leaves."""
        leaves = [Eq("amount", number) for number in range(3, 53)] + [Has("tags", str(n)) for n in range(50)]
        assert await found(subject, scope, Or(*leaves), stocked) == {"three"}
        assert await found(subject, scope, And(*map(Not, leaves)), stocked) == set(ROWS) - {"three"}

    async def test_a_filter_that_the_fields_cannot_answer(self, subject: VectorStore, scope: Scope) -> None:
        """Or that is too large: refused by everything that takes one."""
        for where in BAD.values():
            for call in (
                subject.search(scope, QUERY, limit=1, where=where),
                subject.count(scope, where),
                subject.delete_matching(scope, where),
            ):
                with pytest.raises(InvalidFilterError):
                    await call

    @requires(VectorCapability.STRING_RANGE)
    async def test_ranges_of_texts(self, subject: VectorStore, scope: Scope, stocked: WriteToken) -> None:
        """By code points; where they are not offered that is said, not answered with nothing."""
        assert await found(subject, scope, Gt("title", "one"), stocked) == {"two", "three"}
        assert await found(subject, scope, Gte("title", "one"), stocked) == {"one", "two", "three"}
        assert await found(subject, scope, Lt("title", "One"), stocked) == {"zero", "titled"}
        assert await found(subject, scope, Not(Lte("title", "One")), stocked) == {
            "one",
            "two",
            "three",
            "bare",
            "weighed",
        }
        token = await subject.upsert(scope, [record("emoji", title="\U0001f9ea"), record("private", title="\ue000")])
        assert await found(subject, scope, Gt("title", "\uf000"), token) == {"emoji"}

    async def test_deleting_what_meets_a_filter(self, subject: VectorStore, scope: Scope, stocked: WriteToken) -> None:
        """Clause 15: exactly that; once more is no error."""
        for _ in range(2):
            token = await subject.delete_matching(scope, Or(Gt("amount", 1), Eq("title", "1")))
            assert await found(subject, scope, None, token) == set(ROWS) - {"two", "three", "titled"}
        token = await subject.delete_matching(scope, Not(Exists("title")))
        assert await found(subject, scope, None, token) == {"one", "zero", "minus"}
        token = await subject.delete_matching(scope, In("title", ()))
        await counted(subject, lambda: scanned(subject, scope), ids("minus", "one", "zero"))

    async def test_no_filter_deletes_everything(self, subject: VectorStore, scope: Scope, stocked: WriteToken) -> None:
        """Clause 15: one that holds for every record is a mistake, or means `delete_organization`."""
        every: list[Filter] = [And(), Not(Or()), NotIn("title", ()), Or(A, And())]
        for where in every:
            with pytest.raises(InvalidFilterError):
                await subject.delete_matching(scope, where)
        assert await found(subject, scope, None, stocked) == set(ROWS)

    async def test_a_selective_filter_still_fills_the_limit(self, subject: VectorStore, scope: Scope) -> None:
        """Clause 24: one record in 500, and those the least like the query, are found all the same."""
        rows = [record(f"r{number}", [1, number / 2000, 0, 0], amount=number % 10) for number in range(2000)]
        rare = [record(f"rare{number}", [-1, number / 10, 0, 0], title="rare") for number in range(4)]
        token = await subject.upsert(scope, [*rows, *rare])
        best = await subject.search(scope, QUERY, limit=4, where=Eq("title", "rare"), after=token)
        assert [match.id for match in best] == ["rare3", "rare2", "rare1", "rare0"]
        best = await subject.search(scope, QUERY, limit=4, where=Not(Exists("amount")), after=token)
        assert [match.id for match in best] == ["rare3", "rare2", "rare1", "rare0"]


HOSTILE = (
    '" or 1==1',
    "' or '1'='1",
    '"] or true or tags in ["',
    "\\",
    '\\"',
    "\\\\' --",
    "%",
    "_ne",
    "$ne",
    "{title}",
    "true",
    "1",
    "null",
    "a,b",
    "\u2028\u2029\u0085",
)


async def found(store: VectorStore, scope: Scope, where: Filter | None, after: WriteToken) -> set[str]:
    """The ids of all records that meet the filter."""
    return {match.id for match in await store.search(scope, QUERY, limit=1000, where=where, after=after)}
