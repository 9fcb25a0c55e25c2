"""The JSON reader: what it accepts is JSON, each value on its lines, and nothing hostile gets far."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven_core.analysis.extract import json_text
from faultmaven_core.analysis.extract.json_text import parse_json
from faultmaven_core.ports.structured_text import Node
from faultmaven_core.shared.errors import InvalidInputError

SCALARS = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
    max_leaves=12,
)


def plain(node: Node) -> object:
    if isinstance(node.value, Mapping):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(item) for item in node.value]
    return node.value


@given(VALUES, st.sampled_from([None, 0, 2]))
@settings(max_examples=150)
def test_it_reads_what_the_standard_library_writes(value: object, indent: int | None) -> None:
    """Any value, in one line or in many."""
    assert plain(parse_json(json.dumps(value, indent=indent))) == value


@given(VALUES)
@settings(max_examples=100)
def test_every_node_lies_within_the_lines_of_its_parent(value: object) -> None:
    """Spans never leave the document."""
    text = json.dumps(value, indent=1)

    def check(node: Node, first: int, last: int) -> None:
        assert first <= node.first <= node.last <= last
        for child in (*node.items(), *(child for _, child in node.entries())):
            check(child, node.first, node.last)

    check(parse_json(text), 0, text.count("\n"))


@given(st.text('{}[]",:0123456789.eE+-truefalsn\\u \n', max_size=60))
@settings(max_examples=300)
def test_it_accepts_exactly_what_the_standard_library_accepts(text: str) -> None:
    """Strict: no trailing commas, no bare words, no comments."""
    try:
        expected: object = json.loads(text, parse_constant=_refuse)
        valid = True
    except ValueError:
        valid = False
    try:
        found = plain(parse_json(text))
    except InvalidInputError:
        assert not valid
    else:
        assert valid
        if "u" not in text and "e" not in text.lower():
            assert found == expected or isinstance(expected, int | float)


def _refuse(constant: str) -> object:
    raise ValueError(constant)


def test_lines_are_those_where_things_stand() -> None:
    """A key's line is the first line of its value."""
    node = parse_json('{\n "a": [\n  1,\n  2\n ],\n "b": "x"\n}')
    inner = node.get("a")
    assert inner is not None
    assert (inner.first, inner.last) == (1, 4)
    assert [(item.first, item.last) for item in node.items("a")] == [(2, 2), (3, 3)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1"),
        ("{\n", "line 2"),
        ('{"a": 1,\n}', "key"),
        ('{"a" 1}', "':'"),
        ("[1, 2", "']'"),
        ("[1]\nx", "more text"),
        ("nul", "value"),
        ('"a\nb"', "Not JSON"),
        ('"open', "Unterminated"),
        ("[" * 200, "levels"),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(text: str, said: str) -> None:
    """A sentence for a person."""
    with pytest.raises(InvalidInputError, match=said):
        parse_json(text)


def test_a_document_with_too_many_values_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded."""
    monkeypatch.setattr(json_text, "MAX_NODES", 10)
    with pytest.raises(InvalidInputError, match="10 values"):
        parse_json("[" + "1," * 20 + "1]")


def test_hostile_numbers_and_half_characters_become_harmless() -> None:
    """A million digits, beyond a float's range, half a surrogate pair, a byte order mark."""
    assert parse_json("9" * 5000).value is None
    assert parse_json("12345678901234567890").value == pytest.approx(1.2345678901234567e19)
    assert parse_json("1e999").value is None
    assert parse_json('"\\ud800"').value == "\ufffd"
    assert parse_json('\ufeff{"a": 1, "a": 2}').text("a") == "2"
