"""The JSON reader against the public collection of malformed documents, and against the standard library."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.analysis.extract.json_text import parse_json
from faultmaven_core.ports.structured_text import Node
from faultmaven_core.shared.errors import InvalidInputError

REFUSED = object()
VALUES = st.recursive(
    st.one_of(
        st.integers(-(2**53), 2**53),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.none(),
        st.text(),
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=30,
)


def plain(node: Node) -> object:
    """A tree without its lines."""
    if isinstance(node.value, Mapping):
        return {key: plain(child) for key, child in node.value.items()}
    return [plain(item) for item in node.value] if isinstance(node.value, tuple) else node.value


def test_what_must_be_accepted_is_and_what_must_be_refused_is(data: Path) -> None:
    """By the collection's own prefixes; `i` may be either, none may raise anything but our error."""
    files = sorted((data / "hostile" / "json_test_suite").iterdir())
    assert len(files) > 150
    for path in files:
        try:
            parse_json(path.read_bytes().decode("utf-8", "replace"))
        except InvalidInputError as error:
            refusal = str(error)
        else:
            refusal = ""
        assert not (refusal and path.name[0] == "y"), path.name
        assert refusal or path.name[0] != "n", path.name


@given(VALUES, st.sampled_from([None, 1]))
def test_it_reads_what_the_standard_library_writes(value: object, indent: int | None) -> None:
    """Values and structure; half a surrogate pair, which nothing can store, becomes a replacement sign."""
    text = json.dumps(value, indent=indent)
    expected = json.loads(json.dumps(value))
    assert plain(parse_json(text)) == expected


@given(st.text('{}[]",:0123456789.eE+-tfn\\u \n', max_size=60))
def test_it_accepts_nothing_that_the_standard_library_refuses(text: str) -> None:
    """And the reverse, but for the words that are no JSON and for limits."""
    loaded = _strictly(text)
    try:
        node = parse_json(text)
    except InvalidInputError:
        assert loaded is REFUSED
        return
    assert loaded is not REFUSED
    assert node.last <= text.count("\n")
    if isinstance(loaded, float) and math.isfinite(loaded):
        assert node.value == loaded


def _strictly(text: str) -> object:
    def refuse(word: str) -> object:
        raise ValueError(word)

    try:
        return json.loads(text, parse_constant=refuse)
    except ValueError:
        return REFUSED
