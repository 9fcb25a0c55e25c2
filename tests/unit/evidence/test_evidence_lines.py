"""Lines of a source, read in blocks."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_core.analysis.model import Span
from faultmaven_core.evidence import search
from faultmaven_core.evidence.model import SeenSource
from faultmaven_core.evidence.ports import ReadSpan


def source(data: bytes) -> tuple[ReadSpan, SeenSource]:
    """A reader of one source."""

    def read(span: Span) -> bytes:
        return data[span.start : span.end]

    return read, SeenSource("s", hashlib.sha256(data).hexdigest(), "log", len(data), data.count(b"\n"))


@given(
    st.lists(st.text(alphabet="ab \u00e9", max_size=9), max_size=30),
    st.booleans(),
    st.integers(3, 12),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_lines_and_hits_do_not_depend_on_the_size_of_blocks(
    texts: list[str], last: bool, block: int, first: int, count: int
) -> None:
    """The same as splitting the whole, wherever blocks end; only lines longer than a block are cut."""
    data = "\n".join(texts).encode() + (b"\n" if last and texts else b"")
    expected = list(enumerate(data.decode().split("\n"), 1))
    if expected[-1][1] == "":
        expected.pop()
    read, seen = source(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "BLOCK", max(block, 40))
        assert search.lines(read, seen, first, count) == [item for item in expected if item[0] >= first][:count]
        match = search.by_words(["A", "\u00c9"])
        hits = [(n, text) for n, text in expected if "a" in text and "\u00e9" in text]
        assert list(search.found(read, seen, match)) == hits


def test_a_line_longer_than_a_block_is_shown_in_its_beginning() -> None:
    """Memory stays bounded, the numbers of the lines after it are right."""
    read, seen = source(b"a\n" + b"x" * (5 << 20) + b"\nlast\n")
    shown = search.lines(read, seen, 1, 9)
    assert [(number, len(text)) for number, text in shown] == [(1, 1), (2, 4096), (3, 4)]
    assert [number for number, _ in search.found(read, seen, search.by_words(["last"]))] == [3]


def test_line_ends_of_windows_are_not_shown() -> None:
    """The carriage return belongs to the end of the line."""
    read, seen = source(b"one\r\ntwo\r\n")
    assert search.lines(read, seen, 1, 5) == [(1, "one"), (2, "two")]
