"""Lines of text of any form: signatures, templates, stack traces and rates, from a summary of one pass."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from faultmaven_core.analysis.extract.log_pass import read_log_segment, segments_of
from faultmaven_core.analysis.extract.log_summary import LogSummary, Tally, TraceLines, merge
from faultmaven_core.analysis.extract.log_templates import templates
from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.stack_traces import add_exceptions
from faultmaven_core.analysis.extract.tools import Findings, Tools
from faultmaven_core.analysis.model import Entity, Fact, LogSample, LogTemplate, Mode, Span
from faultmaven_core.analysis.signals.log_rates import flagged, rate_facts
from faultmaven_core.analysis.signals.signatures import MAX_QUOTE

MAX_TRACED_BYTES = 8 << 20
"""Stack traces are read from sources up to this size: the reader of traces looks at every line closely."""


@dataclass(frozen=True, slots=True)
class LogFindings:
    """What a log says in the terms that all sources share. `coverage` is None where its lines tell no full moment."""

    facts: tuple[Fact, ...]
    templates: tuple[LogTemplate, ...]
    coverage: tuple[float, float] | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Origin:
    """Whose lines they are, and where in their source the summarised bytes begin."""

    entity: Entity
    sha256: str
    start: int = 0
    line: int = 0

    def span(self, sample: LogSample) -> Span:
        line = sample.line + self.line
        return Span(self.sha256, sample.start + self.start, sample.end + self.start, line, line)

    def placed(self, template: LogTemplate) -> LogTemplate:
        """The template with its samples where they stand in the source, not in the summarised part of it."""
        if not (self.start or self.line):
            return template
        samples = tuple(
            replace(s, line=s.line + self.line, start=s.start + self.start, end=s.end + self.start)
            for s in template.samples
        )
        return replace(template, samples=samples)


def log(passage: Passage, out: Findings) -> None:
    """A passage's signatures, templates, stack traces and rates."""
    if not passage.lines:
        return
    whole = passage.span(0, len(passage.lines) - 1)
    data = passage.source.data[whole.start : whole.end]
    stream = io.BytesIO(data)
    summary = reduce(merge, (read_log_segment(stream, start, end, out.tools) for start, end in segments_of(len(data))))
    found = _findings(summary, _Origin(out.origin, whole.sha256, whole.start, passage.first), out.tools)
    out.facts.extend(found.facts)
    out.logs.extend(found.templates)
    out.problems.extend(found.problems)
    if found.coverage:
        known = [*(out.coverage or ()), *found.coverage]
        out.coverage = (min(known), max(known))
    if len(data) <= MAX_TRACED_BYTES:
        add_exceptions(passage.lines, lambda first, end: passage.span(first, end - 1), out.origin, out)


def finish_log(summary: LogSummary, origin: Entity, sha256: str, tools: Tools) -> LogFindings:
    """The findings of a whole source's summary; the same, however many processes read its segments."""
    found = _findings(summary, _Origin(origin, sha256), tools)
    return replace(found, facts=(*found.facts, *_exceptions(summary, origin, sha256, tools)))


def _exceptions(summary: LogSummary, origin: Entity, sha256: str, tools: Tools) -> Sequence[Fact]:
    """The stack traces among the lines that the summary kept; the first of those that are alike."""
    found: dict[tuple[object, ...], Fact] = {}
    for trace in summary.traces:

        def place(first: int, end: int, trace: TraceLines = trace) -> Span:
            return Span(sha256, trace.starts[first], trace.ends[end - 1], trace.line + first, trace.line + end - 1)

        out = Findings(tools, origin)
        add_exceptions(trace.lines, place, origin, out)
        for fact in out.facts:
            found.setdefault((fact.value, fact.params), fact)
    return tuple(found.values())


def _findings(summary: LogSummary, origin: _Origin, tools: Tools) -> LogFindings:
    moments = not summary.year_assumed
    facts = [
        fact
        for name in sorted(summary.hits)
        for fact in _signature_facts(name, summary.hits[name], origin, tools, moments=moments)
    ]
    total = summary.total
    coverage = None
    if moments and total.first_seen is not None and total.last_seen is not None:
        coverage = (total.first_seen, total.last_seen)
    mined = flagged(templates(summary), total.histogram)
    if coverage:
        facts += rate_facts(mined, total.histogram, origin.entity, origin.span)
    placed = tuple(origin.placed(template) for template in mined)
    return LogFindings(tuple(facts), placed, coverage, tuple(_notes(summary, origin.entity)))


def _signature_facts(name: str, tally: Tally, origin: _Origin, tools: Tools, *, moments: bool) -> Iterator[Fact]:
    """A fact per set of captured parameters; lines beyond the samples are counted with the first."""
    alike: dict[tuple[tuple[str, str], ...], list[LogSample]] = defaultdict(list)
    samples = tally.samples()
    for sample in samples:
        alike[tools.signatures.parameters(name, sample.text)].append(sample)
    unseen = tally.count - len(samples)
    for params, group in alike.items():
        times = [sample.when for sample in group if sample.when is not None] if moments else []
        last = (("last_seen", f"{max(times):.3f}"),) if len(set(times)) > 1 else ()
        yield Fact(
            origin.entity,
            f"signature.{name}",
            group[0].text.strip()[:MAX_QUOTE],
            Mode.LOG,
            tuple(origin.span(sample) for sample in group),
            min(times, default=None),
            count=len(group) + unseen,
            params=(*params, *last),
        )
        unseen = 0


def _notes(summary: LogSummary, entity: Entity) -> Sequence[str]:
    """What had to be assumed, as sentences."""
    notes = []
    if summary.total.first_seen is not None:
        if summary.year_assumed:
            notes.append(f"{entity.name}: its lines state no year, so its moments are not compared with other sources.")
        elif summary.zone_assumed:
            notes.append(f"{entity.name}: its lines state no time zone; they are read as UTC.")
    if summary.mined < summary.lines:
        notes.append(
            f"{entity.name}: templates and stack traces were read from {summary.mined} of {summary.lines} lines; "
            "signatures from all."
        )
    return notes
