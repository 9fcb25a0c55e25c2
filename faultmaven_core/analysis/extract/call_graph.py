"""Who calls whom, as a list of edges (CSV or JSON) or a matrix of 0 and 1."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from faultmaven_core.analysis.extract.metrics_csv import Row, table_rows
from faultmaven_core.analysis.extract.metrics_labels import named, normal
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity, Span
from faultmaven_core.ports.structured_text import Node
from faultmaven_core.shared.errors import InvalidInputError

_CALLER = ("source", "src", "from", "caller", "client", "parent", "upstream")
_CALLEE = ("target", "destination", "dst", "dest", "to", "callee", "server", "child", "downstream")
_LISTS = ("edges", "links", "calls", "dependencies")
_ZERO_OR_ONE = ("0", "1", "0.0", "1.0", "")
MAX_EDGES = 50_000


def is_call_graph(lines: Sequence[str]) -> bool:
    """Whether the first lines are edges with a header that names both ends, or rows of a square matrix of 0 and 1."""
    try:
        rows = list(csv.reader(lines[:5]))
    except csv.Error:
        return False
    if len(rows) < 2 or len(rows[0]) < 2:
        return False
    header = [normal(cell) for cell in rows[0]]
    if _column(header, _CALLER) is not None and _column(header, _CALLEE) is not None:
        return len(header) <= 6 and not set(header) & {"time", "timestamp", "date"}
    return _is_matrix_row(rows[0], rows[1])


def _is_matrix_row(header: Sequence[str], row: Sequence[str]) -> bool:
    """A row named like one of the columns, with nothing but 0 and 1 in it; its name may stand in a column of its own."""
    return (
        len(header) > 2
        and len(row) > 0
        and row[0] in header
        and len(row) >= len(header)
        and all(cell in _ZERO_OR_ONE for cell in row[1:])
    )


def call_graph(passage: Passage, out: Findings) -> None:
    """Relations `calls` of a table. Raises InvalidInputError where it is neither form."""
    try:
        _read(table_rows(iter(passage.lines), ","), passage, out)
    except csv.Error as error:
        raise InvalidInputError(f"The table breaks off: {error}.") from error


def _read(rows: Iterator[Row], passage: Passage, out: Findings) -> None:
    header = next((row.cells for row in rows), [])
    caller, callee = (_column([normal(cell) for cell in header], names) for names in (_CALLER, _CALLEE))
    count = 0
    for row in rows:
        span = passage.span(row.first, row.last)
        if caller is not None and callee is not None:
            ends = [(row.cells[caller], row.cells[callee])] if len(row.cells) > max(caller, callee) else []
        else:
            ends = list(_row_of_matrix(header, row.cells))
        for a, b in ends:
            count += bool(a and b)
            if count <= MAX_EDGES:
                _relate(named("service", a), named("service", b), span, out)
    if not count:
        raise InvalidInputError("No row of this table names a caller and a callee.")
    if count > MAX_EDGES:
        out.problems.append(f"{out.origin.name}: of {count} calls only the first {MAX_EDGES} were read.")


def calls_json(node: Node, passage: Passage, out: Findings) -> bool:
    """`{"edges": [{"source": …, "target": …}]}` and its relatives."""
    items = node.items() or next((node.items(key) for key in _LISTS if node.items(key)), ())
    found = False
    for item in items[:MAX_EDGES]:
        ends = [
            child.value
            for names in (_CALLER, _CALLEE)
            for key, child in item.entries()
            if normal(key) in names and isinstance(child.value, str)
        ]
        if len(ends) == 2:
            a, b = (named("service", name) for name in ends)
            _relate(a, b, passage.span(item.first, item.last), out)
            found = True
    return found


def _column(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((index for index, name in enumerate(header) if name in names), None)


def _row_of_matrix(header: Sequence[str], row: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The row's name calls the columns that hold 1. The header may lack the cell above the rows' names."""
    columns = header[1:] if len(row) == len(header) else header
    for name, cell in zip(columns, row[1:], strict=False):
        if cell in ("1", "1.0"):
            yield row[0], name


def _relate(a: Entity, b: Entity, span: Span, out: Findings) -> None:
    if a.name and b.name and a != b:
        out.relation("calls", a, b, span)
