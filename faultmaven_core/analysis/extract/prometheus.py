"""Prometheus: answers of its query API, and the text exposition that targets and push gateways print."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from faultmaven_core.analysis.extract.metrics_labels import entity_of, kind_of_label, normal
from faultmaven_core.analysis.extract.metrics_series import Column, SeriesTables, number
from faultmaven_core.analysis.extract.metrics_time import moment
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Entity, Mode
from faultmaven_core.analysis.signals.metric_catalog import unit_of
from faultmaven_core.ports.structured_text import Node

_SAMPLE = re.compile(
    r"(?P<name>[a-zA-Z_:](?:[\w:]*\w)?)(?:\{(?P<labels>.*)\})?\s+(?P<value>[-+]?(?:\d[\d.]*(?:[eE][-+]?\d+)?|Inf|NaN))"
    r"(?:\s+(?P<when>-?\d{10,13}(?:\.\d+)?))?(?:\s+#.*)?\s*\Z"
)
_LABEL = re.compile(r'(\w+)\s*=\s*"((?:[^"\\]|\\.)*)"')
_COMMENT = re.compile(r"# (?:HELP|TYPE|UNIT|EOF)\b")
_SPENT = frozenset(("__name__", "namespace", "job", "prometheus", "uid", "id", "endpoint", "metrics_path"))
"""Labels that do not tell series of the same entity apart: they name the scrape or the entity itself."""


def prometheus_answer(node: Node, passage: Passage, out: Findings) -> bool:
    """`query` and `query_range`: {"data": {"resultType": "matrix" | "vector", "result": [...]}}, or the data alone."""
    data = node if node.get("resultType") is not None else node.get("data")
    if data is None or data.text("resultType") not in ("matrix", "vector") or data.get("result") is None:
        return False
    tables = SeriesTables()
    for result in data.items("result"):
        labels = {key: str(child.value) for key, child in result.entries("metric")}
        column = column_of(labels.get("__name__", ""), labels, out.origin)
        table = tables.table(column, [column])
        values = result.items("values") or ([result_value] if (result_value := result.get("value")) else [])
        for point in values:
            pair = point.items()
            when = moment(pair[0].value) if len(pair) == 2 else None
            if when is not None:
                tables.add(table, when, passage.span(point.first, point.last), [number(pair[1].value)])
    out.series.extend(tables.series())
    if tables.stride > 1:
        out.problems.append(f"{out.origin.name}: too large to keep every point; every {tables.stride}th was kept.")
    return True


def column_of(name: str, labels: Mapping[str, str], origin: Entity) -> Column:
    """The series that a name and labels make: whose it is, and which labels still tell it from others."""
    entity = entity_of(labels, origin)
    rest = sorted(
        (key, value)
        for key, value in labels.items()
        if key not in _SPENT
        and normal(key) not in _SPENT
        and not (kind_of_label(key) == entity.kind and value.startswith(entity.name))
    )
    return Column(entity, name or "value", unit_of(name), tuple(rest))


def is_exposition(lines: Sequence[str]) -> bool:
    """Whether the first lines are samples and their comments, with at least one comment or three samples."""
    content = [line for line in lines[:30] if line.strip()]
    comments = sum(bool(_COMMENT.match(line)) for line in content)
    samples = sum(bool(_SAMPLE.match(line)) for line in content)
    return samples > 0 and comments + samples >= 0.9 * len(content) and (comments > 0 or samples >= 3)


def prometheus_text(passage: Passage, out: Findings) -> None:
    """Samples: with times a series, without (one scrape, moment unknown) facts `metric.<name>` that state the value."""
    tables = SeriesTables()
    for index, name, labels, value, when in _samples(passage):
        column = column_of(name, labels, out.origin)
        if when is not None:
            tables.add(tables.table(column, [column]), when, passage.span(index), [number(value)])
        elif not name.endswith("_bucket"):
            out.fact(
                column.entity, f"metric.{name}", float(value), passage.span(index), Mode.METRIC, params=column.labels
            )
    out.series.extend(tables.series())


def _samples(passage: Passage) -> Iterator[tuple[int, str, dict[str, str], str, float | None]]:
    for index, line in enumerate(passage.lines):
        match = _SAMPLE.match(line)
        if match and math.isfinite(number(match["value"])):
            labels = {key: value.replace('\\"', '"') for key, value in _LABEL.findall(match["labels"] or "")}
            yield index, match["name"], labels, match["value"], moment(match["when"])
