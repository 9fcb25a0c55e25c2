"""The contract of `faultmaven_core.ports.pattern_scanner`."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultmaven_core.analysis.signals.signatures import signatures
from faultmaven_core.ports.pattern_scanner import PatternScanner
from faultmaven_core.shared.errors import InvalidInputError

SHARED_PATTERNS = {
    "alternatives": "(?i)timed? ?out|deadline",
    "any_but": "key=[^ ]+;",
    "begin": "^ERROR",
    "begin_or_space": r"(^|\s)oom",
    "end": r"refused$",
    "digits": r"\b5\d\d\b",
    "empty": "z*",
    "not_word": r"a\Wb",
    "repeated": "(?:ab){2,3}",
    "space": r"x\s+y",
    "not_space_class": r"[\S]q",
}
"""Each has a way to reach over a line's end, or to miss what stands at one."""

FRAGMENTS = st.sampled_from(
    b"ERROR|oom| |x|y|\t|\v|\r|\n|timed out|refused|503|key=|;|ab|abab|a|b|q|z|\0|\xff|-".split(b"|"),
)
BLOCKS = st.lists(FRAGMENTS, max_size=40).map(b"".join)


def expected(patterns: dict[str, str], block: bytes) -> list[tuple[str, int]]:
    """What the port promises, by the standard library and one line at a time."""
    compiled = {name: re.compile(_spelled_out(pattern).encode()) for name, pattern in patterns.items()}
    found = []
    at = 0
    for line in block.split(b"\n"):
        end = at + len(line)
        if line or end < len(block) or not block:
            found += [(name, end) for name in sorted(compiled) if compiled[name].search(line)]
        at = end + 1
    return found


def _spelled_out(pattern: str) -> str:
    """RE2's white space has no vertical tab, Python's has."""
    return pattern.replace(r"[\S]", r"[^\t\n\f\r ]").replace(r"\s", r"[\t\n\f\r ]")


class PatternScannerContract:
    """Subclass it and give a fixture `scanner`."""

    @pytest.fixture
    def scanner(self) -> PatternScanner:
        """The adapter under test."""
        raise NotImplementedError

    def test_a_line_counts_once_per_pattern_at_its_end(self, scanner: PatternScanner) -> None:
        """However often a pattern matches a line, there is one hit."""
        block = b"a a a\nb\na"
        assert list(scanner.compile({"p": "a"}).hits(block)) == [("p", 5), ("p", 9)]

    def test_hits_are_ordered_by_place_then_id(self, scanner: PatternScanner) -> None:
        """Callers need not sort."""
        scan = scanner.compile({"second": "a", "first": "a", "late": "b"})
        assert list(scan.hits(b"b a\na\n")) == [("first", 3), ("late", 3), ("second", 3), ("first", 5), ("second", 5)]

    def test_a_match_stays_within_its_line(self, scanner: PatternScanner) -> None:
        """White space and negated classes do not reach over a line feed."""
        patterns = {"space": r"x\s+y", "any_but": "x[^z]y", "not_word": r"x\Wy", "class": r"x[\W]y"}
        assert not scanner.compile(patterns).hits(b"x\ny\n")

    def test_ends_mean_the_line(self, scanner: PatternScanner) -> None:
        """Not the block."""
        assert list(scanner.compile({"p": "^b$"}).hits(b"a\nb\nc")) == [("p", 3)]

    def test_no_patterns_find_nothing(self, scanner: PatternScanner) -> None:
        """An empty set is a set."""
        assert not scanner.compile({}).hits(b"anything\n")

    def test_an_empty_block_has_no_hits_but_of_what_matches_nothing(self, scanner: PatternScanner) -> None:
        """It is one empty line."""
        assert list(scanner.compile({"p": "a", "q": "a*"}).hits(b"")) == [("q", 0)]

    @pytest.mark.parametrize("pattern", ["(", "a**", r"\Ax", r"x\z", "[z-a]", "é"])
    def test_a_pattern_that_does_not_compile_is_named(self, scanner: PatternScanner, pattern: str) -> None:
        """The person who wrote it must find it."""
        with pytest.raises(InvalidInputError, match=r"wrong\.one"):
            scanner.compile({"right": "a", "wrong.one": pattern})

    def test_the_patterns_that_come_with_the_product_compile(self, scanner: PatternScanner) -> None:
        """On every engine."""
        scan = scanner.compile({signature.id: signature.pattern for signature in signatures()})
        assert scan.hits(b"java.lang.OutOfMemoryError: Java heap space\n") is not None

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(block=BLOCKS)
    def test_hits_are_what_each_line_alone_would_give(self, scanner: PatternScanner, block: bytes) -> None:
        """Whatever surrounds it: this is what makes all engines agree."""
        assert list(scanner.compile(SHARED_PATTERNS).hits(block)) == expected(SHARED_PATTERNS, block)
