"""Geometry of the charts; the templates draw it as inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from faultmaven_core.ports.report_renderer import Chart

WIDTH, HEIGHT = 600.0, 100.0
"""The metric chart's own units; the page stretches them."""

_STEPS = (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 7 * 86400, 30 * 86400)
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the time axis, `x` in percent."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Dot:
    """An entry of the timeline, `x` in percent; `lane` counts from 0."""

    x: float
    lane: int
    first_deviation: bool
    text: str


@dataclass(frozen=True, slots=True)
class TimelineChart:
    """Entries by time, one lane per kind."""

    lanes: tuple[str, ...]
    dots: tuple[Dot, ...]
    ticks: tuple[Tick, ...]
    first_deviation: float | None
    day: str


@dataclass(frozen=True, slots=True)
class MetricChart:
    """A series as the points of a polyline, with its axis texts."""

    title: str
    caption: str
    polyline: str
    area: str
    top: str
    bottom: str
    start: str
    end: str
    onset: float | None


def timeline_chart(timeline: Sequence[Mapping[str, Any]]) -> TimelineChart | None:
    """The chart of a record's timeline; None where fewer than two moments differ."""
    moments = [(_epoch(entry["when"]), entry) for entry in timeline]
    if len({when for when, _ in moments}) < 2:
        return None
    first, last = min(when for when, _ in moments), max(when for when, _ in moments)
    lanes = tuple(sorted({entry["kind"] for _, entry in moments}))

    def x(when: float) -> float:
        return round(2 + 96 * (when - first) / (last - first), 2)

    # Many entries of one kind at one place are one dot: the eye cannot part them.
    dots: dict[tuple[float, int], Dot] = {}
    for when, entry in moments:
        lane = lanes.index(entry["kind"])
        place = (round(x(when) * 2) / 2, lane)
        if place not in dots or entry["first_deviation"]:
            text = f"{entry['when']}  {entry['text']}"
            dots[place] = Dot(x(when), lane, entry["first_deviation"], text)
    deviation = next((x(when) for when, entry in moments if entry["first_deviation"]), None)
    day = datetime.fromtimestamp(first, UTC).strftime("%Y-%m-%d")
    return TimelineChart(lanes, tuple(dots.values()), _ticks(first, last, x), deviation, day)


def metric_chart(chart: Chart) -> MetricChart:
    """The drawing of a series; a flat one lies in the middle."""
    points = chart.points
    first, last = points[0][0], points[-1][0]
    low, high = min(value for _, value in points), max(value for _, value in points)

    def x(when: float) -> float:
        return round(WIDTH * (when - first) / (last - first), 1) if last > first else WIDTH / 2

    def y(value: float) -> float:
        return round(HEIGHT - 4 - (HEIGHT - 8) * (value - low) / (high - low), 1) if high > low else HEIGHT / 2

    line = " ".join(f"{x(when)},{y(value)}" for when, value in points)
    inside = chart.onset is not None and first <= chart.onset <= last
    return MetricChart(
        chart.title,
        chart.caption,
        line,
        f"0,{HEIGHT} {line} {WIDTH},{HEIGHT}",
        _amount(high, chart.unit),
        _amount(low, chart.unit),
        _stamp(first),
        _stamp(last),
        x(chart.onset) if inside and chart.onset is not None else None,
    )


def _ticks(first: float, last: float, x: Any) -> tuple[Tick, ...]:
    span = last - first
    step = next((s for s in _STEPS if span / s <= _TICKS), _STEPS[-1] * max(1, round(span / _STEPS[-1] / _TICKS)))
    form = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%b %d"
    start = -(-first // step) * step
    count = int((last - start) // step) + 1 if start <= last else 0
    moments = [start + index * step for index in range(count)]
    return tuple(Tick(x(when), datetime.fromtimestamp(when, UTC).strftime(form)) for when in moments)


def _amount(value: float, unit: str) -> str:
    """Thousands as k, M, G where the unit bears it; `31.1 kms` would be read as no unit at all."""
    if unit.lower() in ("", "b", "bytes"):
        for factor, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
            if abs(value) >= factor:
                return f"{value / factor:.3g} {prefix}{'B' if unit else ''}".rstrip()
    shown = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{shown} {unit}".rstrip()


def _epoch(when: str) -> float:
    return datetime.fromisoformat(when).timestamp()


def _stamp(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M")
