"""A metric's values at moments, read from cited bytes: JSON of the common monitoring systems, or rows under a header."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from faultmaven_core.analysis.claims.quote import Standing, standing

_NAMES = ("label", "metric_name", "MetricName", "Label", "metric", "name", "__name__", "target", "id")
_TIMES = ("timestamp", "time", "ts", "date", "datetime", "unix_timestamp", "@timestamp")
_UNITS = ("unit", "Unit")
_NO_UNIT = ("", "None", "Count")

Reading = Mapping[str, str]
"""Values by the moment they were taken at; both as written, numbers in their shortest form."""


def number(value: Any) -> str | None:
    """A number in its shortest form, or None where the value is no number."""
    try:
        held = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return f"{held:.10g}" if math.isfinite(held) and not isinstance(value, bool) else None


def from_json(text: str, name: str) -> Reading | None:
    """The values of a JSON object that says of itself to be the metric `name`, its unit in parentheses behind.

    A name may end with " of " and an entity that the object names too.
    """
    try:
        value = json.loads(text.strip().rstrip(","))
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    metric, joint, entity = name.rpartition(" of ")
    if joint and standing(entity, text) is Standing.STANDS:
        name = metric
    return readings_of(value) if name in set(named(value)) else None


def named(value: Mapping[str, Any]) -> Iterator[str]:
    """The names under which an object of a monitoring system presents its metric."""
    unit = next((value[key] for key in _UNITS if isinstance(value.get(key), str)), "")
    for key in _NAMES:
        held = value.get(key)
        held = held.get("__name__") if isinstance(held, dict) else held
        if isinstance(held, str) and held:
            yield held if unit in _NO_UNIT else f"{held} ({unit})"


def readings_of(value: Mapping[str, Any]) -> Reading | None:
    """Parallel lists of times and values (CloudWatch), or a list of pairs (Prometheus, Grafana)."""
    low = {key.lower(): part for key, part in value.items()}
    times, values = low.get("timestamps"), low.get("values")
    pairs = low.get("datapoints") or values
    if isinstance(times, list) and isinstance(values, list) and len(times) == len(values):
        pairs = [list(pair) for pair in zip(times, values, strict=True)]
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        return None
    found = {_moment(when): number(held) for when, held in pairs}
    return {when: held for when, held in found.items() if held is not None}


def _moment(when: Any) -> str:
    return when if isinstance(when, str) else number(when) or ""


def from_rows(header: str, rows: Sequence[str], name: str) -> Reading | None:
    """The values in rows under a header: a column called `name`, or a `value` column in rows that name it."""
    try:
        columns, *cells = csv.reader([header, *rows])
    except csv.Error:
        return None
    low = [column.strip().lower() for column in columns]
    when = next((low.index(column) for column in _TIMES if column in low), None)
    if when is None:
        return None
    found: dict[str, str] = {}
    for row in cells:
        at = columns.index(name) if name in columns else low.index("value") if "value" in low and name in row else -1
        held = number(row[at]) if 0 <= at < len(row) and when < len(row) else None
        if held is None:
            return None
        found[row[when].strip()] = held
    return found
