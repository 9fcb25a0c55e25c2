"""Pattern scanning by hyperscan (Vectorscan): all patterns in one pass over a whole block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import hyperscan

from faultmaven_adapters.scanning.line_patterns import LinePattern, within_a_line
from faultmaven_core.ports.pattern_scanner import PatternScanner, Scan
from faultmaven_core.shared.errors import InvalidInputError

_FLAGS = hyperscan.HS_FLAG_MULTILINE | hyperscan.HS_FLAG_ALLOWEMPTY


class HyperscanPatternScanner(PatternScanner):
    """See the port. The databases of this process are kept, since compiling takes longer than scanning most files."""

    def compile(self, patterns: Mapping[str, str]) -> Scan:
        return _compiled(tuple(sorted(patterns.items())))


@lru_cache(maxsize=8)
def _compiled(patterns: tuple[tuple[str, str], ...]) -> Scan:
    ids = [name for name, _ in patterns]
    rewritten = [within_a_line(name, pattern) for name, pattern in patterns]
    return _HyperscanScan(ids, rewritten, _database(ids, rewritten) if ids else None)


def _database(ids: Sequence[str], patterns: Sequence[LinePattern]) -> Any:
    database = hyperscan.Database()
    numbers = list(range(len(ids)))
    try:
        database.compile([p.text.encode() for p in patterns], ids=numbers, flags=[_FLAGS] * len(ids))
    except hyperscan.error as error:
        raise InvalidInputError(f"{_culprit(ids, patterns)} does not compile: {error}.") from error
    return database


def _culprit(ids: Sequence[str], patterns: Sequence[LinePattern]) -> str:
    """The pattern that is refused when compiled alone; hyperscan does not say which it was."""
    for name, pattern in zip(ids, patterns, strict=True):
        try:
            hyperscan.Database().compile([pattern.text.encode()], ids=[0], flags=[_FLAGS])
        except hyperscan.error:
            return f"Pattern {name}"
    return "The set of patterns"


class _HyperscanScan(Scan):
    def __init__(self, ids: Sequence[str], patterns: Sequence[LinePattern], database: Any) -> None:
        self._ids = ids
        self._stays = [pattern.stays_in_line for pattern in patterns]
        self._database = database

    def hits(self, block: bytes) -> Sequence[tuple[str, int]]:
        found: set[tuple[int, int]] = set()
        for number, end in self._matches(block):
            found.update((_line_end(block, at), number) for at in _line_starts(block, end))
        return [
            (self._ids[number], end)
            for end, number in sorted(found)
            if self._stays[number] or self._holds(block, end, number)
        ]

    def _matches(self, block: bytes) -> Sequence[tuple[int, int]]:
        matches: list[tuple[int, int]] = []
        if self._database is not None:

            def on_match(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
                matches.append((number, end))

            self._database.scan(block, match_event_handler=on_match)
        return matches

    def _holds(self, block: bytes, end: int, number: int) -> bool:
        """Whether the pattern matches the line alone."""
        line = block[block.rfind(b"\n", 0, end) + 1 : end]
        return any(found == number for found, _ in self._matches(line))


def _line_starts(block: bytes, end: int) -> Sequence[int]:
    """Offsets in the lines that a match which ends at `end` may stand in: at a line's begin there are two."""
    if end and block[end - 1 : end] == b"\n":
        return (end - 1, end) if end < len(block) else (end - 1,)
    return (end,)


def _line_end(block: bytes, at: int) -> int:
    found = block.find(b"\n", at)
    return len(block) if found < 0 else found
