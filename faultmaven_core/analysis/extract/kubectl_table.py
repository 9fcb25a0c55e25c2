"""Tables as kubectl prints them: a header in capitals or title case, columns aligned by blanks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_GAP = re.compile(r"\s{2,}")
_HEADING = re.compile(r"\S+(?: \S+)*")


@dataclass(frozen=True, slots=True)
class Header:
    """Column names with the offset at which each begins."""

    columns: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, line: str) -> Header:
        """The columns of a header line; two blanks part them, one blank may stand inside a name."""
        return cls(tuple((m[0], m.start()) for m in _HEADING.finditer(line)))

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, left to right."""
        return tuple(name for name, _ in self.columns)

    def row(self, line: str) -> Mapping[str, str] | None:
        """A line's cells by column; None where the line does not fit the header."""
        parts = _GAP.split(line.strip())
        if not self._aligned(line):
            return dict(zip(self.names, parts, strict=True)) if len(parts) == len(self.columns) else None
        ends = [start for _, start in self.columns[1:]] + [len(line)]
        return {name: line[start:end].strip() for (name, start), end in zip(self.columns, ends, strict=True)}

    def _aligned(self, line: str) -> bool:
        return all(start == 0 or line[start - 1 : start] in (" ", "") for _, start in self.columns)
