"""Pattern scanning by google-re2: linear time whatever the pattern, for machines where hyperscan has no wheel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import re2

from faultmaven_adapters.scanning.line_patterns import within_a_line
from faultmaven_core.ports.pattern_scanner import PatternScanner, Scan
from faultmaven_core.shared.errors import InvalidInputError

MAX_MEMORY = 256 << 20
"""Bytes for the automaton. With RE2's default a large set gives up and matches nothing."""


class Re2PatternScanner(PatternScanner):
    """See the port."""

    def compile(self, patterns: Mapping[str, str]) -> Scan:
        options = re2.Options()
        options.max_mem = MAX_MEMORY
        options.log_errors = False
        options.encoding = re2.Options.Encoding.LATIN1
        ids = sorted(patterns)
        chosen = re2.Set.SearchSet(options)
        for name in ids:
            within_a_line(name, patterns[name])
            try:
                chosen.Add(patterns[name].encode())
            except re2.error as error:
                raise InvalidInputError(f"Pattern {name} does not compile: {error}.") from error
        if ids:
            chosen.Compile()
        return _Re2Scan(ids, chosen)


class _Re2Scan(Scan):
    def __init__(self, ids: Sequence[str], chosen: Any) -> None:
        self._ids = ids
        self._set = chosen

    def hits(self, block: bytes) -> Sequence[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        at = 0
        # What follows the last line feed is a line only if there is something.
        text = block.removesuffix(b"\n")
        for line in text.split(b"\n") if self._ids else ():
            end = at + len(line)
            found += [(self._ids[index], end) for index in sorted(self._set.Match(line) or ())]
            at = end + 1
        return found
