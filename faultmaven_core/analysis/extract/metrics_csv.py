"""Metrics as separated values: long, wide, one column per entity and metric, several header rows."""

from __future__ import annotations

import csv
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from faultmaven_core.analysis.extract.metrics_labels import kind_of_label, named, normal
from faultmaven_core.analysis.extract.metrics_series import Column, SeriesTables, Table, number
from faultmaven_core.analysis.extract.metrics_time import TIME_NAMES, moment
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity, Span
from faultmaven_core.analysis.signals.metric_catalog import known, unit_of

MAX_HEADER_ROWS = 6

_METRIC = frozenset(
    ("metric", "metric_name", "metricname", "kpi", "kpi_name", "name", "__name__", "measurement", "field")
)
_VALUE = frozenset(("value", "val", "metric_value", "avg", "average", "mean", "reading"))
_STATISTIC = frozenset(("statistic", "stat", "agg", "aggregation", "quantile", "percentile"))
_UNIT = frozenset(("unit", "units"))
_TEXT = frozenset(("message", "msg", "log", "level", "severity", "traceid", "trace_id", "spanid", "span_id", "line"))


@dataclass(frozen=True, slots=True)
class Row:
    """Cells of one row, and the first and last line (from 0, inclusive) that it stands on."""

    cells: list[str]
    first: int
    last: int


def is_metrics(lines: Sequence[str]) -> bool:
    """Whether the first lines of a source are a table of numbers over time."""
    rows = _head(lines[:20], _delimiter(lines))
    found = _first_data_row(rows)
    if found is None or len(rows[found[0]].cells) < 2:
        return False
    at, times = found
    header = {normal(cell) for row in rows[:at] for cell in row.cells}
    if header & _TEXT or not any(row.cells for row in rows[:at]):
        return False
    data = [row for row in rows[at:] if len(row.cells) == len(rows[at].cells)]
    return any(not math.isnan(number(cell)) for row in data for index, cell in enumerate(row.cells) if index != times)


def metrics_csv(passage: Passage, out: Findings) -> None:
    """Series of a table. A row that does not fit is counted and said, never an error."""
    source = passage.source
    lines = (source.raw(index).decode("utf-8", "replace") for index in range(passage.first, passage.end))
    head = [
        source.raw(index).decode("utf-8", "replace")
        for index in range(passage.first, min(passage.first + 20, passage.end))
    ]
    delimiter = _delimiter(head)
    found = _first_data_row(_head(head, delimiter))
    if found is None:
        out.problems.append(
            f"{out.origin.name}: no row of this table begins with a time; none of it was read as metrics."
        )
        return
    at, times = found
    tables = SeriesTables()
    headers: list[list[str]] = []
    reader: _Reader | None = None
    skipped = 0
    try:
        for position, row in enumerate(table_rows(lines, delimiter)):
            if position < at:
                headers.append(row.cells)
                continue
            reader = reader or _reader(headers, times, row.cells, out.origin)
            skipped += not reader.row(row.cells, passage.span(row.first, row.last), tables)
    except csv.Error as error:
        out.problems.append(f"{out.origin.name}: the table breaks off: {error}.")
    out.series.extend(tables.series())
    if skipped:
        out.problems.append(
            f"{out.origin.name}: {skipped} rows have no time, no number or another width, and were left out."
        )
    if tables.stride > 1:
        out.problems.append(f"{out.origin.name}: too large to keep every point; every {tables.stride}th row was kept.")


def _delimiter(lines: Sequence[str]) -> str:
    head = lines[0] if lines else ""
    return max(",\t;|", key=lambda char: (head.count(char), char == ","))


def table_rows(lines: Iterator[str], delimiter: str) -> Iterator[Row]:
    """Rows with the lines they stand on (quoted cells may hold line feeds); empty ones left out."""
    rows = csv.reader((line + "\n" for line in lines), delimiter=delimiter)
    first = 0
    for cells in rows:
        if any(cells):
            yield Row([cell.strip() for cell in cells], first, rows.line_num - 1)
        first = rows.line_num


def _head(lines: Sequence[str], delimiter: str) -> list[Row]:
    """The rows of the first lines, as far as they are any."""
    rows: list[Row] = []
    try:
        rows.extend(table_rows(iter(lines), delimiter))
    except csv.Error:
        return rows
    return rows


def _first_data_row(rows: Sequence[Row]) -> tuple[int, int] | None:
    """The first row below a header that holds a moment in its time column, and that column."""
    for position in range(1, min(len(rows), MAX_HEADER_ROWS + 1)):
        times = _time_column(rows[0].cells, rows[position].cells)
        if times is not None:
            return position, times
    return None


def _time_column(header: Sequence[str], cells: Sequence[str]) -> int | None:
    """The column whose cell is a moment: one that is called so, else the first. Epoch numbers win over text."""
    called = [index for index, name in enumerate(header) if normal(name) in TIME_NAMES]
    found = [index for index in (*called, 0) if index < len(cells) and moment(cells[index]) is not None]
    return next((index for index in found if not math.isnan(number(cells[index]))), found[0] if found else None)


class _Reader(ABC):
    """Reads rows of one layout."""

    def __init__(self, times: int, width: int) -> None:
        self.times, self.width = times, width

    def row(self, cells: list[str], span: Span, tables: SeriesTables) -> bool:
        """Add a row's numbers; False where there is nothing to add."""
        when = moment(cells[self.times]) if len(cells) == self.width else None
        return when is not None and self.add(cells, when, span, tables)

    @abstractmethod
    def add(self, cells: list[str], when: float, span: Span, tables: SeriesTables) -> bool:
        """As row, at a moment."""


class _Wide(_Reader):
    """A column per metric, or per entity and metric; an entity column tells whose row it is."""

    def __init__(
        self, times: int, width: int, columns: Sequence[tuple[int, Column]], owner: tuple[int, str] | None
    ) -> None:
        super().__init__(times, width)
        self.columns, self.owner = columns, owner
        self.indexes = [index for index, _ in columns]

    def add(self, cells: list[str], when: float, span: Span, tables: SeriesTables) -> bool:
        owner = cells[self.owner[0]] if self.owner else ""
        values = [number(cells[index]) for index in self.indexes]
        if all(math.isnan(value) for value in values):
            return False
        tables.add(tables.table(owner, self._columns(owner)), when, span, values)
        return True

    def _columns(self, owner: str) -> list[Column]:
        if not self.owner or not owner:
            return [column for _, column in self.columns]
        entity = named(self.owner[1], owner)
        return [Column(entity, column.metric, column.unit, column.labels) for _, column in self.columns]


class _Long(_Reader):
    """A row per point: metric, value, and labels."""

    def __init__(self, times: int, header: Sequence[str], metric: int, value: int, origin: Entity) -> None:
        super().__init__(times, len(header))
        self.header, self.metric, self.value, self.origin = header, metric, value, origin
        names = [normal(name) for name in header]
        self.unit = next((index for index, name in enumerate(names) if name in _UNIT), None)
        rest = [
            i for i in range(len(header)) if i not in (times, metric, value, self.unit) and names[i] not in TIME_NAMES
        ]
        self.owner = next(((i, kind) for i in rest if (kind := kind_of_label(header[i]))), None)
        self.labels = [index for index in rest if not self.owner or index != self.owner[0]]
        self.key = [index for index in (metric, self.unit, *rest) if index is not None]
        self.known: dict[tuple[str, ...], Table] = {}

    def add(self, cells: list[str], when: float, span: Span, tables: SeriesTables) -> bool:
        value = number(cells[self.value])
        if math.isnan(value):
            return False
        key = tuple([cells[index] for index in self.key])
        table = self.known.get(key)
        if table is None:
            column = self._column(cells)
            table = self.known[key] = tables.table(column, (column,))
        tables.add(table, when, span, (value,))
        return True

    def _column(self, cells: list[str]) -> Column:
        owner = cells[self.owner[0]] if self.owner else ""
        labels = tuple(sorted((self.header[index], cells[index]) for index in self.labels if cells[index]))
        entity = named(self.owner[1], owner) if self.owner and owner else self.origin
        metric = cells[self.metric]
        unit = cells[self.unit] if self.unit is not None else unit_of(metric)
        return Column(entity, metric, unit, labels)


def _reader(headers: Sequence[list[str]], times: int, cells: Sequence[str], origin: Entity) -> _Reader:
    header = headers[0]
    if len(headers) > 1 and all(len(row) == len(header) for row in headers):
        return _Wide(times, len(header), _levels(headers, times, origin), None)
    names = [normal(name) for name in header]
    words = [i for i, cell in enumerate(cells[: len(header)]) if math.isnan(number(cell))]
    metric = next((i for i in words if names[i] in _METRIC), None)
    value = next((index for index, name in enumerate(names) if name in _VALUE), None)
    if metric is not None and value is not None and len(cells) == len(header):
        return _Long(times, header, metric, value, origin)
    owner = next(((i, kind) for i in words if (kind := kind_of_label(header[i]))), None)
    columns = [
        (index, _column(name, origin, split=owner is None))
        for index, name in enumerate(header)
        if index != times and (not owner or index != owner[0]) and normal(name) not in TIME_NAMES and name
    ]
    return _Wide(times, len(header), columns, owner)


def _levels(headers: Sequence[list[str]], times: int, origin: Entity) -> list[tuple[int, Column]]:
    """Columns under several header rows, whose first cells say what the row holds (else: entity, metric, labels)."""
    roles = []
    for position, row in enumerate(headers):
        name = normal(row[times])
        if not any(cell for index, cell in enumerate(row) if index != times):
            continue
        kind = kind_of_label(name)
        role = "entity" if kind else "metric" if name in _METRIC else "label"
        if role == "label" and name not in _STATISTIC and position < 2:
            role = ("entity", "metric")[position]
        roles.append((role, name, kind or "service", row))
    columns = []
    for index in range(len(headers[0])):
        if index == times:
            continue
        entity, metric, labels = origin, "", []
        for role, name, kind, row in roles:
            if role == "entity" and row[index]:
                entity = named(kind, row[index])
            elif role == "metric":
                metric = row[index]
            elif row[index]:
                labels.append((name, row[index]))
        columns.append((index, Column(entity, metric or "value", unit_of(metric), tuple(sorted(labels)))))
    return columns


def _column(name: str, origin: Entity, *, split: bool) -> Column:
    """A column's metric; a name like `cartservice_cpu` or `web-0/latency` is split where the rest is a known metric."""
    if split:
        for separator in ("/", ":", "|", "_", "-", "."):
            entity, _, metric = name.partition(separator) if separator in "/:|" else name.rpartition(separator)
            if entity and metric and known(metric) and not known(entity):
                return Column(named("service", entity), metric, unit_of(metric))
    return Column(origin, name, unit_of(name))
