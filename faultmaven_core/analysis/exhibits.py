"""What a report shows of the evidence: the cited lines with their surroundings, and the metrics that moved."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from faultmaven_core.analysis.claims.ledger import ReadSpan
from faultmaven_core.analysis.model import Anomaly, Extraction, Role, Series, Span
from faultmaven_core.analysis.record import Citation, RcaRecord
from faultmaven_core.analysis.redaction.redact_record import Told, redact_record
from faultmaven_core.analysis.redaction.redactor import Redactor
from faultmaven_core.analysis.signals.metric_anomalies import anomalies
from faultmaven_core.ports.report_renderer import Chart, Excerpt, ExcerptLine, Exhibits
from faultmaven_core.shared.errors import CorruptDataError, NotFoundError

CLAIMS = 80
"""Claims that get an excerpt; a reader follows the first dozen, the rest is for looking things up."""

CONTEXT = 2
"""Lines shown before and after a cited one."""

LONGEST_CITATION = 12
"""Lines shown of one citation; objects of hundreds of lines are cut after these."""

WIDEST_LINE = 600
"""Characters shown of a line."""

CHARTS = 8
"""Metrics that get a chart: those that hurt, the furthest from their usual value first."""

MOST_POINTS = 300
"""Points kept of a chart's series; more would not be seen, and each is stored and sent."""

_REACH = 2048  # bytes read before and after a citation to find the context lines in


@dataclass(frozen=True, slots=True)
class _Window:
    """Lines of one source by number (from 1), and which claim cites which of them."""

    citation: Citation
    lines: dict[int, str]
    cited: dict[int, set[str]]


def exhibits_of(record: RcaRecord, read: ReadSpan, extractions: Sequence[Extraction]) -> Exhibits:
    """The exhibits of a record that was made of these extractions, in whatever order they came."""
    series = [
        [one for extraction in extractions if extraction.source.role is role for one in extraction.series]
        for role in (Role.INCIDENT, Role.BASELINE)
    ]
    return Exhibits(excerpts_of(record, read), charts_of(anomalies(*series), series[0]))


def excerpts_of(record: RcaRecord, read: ReadSpan) -> tuple[Excerpt, ...]:
    """Excerpts for the record's claims, those of the root cause first; windows that touch are one excerpt."""
    sizes = {source.sha256: source.size for source in record.coverage}
    by_source: dict[tuple[str, str], list[_Window]] = {}
    lost: dict[tuple[str, str], str] = {}
    claims = {claim.id: claim for claim in record.claims}
    for name in _by_weight(record)[:CLAIMS]:
        for citation in claims[name].citations[:3]:
            key = (citation.file, citation.sha256)
            by_source.setdefault(key, [])
            try:
                by_source[key].append(_window(name, citation, sizes.get(citation.sha256, citation.bytes[1]), read))
            except (NotFoundError, CorruptDataError) as gone:
                lost[key] = str(gone)
    found: list[Excerpt] = []
    for (file, sha256), windows in by_source.items():
        found += [Excerpt(file, sha256, lines) for lines in _merged(windows)]
        if (file, sha256) in lost:
            found.append(Excerpt(file, sha256, (), lost[file, sha256]))
    return tuple(found)


def charts_of(anomalies: Iterable[Anomaly], series: Iterable[Series]) -> tuple[Chart, ...]:
    """Charts of the metrics that moved, with the moment at which each left its usual range."""
    drawn = {(one.entity, one.metric): one for one in sorted(series, key=_series_order)}
    moved = sorted(anomalies, key=lambda a: (not a.hurts, -abs(a.score), a.onset, a.entity, a.metric))
    found: dict[tuple[object, str], Chart] = {}
    for anomaly in moved:
        key = (anomaly.entity, anomaly.metric)
        if key not in drawn or key in found or len(found) == CHARTS:
            continue
        line = drawn[key]
        points = _thinned(list(zip(line.times.view(), line.values.view(), strict=True)))
        if len(points) > 1:
            title = f"{anomaly.metric} of {anomaly.entity}"
            found[key] = Chart(title, line.unit, points, anomaly.onset, anomaly.sentence)
    return tuple(found.values())


def _series_order(one: Series) -> tuple[object, ...]:
    return (one.entity, one.metric, one.labels, one.places.sha256)


def _thinned(points: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """The lowest and the highest point of each stretch, so that no spike is lost."""
    points = [point for point in points if math.isfinite(point[1])]
    if len(points) <= MOST_POINTS:
        return tuple(points)
    stretch = -(-len(points) // (MOST_POINTS // 2))
    kept: list[tuple[float, float]] = []
    for start in range(0, len(points), stretch):
        part = points[start : start + stretch]
        kept += sorted({min(part, key=itemgetter(1)), max(part, key=itemgetter(1))})
    return tuple(kept)


def _by_weight(record: RcaRecord) -> list[str]:
    leading = [h for h in record.hypotheses if h.status == "leading"]
    others = [h for h in record.hypotheses if h.status != "leading"]
    names: list[str] = []
    for hypothesis in [*leading, *others]:
        names += hypothesis.claims
        names += [name for prediction in hypothesis.predictions for name in prediction.claims]
    names += [name for part in (record.findings, record.ruled_out) for item in part for name in item.claims]
    known = {claim.id for claim in record.claims}
    return [name for name in dict.fromkeys([*names, *sorted(known, key=_number)]) if name in known]


def _number(name: str) -> tuple[int, str]:
    return (int(name[1:]) if name[1:].isdecimal() else 0, name)


def _window(claim: str, citation: Citation, size: int, read: ReadSpan) -> _Window:
    start, end = max(0, citation.bytes[0] - _REACH), min(size, citation.bytes[1] + _REACH)
    first, last = citation.lines
    before = read(Span(citation.sha256, start, citation.bytes[0], first, first)) if start < citation.bytes[0] else b""
    cited = read(Span(citation.sha256, citation.bytes[0], citation.bytes[1], first, last))
    after = read(Span(citation.sha256, citation.bytes[1], end, last, last)) if end > citation.bytes[1] else b""
    above = before.split(b"\n")[:-1]  # the last piece is what stands before the citation on its own first line
    if start > 0:
        above = above[1:]  # a piece of a line
    below = after.split(b"\n")[1:]  # the first piece is the rest of the citation's own last line
    if end < size or (below and not below[-1]):
        below = below[:-1]
    shown = cited.split(b"\n")
    lines = {first - len(above[-CONTEXT:]) + i: _text(raw) for i, raw in enumerate(above[-CONTEXT:])}
    lines |= {first + i: _text(raw) for i, raw in enumerate(shown[:LONGEST_CITATION])}
    if len(shown) <= LONGEST_CITATION:
        lines |= {last + 1 + i: _text(raw) for i, raw in enumerate(below[:CONTEXT])}
    return _Window(citation, lines, {n: {claim} for n in range(first, first + len(shown[:LONGEST_CITATION]))})


def _text(raw: bytes) -> str:
    text = raw.rstrip(b"\r").decode("utf-8", "replace")
    return text if len(text) <= WIDEST_LINE else text[:WIDEST_LINE] + " …"


def _merged(windows: Iterable[_Window]) -> Sequence[tuple[ExcerptLine, ...]]:
    lines: dict[int, str] = {}
    cited: dict[int, set[str]] = {}
    for window in windows:
        lines |= window.lines
        for number, names in window.cited.items():
            cited.setdefault(number, set()).update(names)
    runs: list[list[ExcerptLine]] = []
    for number in sorted(lines):
        line = ExcerptLine(number, lines[number], tuple(sorted(cited.get(number, ()), key=_number)))
        if runs and runs[-1][-1].number + 1 == number:
            runs[-1].append(line)
        else:
            runs.append([line])
    return [tuple(run) for run in runs]


def redacted(record: RcaRecord, exhibits: Exhibits, beside: Told) -> tuple[RcaRecord, Exhibits, Told]:
    """All without secrets and personal data, under one numbering, for everything that leaves the house.

    `beside` is what is told beside the record, None or any value of texts.
    """
    redactor = Redactor()
    for excerpt in exhibits.excerpts:
        redactor.learn("\n".join(line.text for line in excerpt.lines))
    masked = redact_record(record, redactor)
    excerpts = tuple(
        replace(excerpt, lines=_masked(excerpt.lines, redactor), problem=redactor.mask(excerpt.problem))
        for excerpt in exhibits.excerpts
    )
    charts = tuple(
        replace(chart, title=redactor.mask(chart.title), caption=redactor.mask(chart.caption))
        for chart in exhibits.charts
    )
    return masked, Exhibits(excerpts, charts), redact_record(beside, redactor)


def _masked(lines: tuple[ExcerptLine, ...], redactor: Redactor) -> tuple[ExcerptLine, ...]:
    """Lines one by one; a secret of several lines (a private key) hides each line that it stands on."""
    text, at, hidden = "\n".join(line.text for line in lines), 0, {}
    secrets = [found for found in redactor.redact(text).spans if "\n" in text[found.start : found.end]]
    for line in lines:
        end = at + len(line.text)
        hidden[line.number] = next((found.kind for found in secrets if found.start < end and at < found.end), "")
        at = end + 1
    return tuple(
        replace(line, text=f"[redacted:{hidden[line.number]}]" if hidden[line.number] else redactor.mask(line.text))
        for line in lines
    )
