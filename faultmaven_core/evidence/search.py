"""Lines of a source, by number or by what they hold; in blocks, so that size does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from faultmaven_core.analysis.model import Span
from faultmaven_core.evidence.model import SeenSource
from faultmaven_core.evidence.ports import ReadSpan
from faultmaven_core.ports.pattern_scanner import Scan

BLOCK = 1 << 20
"""Bytes read at once."""

MOST_LINE = 4096
"""Bytes of a line that are shown."""

Match = Callable[[bytes], Sequence[int]]
"""The indexes, from 0, of a block's lines that match."""


def by_words(words: Sequence[str]) -> Match:
    """Matches lines that hold every word, in any case."""
    folded = [word.casefold() for word in words]

    def match(block: bytes) -> Sequence[int]:
        text = block.decode("utf-8", "replace").casefold()
        if not all(word in text for word in folded):
            return ()
        return [index for index, line in enumerate(text.split("\n")) if all(word in line for word in folded)]

    return match


def by_pattern(scan: Scan) -> Match:
    """Matches lines that a compiled pattern matches."""

    def match(block: bytes) -> Sequence[int]:
        found, line, counted = [], 0, 0
        for _, end in scan.hits(block):
            line += block.count(b"\n", counted, end)
            counted = end
            found.append(line)
        return found

    return match


def lines(read: ReadSpan, source: SeenSource, first: int, count: int) -> list[tuple[int, str]]:
    """`count` lines from line `first` (counted from 1) on, with their numbers."""
    numbered = ((number, line) for start, block in _blocks(read, source) for number, line in _numbered(block, start))
    wanted = islice((item for item in numbered if item[0] >= first), count)
    return [(number, _shown(line)) for number, line in wanted]


def found(read: ReadSpan, source: SeenSource, match: Match) -> Iterator[tuple[int, str]]:
    """The lines that match, with their numbers."""
    for start, block in _blocks(read, source):
        hits = match(block)
        if hits:
            parts = block.split(b"\n")
            yield from ((start + index, _shown(parts[index])) for index in hits)


def _numbered(block: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    yield from enumerate(block.split(b"\n"), start)


def _blocks(read: ReadSpan, source: SeenSource) -> Iterator[tuple[int, bytes]]:
    """Runs of whole lines without the last line feed, each with its first line's number.

    A line of more than a block is read to its end but kept only in its beginning, so that memory stays bounded.
    """
    rest, number, at = b"", 1, 0
    while at < source.size:
        end = min(at + BLOCK, source.size)
        data = read(Span(source.sha256, at, end, number, number))
        at = end
        cut = data.rfind(b"\n")
        if cut < 0:
            rest = (rest + data)[:BLOCK]
            continue
        block = rest + data[:cut]
        yield number, block
        number += block.count(b"\n") + 1
        rest = data[cut + 1 :]
    if rest:
        yield number, rest


def _shown(line: bytes) -> str:
    return line[:MOST_LINE].decode("utf-8", "replace").rstrip("\r")
