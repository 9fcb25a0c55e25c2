"""Where a metric's own JSON object stands around one of its points, and what it says from its first value to its peak."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from faultmaven_core.analysis.claims.readings import Reading, named, readings_of
from faultmaven_core.analysis.model import Fact, Span

REACH = 256 << 10
"""Bytes before and behind a point in which its object is looked for."""

MAX_TRIES = 40
"""Opening braces tried on the way back: labels and dimensions stand between an object's begin and its points."""

_DECODER = json.JSONDecoder()


def metric_object(read: Callable[[int, int], bytes], span: Span) -> tuple[Span, Mapping[str, Any]] | None:
    """The smallest object with times and values around a span; None where there is none within reach."""
    origin = max(0, span.start - REACH)
    data = read(origin, span.end + REACH)
    at = span.start - origin + 1
    for _ in range(MAX_TRIES):
        at = data.rfind(b"{", 0, at)
        if at < 0:
            return None
        try:
            value, length = _DECODER.raw_decode(data[at:].decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            continue
        size = len(data[at:].decode("utf-8", "replace")[:length].encode())
        if at + origin + size >= span.end and isinstance(value, dict) and readings_of(value):
            start, first = origin + at, span.first_line - data.count(b"\n", at, span.start - origin)
            lines = data.count(b"\n", at, at + size)
            return Span(span.sha256, start, start + size, first, first + lines), value
    return None


def presented(value: Mapping[str, Any], fact: Fact) -> str:
    """The name under which the object presents the metric of a fact, with its entity where the object names that."""
    params = dict(fact.params)
    names = list(named(value))
    name = next((name for name in names if params.get("metric", "") in name), names[0] if names else "")
    return f"{name} of {fact.entity.name}" if fact.entity.name in json.dumps(value, ensure_ascii=False) else name


def journey(reading: Reading, direction: str) -> tuple[str, str]:
    """The first moment, and the one of the highest (up) or lowest value; empty where there is nothing to tell."""
    moments = list(reading)
    if not moments:
        return "", ""
    pick = max if direction in ("up", "high") else min
    return moments[0], pick(moments, key=lambda moment: float(reading[moment]))
