"""A run of lines of one source, which extractors of documents read and cite."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from faultmaven_core.analysis.model import Span


class SourceText:
    """The whole content of a source that is small enough to be held, with the byte offset of every line."""

    def __init__(self, data: bytes, sha256: str | None = None) -> None:
        self.data = data
        self.sha256 = sha256 or hashlib.sha256(data).hexdigest()
        starts = [0]
        at = data.find(b"\n")
        while at >= 0:
            starts.append(at + 1)
            at = data.find(b"\n", at + 1)
        if starts[-1] == len(data) and len(starts) > 1:
            starts.pop()
        self.starts = starts

    def raw(self, index: int) -> bytes:
        """A line's bytes without its line end."""
        end = self.starts[index + 1] if index + 1 < len(self.starts) else len(self.data)
        return self.data[self.starts[index] : end].rstrip(b"\r\n")

    def span(self, first: int, last: int) -> Span:
        """The span of whole lines (from 0, inclusive), without the last line's end."""
        start = self.starts[first]
        return Span(self.sha256, start, self.starts[last] + len(self.raw(last)), first + 1, last + 1)

    def passage(self) -> Passage:
        """All of it."""
        return Passage(self, 0, len(self.starts))


@dataclass(frozen=True)
class Passage:
    """Lines `first` (inclusive) to `end` (exclusive) of a source, counted from 0; indexes below are relative."""

    source: SourceText
    first: int
    end: int

    @cached_property
    def lines(self) -> list[str]:
        """The lines as text; bytes that are not UTF-8 are replaced."""
        return [self.source.raw(index).decode("utf-8", "replace") for index in range(self.first, self.end)]

    @property
    def text(self) -> str:
        """The lines joined by line feeds."""
        return "\n".join(self.lines)

    def span(self, first: int, last: int | None = None) -> Span:
        """The span of relative lines `first` to `last` (inclusive)."""
        return self.source.span(self.first + first, self.first + (first if last is None else last))

    def part(self, first: int, end: int) -> Passage:
        """Relative lines `first` to `end` (exclusive) as a passage of their own."""
        return Passage(self.source, self.first + first, self.first + end)
