"""CloudWatch: answers of GetMetricData and GetMetricStatistics, and time series of the same build by others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from faultmaven_core.analysis.extract.metrics_labels import entity_of
from faultmaven_core.analysis.extract.metrics_series import Column, SeriesTables, number
from faultmaven_core.analysis.extract.metrics_time import TIME_NAMES, moment
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity, Span
from faultmaven_core.analysis.signals.metric_catalog import unit_of
from faultmaven_core.ports.structured_text import Node

_RESULTS = ("MetricDataResults", "metric_data_results", "MetricDataResult", "metrics", "series")
_NAMES = ("metric_name", "MetricName", "metric", "name", "Label", "label", "Id", "id")
_TIMES = ("Timestamps", "timestamps", "times", "time", "x")
_VALUES = ("Values", "values", "y", "data")
_POINTS = ("Datapoints", "datapoints", "points", "values", "data", "pointlist")
_STATISTICS = ("Average", "Maximum", "Sum", "Minimum", "SampleCount", "value", "Value", "avg", "y", "v")
_REPLICA = re.compile(r"(?P<primary>.+?)-(?:read-?)?(?:replica|ro|reader|standby|secondary|slave)(?:-?\w{1,12})?")
MAX_DEPTH = 3
"""How deep below a document's top level series are looked for."""


def time_series(node: Node, passage: Passage, out: Findings) -> bool:
    """Parallel arrays of times and values, or lists of points, wherever they stand near the top of a document."""
    tables = SeriesTables()
    found = False
    owners: dict[Entity, Span] = {}
    for path, part, context in _holders(node, (), {}, MAX_DEPTH):
        column = _column(path, part, context, out.origin)
        points = list(_points(part))
        for when, value, first, last in points:
            tables.add(tables.table(column, [column]), when, passage.span(first, last), [value])
        if points:
            found = True
            owners.setdefault(column.entity, passage.span(part.first, part.last))
    _replicas(owners, out)
    out.series.extend(tables.series())
    if tables.stride > 1:
        out.problems.append(f"{out.origin.name}: too large to keep every point; every {tables.stride}th was kept.")
    return found


def _replicas(owners: Mapping[Entity, Span], out: Findings) -> None:
    """A database that bears another one's name with a suffix like `-replica-1` replicates it."""
    databases = {entity.name: entity for entity in owners if entity.kind == "database"}
    for name, replica in sorted(databases.items()):
        match = _REPLICA.fullmatch(name)
        if match and match["primary"] in databases:
            out.relation("replicates", replica, databases[match["primary"]], owners[replica])


def _holders(
    node: Node, path: tuple[str, ...], context: Mapping[str, str], depth: int
) -> Iterator[tuple[tuple[str, ...], Node, Mapping[str, str]]]:
    """Mappings that hold points, with the path to them and the scalars and dimensions on the way."""
    if isinstance(node.value, tuple):
        for item in node.value if depth else ():
            yield from _holders(item, path, context, depth)
    elif isinstance(node.value, Mapping):
        inner = {**context, **_labels(node)}
        if any(True for _ in _points(node)):
            yield path, node, inner
        elif depth:
            for key, child in node.value.items():
                if isinstance(child.value, Mapping | tuple):
                    yield from _holders(child, (*path, key), inner, depth - 1)


def _points(part: Node) -> Iterator[tuple[float, float, int, int]]:
    """Moment, value, first and last line of each point. Of arrays that differ in length the common part counts."""
    times = next((part.items(key) for key in _TIMES if part.items(key)), ())
    values = next((part.items(key) for key in _VALUES if part.items(key)), ())
    if times and values and not isinstance(values[0].value, Mapping | tuple):
        for at, value in zip(times, values, strict=False):
            when = moment(at.value)
            if when is not None:
                yield when, number(value.value), min(at.first, value.first), max(at.last, value.last)
        return
    points: Sequence[Node] = next((part.items(key) for key in _POINTS if part.items(key)), ())
    for point in points:
        if (pair := _pair(point)) is not None:
            yield (*pair, point.first, point.last)


def _pair(point: Node) -> tuple[float, float] | None:
    if isinstance(point.value, tuple):
        if len(point.value) != 2:
            return None
        first, second = point.value
        # Graphite writes [value, time], everybody else [time, value].
        for at, value in ((first, second), (second, first)):
            when = moment(at.value)
            if when is not None and moment(value.value) is None:
                return when, number(value.value)
        return None
    when = next((m for key, child in point.entries() if key.lower() in TIME_NAMES and (m := moment(child.value))), None)
    said = next((child.value for key in _STATISTICS if (child := point.get(key)) is not None), None)
    return None if when is None or said is None else (when, number(said))


def _labels(node: Node) -> dict[str, str]:
    """Scalars of a mapping, and the dimensions, labels or tags in it, by name."""
    found = {
        key: str(child.value)
        for key, child in node.entries()
        if not isinstance(child.value, Mapping | tuple) and child.value is not None
    }
    for key in ("dimensions", "Dimensions", "labels", "tags", "attributes"):
        for item in node.items(key):
            name = item.text("Name") or item.text("name")
            value = item.text("Value") or item.text("value")
            if not name and isinstance(item.value, str):
                name, _, value = item.value.partition(":")
            if name:
                found[name] = value
        found |= {
            name: str(child.value) for name, child in node.entries(key) if not isinstance(child.value, Mapping | tuple)
        }
    return found


def _column(path: Sequence[str], part: Node, context: Mapping[str, str], origin: Entity) -> Column:
    name = next((part.text(key) for key in _NAMES if part.text(key)), "")
    name = name or next((key for key in reversed(path) if key not in _RESULTS), "value")
    statistic = part.text("stat") or part.text("Stat") or part.text("statistic")
    unit = part.text("unit") or part.text("Unit") or next((p.text("Unit") for p in part.items("Datapoints")), "")
    labels = (("statistic", statistic),) if statistic else ()
    return Column(entity_of(context, origin), name, unit or unit_of(name), labels)
