"""The algebra of filters: simplifying changes the form and never the meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from faultmaven_core.ports.vector_fields import FieldType, FieldValue
from faultmaven_core.ports.vector_filters import (
    MOST_DEPTH,
    And,
    Eq,
    Everything,
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
    Nothing,
    NotIn,
    Or,
    leaves,
    matches,
    simplified,
)

FIELDS = {
    "text": FieldType.STRING,
    "integer": FieldType.INTEGER,
    "number": FieldType.NUMBER,
    "boolean": FieldType.BOOLEAN,
    "texts": FieldType.STRINGS,
}
TEXTS = st.sampled_from(["", "a", "b", "\u00e9"])
INTEGERS = st.integers(-2, 2)
NUMBERS = st.sampled_from([-1.5, 0.0, 0.5, 1.0])
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "integer": INTEGERS,
    "number": NUMBERS,
    "boolean": st.booleans(),
}
RECORDS: st.SearchStrategy[Mapping[str, FieldValue]] = st.fixed_dictionaries(
    {}, optional={**SCALARS, "texts": st.lists(TEXTS, min_size=1, max_size=3).map(tuple)}
)


def compared(name: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[Filter]:
    """Every leaf that compares a field."""
    field, several = st.just(name), st.lists(value, max_size=3).map(tuple)
    kinds = (Eq, Ne) if name == "boolean" else (Eq, Ne, Gt, Gte, Lt, Lte)
    return st.one_of(
        *(st.builds(kind, field, value) for kind in kinds), *(st.builds(k, field, several) for k in (In, NotIn))
    )


LEAVES = st.one_of(
    *(compared(name, value) for name, value in SCALARS.items()),
    st.builds(Has, st.just("texts"), TEXTS),
    st.builds(Exists, st.sampled_from(sorted(FIELDS))),
)
FILTERS: st.SearchStrategy[Filter] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: And(*parts)),
        st.lists(inner, max_size=3).map(lambda parts: Or(*parts)),
        inner.map(Not),
    ),
    max_leaves=8,
).filter(lambda where: depth(where) <= MOST_DEPTH)


def depth(where: Filter) -> int:
    """Levels of And, Or and Not."""
    match where:
        case And(parts) | Or(parts):
            return 1 + max(map(depth, parts), default=0)
        case Not(part):
            return 1 + depth(part)
        case _:
            return 0


def met(where: Filter | Everything | Nothing, values: Mapping[str, FieldValue]) -> bool:
    """Also of what simplifying may come to."""
    return isinstance(where, Everything) or (not isinstance(where, Nothing) and matches(where, values))


def nodes(where: Filter) -> Iterator[Filter]:
    """The filter and all within."""
    yield where
    match where:
        case And(parts) | Or(parts):
            for part in parts:
                yield from nodes(part)
        case Not(part):
            yield from nodes(part)
        case _:
            pass


@given(FILTERS, RECORDS)
def test_simplifying_keeps_the_meaning(where: Filter, values: Mapping[str, FieldValue]) -> None:
    """For every record, whatever it lacks."""
    assert met(simplified(where, FIELDS), values) == matches(where, values)


@given(FILTERS, RECORDS)
def test_not_is_the_complement(where: Filter, values: Mapping[str, FieldValue]) -> None:
    """There is no third truth value."""
    assert matches(Not(where), values) != matches(where, values)
    assume(depth(where) < MOST_DEPTH)
    assert met(simplified(Not(where), FIELDS), values) != matches(where, values)


@given(FILTERS)
def test_what_is_simplified_has_the_promised_form(where: Filter) -> None:
    """On which every adapter relies."""
    found = simplified(where, FIELDS)
    if isinstance(found, Everything | Nothing):
        return
    for node in nodes(found):
        match node:
            case And(parts) | Or(parts):
                assert len(parts) >= 2
                assert not any(type(part) is type(node) for part in parts)
            case Not(part):
                assert isinstance(part, Gt | Gte | Lt | Lte | Has | Exists)
            case In(_, values) | NotIn(_, values):
                assert values
                assert len(set(values)) == len(values)
            case _:
                pass
    for leaf in leaves(found):
        if leaf.field == "number" and isinstance(leaf, Eq | Ne | Gt | Gte | Lt | Lte):
            assert type(leaf.value) is float


@given(FILTERS)
def test_simplifying_twice_changes_nothing_more(where: Filter) -> None:
    """It is a normal form."""
    found = simplified(where, FIELDS)
    if not isinstance(found, Everything | Nothing):
        assert simplified(found, FIELDS) == found


def test_a_boolean_is_no_number() -> None:
    """Though Python compares them so."""
    for wrong in (Eq("integer", value=True), Eq("boolean", 1), In("number", (False,)), Gt("integer", value=True)):
        with pytest.raises(InvalidFilterError):
            simplified(wrong, FIELDS)


@pytest.mark.parametrize("levels", [8, 9])
def test_eight_levels_are_allowed(levels: int) -> None:
    """And not nine, also where what is within is the same."""
    where: Filter = Exists("text")
    for _ in range(levels):
        where = Not(where)
    if levels == 8:
        assert simplified(where, FIELDS) == Exists("text")
    else:
        with pytest.raises(InvalidFilterError, match="8 levels"):
            simplified(where, FIELDS)


def test_a_filter_that_is_far_too_deep_is_refused_too() -> None:
    """And does not end the program."""
    where: Filter = Exists("text")
    for _ in range(100_000):
        where = Not(where)
    with pytest.raises(InvalidFilterError):
        simplified(where, FIELDS)
    while isinstance(where, Not):
        # Python takes nested values apart by recursion.
        where = where.part


def test_a_hundred_leaves_are_allowed() -> None:
    """And not one more; parts of nothing count as well."""
    simplified(Or(*(Eq("integer", number) for number in range(100))), FIELDS)
    for many in (And(*[Exists("text")] * 101), Or(*[And()] * 101)):
        with pytest.raises(InvalidFilterError, match="100 leaves"):
            simplified(many, FIELDS)


def test_what_is_wrong_is_found_though_it_could_not_matter() -> None:
    """A mistake does not hide behind what decides already."""
    for where in (And(Or(), Exists("nobody")), Or(And(), Eq("text", 1)), And(In("text", ()), In("nobody", ()))):
        with pytest.raises(InvalidFilterError):
            simplified(where, FIELDS)
