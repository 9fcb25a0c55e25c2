"""JSON in and out: strict at the door, forgiving with what we stored ourselves."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core import codec
from faultmaven_core.shared.errors import CorruptDataError, InvalidInputError


@dataclass(frozen=True, slots=True)
class Wheel:
    """Part of the value."""

    size: int


@dataclass(frozen=True, slots=True)
class Cart:
    """A value with everything that commands have."""

    name: str
    wheels: tuple[Wheel, ...] = ()
    notes: dict[str, str] = field(default_factory=dict)
    load: float | None = None


@given(
    st.builds(
        Cart,
        st.text(st.characters(exclude_categories=["Cs"])),
        st.lists(st.builds(Wheel, st.integers(-(2**63), 2**63 - 1))).map(tuple),
        st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.just("x")),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
    )
)
def test_a_value_comes_back_as_it_was(cart: Cart) -> None:
    """Through JSON, and through builtin values."""
    assert codec.decode(Cart, codec.encode(cart)) == cart
    assert codec.restore(Cart, codec.encode(cart)) == cart
    assert codec.convert(Cart, codec.to_builtins(cart)) == cart


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    """Digests are made of it."""
    assert codec.canonical({"b": 1, "a": 2}) == codec.canonical({"a": 2, "b": 1}) == b'{"a":2,"b":1}'


@pytest.mark.parametrize(
    ("json", "path"),
    [
        (b'{"name": 3}', "$.name"),
        (b'{"name": "c", "wheels": [{"size": "big"}]}', "$.wheels[0].size"),
        (b'{"wheels": []}', "$"),
        (b"[1]", "$"),
        (b'{"name": "c", "colour": "red"}', "$.colour"),
        (b'{"name": "c", "wheels": [{"size": 1}, {"size": 1, "spokes": 9}]}', "$.wheels[1].spokes"),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(json: bytes, path: str) -> None:
    """A field that is passed over silently is a typo that nobody finds."""
    with pytest.raises(InvalidInputError) as raised:
        codec.decode(Cart, json)
    assert list(raised.value.fields) == [path]


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"name": "a"} trailing', b"NaN"])
def test_what_is_not_json_is_said_to_be_none(data: bytes) -> None:
    """As our own error, with the library's reason."""
    with pytest.raises(InvalidInputError, match="This is not JSON"):
        codec.decode(Cart, data)


def test_what_a_newer_version_stored_can_still_be_read() -> None:
    """Unknown fields are passed over, so that going back one version is possible."""
    assert codec.restore(Cart, b'{"name": "c", "colour": "red"}') == Cart("c")


def test_stored_data_that_does_not_fit_is_corrupt_and_not_the_callers_fault() -> None:
    """The caller could do nothing about it."""
    with pytest.raises(CorruptDataError, match="A stored Cart cannot be read"):
        codec.restore(Cart, b"{")
    with pytest.raises(CorruptDataError, match="A stored Cart cannot be read"):
        codec.restore(Cart, b'{"name": 3}')
