"""Port for matching many patterns at once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Protocol


class Scan(Protocol):
    """A compiled set of patterns."""

    @abstractmethod
    def hits(self, block: bytes) -> Sequence[tuple[str, int]]:
        """(pattern id, offset of a matching line's end) for every line of the block that a pattern matches.

        A line counts once per pattern, however often it matches. Offsets point at the line feed, or at the block's end
        for a last line without one. Order: by offset, then by id.
        """


class PatternScanner(Protocol):
    """Compiles patterns. A compute port: synchronous and pure, called in extraction processes."""

    @abstractmethod
    def compile(self, patterns: Mapping[str, str]) -> Scan:
        r"""A scan for these patterns by id. Patterns are ASCII and match bytes within one line.

        Syntax: what RE2 and hyperscan share. `^` and `$` are the line's ends; the text's own (`\A`, `\z`) are not offered,
        and `^` where something stands before it may be refused.
        Raises InvalidInputError that names the pattern which does not compile.
        """
