"""Rows of numbers, kept compactly and thinned where there are too many, to series."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from faultmaven_core.analysis.model import Entity, Numbers, Places, Series, Span

MAX_CELLS = 3_000_000
"""Numbers kept of one source (24 MB); of longer ones every second row is dropped, again and again."""


@dataclass(frozen=True, slots=True)
class Column:
    """What a column measures."""

    entity: Entity
    metric: str
    unit: str = ""
    labels: tuple[tuple[str, str], ...] = ()


@dataclass
class Table:
    """Columns that share their times and lines."""

    columns: Sequence[Column]
    rows: array[float] = field(default_factory=lambda: array("d"))
    cells: array[float] = field(default_factory=lambda: array("d"))
    seen: int = 0

    def thin(self) -> None:
        """Drop every second row."""
        for name, width in (("rows", 5), ("cells", len(self.columns))):
            kept = np.frombuffer(getattr(self, name)).reshape(-1, width)[::2]
            setattr(self, name, array("d", kept.tobytes()))


class SeriesTables:
    """The tables of one source by key."""

    def __init__(self) -> None:
        self._tables: dict[object, Table] = {}
        self._sha256 = ""
        self._cells = 0
        self.stride = 1

    def table(self, key: object, columns: Sequence[Column]) -> Table:
        """The table under a key, made with these columns where there is none."""
        found = self._tables.get(key)
        if found is None:
            found = self._tables[key] = Table(columns)
        return found

    def add(self, table: Table, when: float, span: Span, values: Sequence[float]) -> None:
        """Add a row; missing values are NaN."""
        table.seen += 1
        if (table.seen - 1) % self.stride:
            return
        self._sha256 = span.sha256
        table.rows.extend((when, span.first_line, span.last_line, span.start, span.end))
        table.cells.extend(values)
        self._cells += len(values) + 5
        if self._cells > MAX_CELLS:
            self.stride *= 2
            for each in self._tables.values():
                each.thin()
            self._cells = sum(len(each.cells) + len(each.rows) for each in self._tables.values())

    def series(self) -> Iterator[Series]:
        """A series per column that has a number, in the order of time; of equal times the first row counts."""
        for table in self._tables.values():
            rows = np.frombuffer(table.rows).reshape(-1, 5)
            cells = np.frombuffer(table.cells).reshape(-1, len(table.columns))
            order = np.argsort(rows[:, 0], kind="stable")
            rows, cells = rows[order], cells[order]
            fresh = np.concatenate(([True], np.diff(rows[:, 0]) > 0)) if len(rows) else np.zeros(0, bool)
            shared: dict[bytes, tuple[Numbers, Places]] = {}
            for index, column in enumerate(table.columns):
                kept = np.isfinite(cells[:, index]) & fresh
                if not kept.any():
                    continue
                key = kept.tobytes()
                if key not in shared:
                    parts = [Numbers(np.ascontiguousarray(rows[kept, part]).tobytes()) for part in range(5)]
                    shared[key] = (parts[0], Places(self._sha256, *parts[1:]))
                times, places = shared[key]
                values = Numbers(np.ascontiguousarray(cells[kept, index]).tobytes())
                yield Series(column.entity, column.metric, column.unit, times, values, places, column.labels)


def number(text: object) -> float:
    """A number from a cell or JSON value; NaN where it is none. Thousands separators are not guessed."""
    if isinstance(text, bool) or text is None:
        return float("nan")
    try:
        return float(str(text))
    except ValueError:
        return float("nan")
