"""Which metrics left their usual range, when, in which direction, and whether they came back."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from faultmaven_core.analysis.model import Anomaly, Fact, Mode, Series, Span
from faultmaven_core.analysis.signals.change_point import MIN_POINTS, segments
from faultmaven_core.analysis.signals.metric_catalog import KnownMetric, base_unit, known, unit_of, words_of
from faultmaven_core.analysis.signals.metric_sentence import clock, quantity, sentence
from faultmaven_core.analysis.signals.robust import Usual, Values, noise, usual

OUTSIDE = 5.0
"""Scales from the usual level that count as outside: beyond what heavy-tailed but calm metrics show."""

MIN_CHANGE = 0.5
"""Without a given baseline a rise of half the level (or a fall to two thirds of it) is the least that counts: what a
window shows of itself is a poor measure of what is usual, and smaller changes are everyday."""

MIN_PERCENT_CHANGE = 10.0
"""For shares of a whole: the least change in percentage points, where the window is its own baseline."""

RUN = 2
"""Points in a row outside that make a deviation; at the end of a series one is enough, more cannot be there yet."""

SCARCE = 0.1
"""Share of the usual amount at which something that should be there (free storage, memory) counts as nearly gone."""

MIN_PEERS = 3
"""Fewer peers are no measure."""

_REPLICA = re.compile(r"(-[0-9a-z]{5,10})?-[0-9a-z]{5}\Z|-\d+\Z")
_COUNTER = re.compile(r"_(total|count|sum|bucket)\Z")


@dataclass(frozen=True, slots=True)
class _Judged:
    """Usual level and scale, what they were taken from, and the least distance that counts."""

    usual: Usual
    source: str
    least: float = 0.0
    threshold: float = OUTSIDE


def anomalies(series: Sequence[Series], baseline: Sequence[Series] = ()) -> list[Anomaly]:
    """Deviations of incident series from the baseline's, else from their peers, else from their own earlier level.

    One per series at most, in the order of entity, metric and labels; the order of the arguments does not matter.
    """
    given: Mapping[object, list[Series]] = _grouped(baseline, _identity)
    peers: Mapping[object, list[Series]] = _grouped(series, _workload)
    found = []
    for one in sorted(series, key=_order):
        times, values = _points(one)
        if len(values) == 0:
            continue
        metric = known(one.metric)
        anomaly = None
        if judged := _judge(one, values, given.get(_identity(one), []), peers.get(_workload(one), [])):
            anomaly = _deviation(one, metric, times, values, judged)
        anomaly = anomaly or _out_of_bounds(one, metric, times, values)
        if anomaly:
            found.append(anomaly)
    return found


def as_facts(anomaly: Anomaly) -> list[Fact]:
    """`anomaly.<metric>` (value up | down, when = onset) and `metric.<metric>.state` (high | low | recovered).

    And `metric.<metric>.bound` = crossed where it is also beyond what anything bears: a fall by half is not the end.
    """
    name = canonical_name(anomaly.metric)
    params = {
        "metric": anomaly.metric,
        "from": quantity(anomaly.before, anomaly.unit),
        "to": quantity(anomaly.last, anomaly.unit),
        "peak": quantity(anomaly.peak, anomaly.unit),
        "onset": clock(anomaly.onset),
        "until": clock(anomaly.until) if anomaly.until is not None else "",
        "peak_at": clock(anomaly.peak_at),
        "score": f"{anomaly.score:.1f}",
        "baseline": anomaly.baseline,
        "recovered": "yes" if anomaly.recovered else "no",
        "hurts": "yes" if anomaly.hurts else "no",
        "text": anomaly.sentence,
    }
    # Texts of mechanisms name several metrics at once: `{cpu_peak}`, `{latency_from}`.
    params |= {f"{name}_{key}": params[key] for key in ("from", "to", "peak", "onset", "peak_at", "until")}
    pairs = tuple(sorted((key, value) for key, value in params.items() if value))
    state = "recovered" if anomaly.recovered else "high" if anomaly.direction == "up" else "low"
    said = [(f"anomaly.{name}", anomaly.direction), (f"metric.{name}.state", state)]
    if _beyond(anomaly):
        said.append((f"metric.{name}.bound", "crossed"))
    return [
        Fact(anomaly.entity, attribute, value, Mode.METRIC, anomaly.spans, anomaly.onset, params=pairs)
        for attribute, value in said
    ]


def _beyond(anomaly: Anomaly) -> bool:
    """Whether the last value is beyond the known metric's bound, or what there was has fallen to a tenth."""
    metric = known(anomaly.metric)
    if anomaly.recovered or metric is None:
        return False
    if anomaly.direction == "up":
        return anomaly.last > metric.above.get(anomaly.unit, float("inf"))
    scarce = metric.hurts == "down" and anomaly.last <= SCARCE * anomaly.before
    return scarce or anomaly.last < metric.below.get(anomaly.unit, float("-inf"))


def metric_facts(series: Sequence[Series], baseline: Sequence[Series] = ()) -> list[Fact]:
    """What series show: their deviations, and which of them are well."""
    found = anomalies(series, baseline)
    return [fact for anomaly in found for fact in as_facts(anomaly)] + _calm(series, found, baseline)


def _calm(series: Sequence[Series], found: Sequence[Anomaly], baseline: Sequence[Series]) -> list[Fact]:
    """`metric.<metric>.state` = normal, for series without a deviation where more than the window itself says so.

    That is a baseline, or the level under which the metric hurts nobody: what a window shows of itself proves nothing,
    it may have begun in the middle of the trouble.
    """
    given = {_identity(one) for one in baseline}
    deviating = {(anomaly.entity, anomaly.metric) for anomaly in found}
    facts = []
    for one in sorted(series, key=_order):
        metric = known(one.metric)
        if metric is None or metric.hurts == "none" or (one.entity, one.metric) in deviating or not len(one.times):
            continue
        unit, factor = _unit(one)
        _, values = _points(one)
        calm = len(values) > 0 and unit in metric.calm_below and np.max(values) * factor < metric.calm_below[unit]
        if calm or _identity(one) in given:
            place, when = one.places.span(len(one.times) - 1), one.times.view()[-1]
            params = ((f"{metric.name}_last", quantity(one.values.view()[-1] * factor, unit)),)
            state = f"metric.{metric.name}.state"
            facts.append(Fact(one.entity, state, "normal", Mode.METRIC, (place,), when, params=params))
    return facts


def canonical_name(metric: str) -> str:
    """The name of the known metric, else the source's own with underscores between its words."""
    found = known(metric)
    return found.name if found else "_".join(words_of(metric)) or "value"


def _identity(one: Series) -> object:
    return one.entity, one.metric, one.labels


def _workload(one: Series) -> object:
    return one.entity.kind, one.entity.namespace, _REPLICA.sub("", one.entity.name), one.metric, one.labels


def _order(one: Series) -> tuple[object, ...]:
    return one.entity, one.metric, one.labels, one.times.packed, one.values.packed


def _grouped(series: Iterable[Series], key: object) -> dict[object, list[Series]]:
    found: dict[object, list[Series]] = defaultdict(list)
    for one in sorted(series, key=_order):
        found[key(one)].append(one)  # type: ignore[operator]  # both keys are functions of a series
    return found


def _points(one: Series) -> tuple[Values, Values]:
    """Times and values; of a counter the rate, taken at the later point of each pair, resets left out."""
    times, values = np.asarray(one.times.view()), np.asarray(one.values.view())
    if _COUNTER.search(one.metric) and len(values) > 1 and np.mean(np.diff(values) >= 0) > 0.9:
        steps, gaps = np.diff(values), np.diff(times)
        whole = (steps >= 0) & (gaps > 0)
        return times[1:][whole], (steps[whole] / gaps[whole])
    return times, values


def _judge(one: Series, values: Values, given: Sequence[Series], peers: Sequence[Series]) -> _Judged | None:
    calm = [points for other in given if len(points := _points(other)[1])]
    if calm and sum(map(len, calm)) >= MIN_POINTS:
        pooled = np.concatenate(calm)
        measure = usual(pooled)
        # A baseline with heavy tails must not be an alarm itself.
        return _Judged(measure, "given", 0.0, max(OUTSIDE, 1.2 * float(np.max(np.abs(measure.scores(pooled))))))
    others = [points for other in peers if other.entity != one.entity and len(points := _points(other)[1])]
    if len(others) >= MIN_PEERS:
        measure = usual(np.concatenate(others))
        return _Judged(measure, "peers", _least(one, measure.level))
    parts = segments(values) if len(values) >= MIN_POINTS else ()
    if len(parts) < 2:
        return None
    first = _calm_start(values[parts[0].first : parts[0].end])
    measure = Usual(usual(first).level, max(usual(first).scale, noise(values)))
    return _Judged(measure, "self", _least(one, measure.level))


def _calm_start(values: Values) -> Values:
    """The beginning of a first segment that only rises or only falls: what goes one way all the time is no usual level."""
    while len(values) > RUN and (np.all(np.diff(values) > 0) or np.all(np.diff(values) < 0)):
        values = values[: max(RUN, len(values) // 2)]
    return values


def _least(one: Series, level: float) -> float:
    if _unit(one)[0] == "%":
        return MIN_PERCENT_CHANGE
    return MIN_CHANGE * abs(level)


def _unit(one: Series) -> tuple[str, float]:
    return base_unit(one.unit or unit_of(one.metric))


def _deviation(
    one: Series, metric: KnownMetric | None, times: Values, values: Values, judged: _Judged
) -> Anomaly | None:
    """The first lasting run outside: the one in the harmful direction, else the one that reaches further."""
    scores = judged.usual.scores(values)
    distance = values - judged.usual.level
    found = []
    for sign, direction in ((1.0, "up"), (-1.0, "down")):
        # A fall by a third undoes a rise by a half.
        least = judged.least if sign > 0 or _unit(one)[0] == "%" else judged.least / (1 + MIN_CHANGE)
        outside = (sign * scores > judged.threshold) & (sign * distance > least)
        if run := _first_run(outside):
            score = float(np.max(sign * scores[run[0] :]))
            found.append(_anomaly(one, metric, times, values, judged, score, direction, *run))
    return max(found, key=lambda anomaly: (anomaly.hurts, anomaly.score, anomaly.direction), default=None)


def _first_run(outside: np.ndarray) -> tuple[int, int] | None:
    """The first point of the first lasting run outside, and the first one after the last (the length if none is)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], outside.astype(np.int8), [0]))))
    runs = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    lasting = [(a, b) for a, b in runs if b - a >= RUN or b == len(outside)]
    return (lasting[0][0], lasting[-1][1]) if lasting else None


def _anomaly(
    one: Series,
    metric: KnownMetric | None,
    times: Values,
    values: Values,
    judged: _Judged,
    score: float,
    direction: str,
    first: int,
    end: int,
) -> Anomaly:
    unit, factor = _unit(one)
    inside = values[first:end]
    peak = first + int(np.argmax(inside) if direction == "up" else np.argmin(inside))
    over = end < len(values)
    at = sorted({first, peak, end if over else len(values) - 1})
    before = judged.usual.level
    anomaly = Anomaly(
        one.entity,
        one.metric,
        direction,
        float(times[first]),
        float(times[end]) if over else None,
        round(score, 2),
        judged.source,
        before * factor,
        float(values[peak]) * factor,
        float(times[peak]),
        float(values[-1]) * factor,
        unit,
        _hurts(metric, direction, unit, before * factor, float(values[peak]) * factor),
        "",
        _spans(one, [float(times[index]) for index in at]),
    )
    return sentence(anomaly)


def _hurts(metric: KnownMetric | None, direction: str, unit: str, before: float, peak: float) -> bool:
    if metric is None or metric.hurts == "none" or metric.hurts not in (direction, "both"):
        return False
    return not (unit in metric.calm_below and max(abs(before), abs(peak)) < metric.calm_below[unit])


def _spans(one: Series, moments: Sequence[float]) -> tuple[Span, ...]:
    times = np.asarray(one.times.view())
    return tuple(sorted({one.places.span(int(np.searchsorted(times, moment))) for moment in moments}))


def _out_of_bounds(one: Series, metric: KnownMetric | None, times: Values, values: Values) -> Anomaly | None:
    """Beyond a bound at the end of the window, and for half of it or RUN points: what hurts although it never changed."""
    if metric is None:
        return None
    unit, factor = _unit(one)
    for direction, bounds in (("up", metric.above), ("down", metric.below)):
        if unit not in bounds:
            continue
        bound = bounds[unit] / factor
        outside = values > bound if direction == "up" else values < bound
        run = _first_run(outside)
        if run and run[1] == len(values) and (run[1] - run[0] >= RUN or len(values) == 1):
            judged = _Judged(Usual(bound, 0.0), "bound")
            return _anomaly(one, metric, times, values, judged, 1.0, direction, *run)
    return None
