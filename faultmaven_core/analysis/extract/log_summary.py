"""What one stretch of a log says, in bounded memory, and how two neighbouring stretches become one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from faultmaven_core.analysis.extract.severity import worst
from faultmaven_core.analysis.model import LogSample

FIRST_SAMPLES = 3
"""Lines of a template kept from its begin; the last one is kept too."""
MAX_HITS = 50
"""Samples of a signature."""
BUCKET = 10
"""Seconds of the finest bucket; wider ones are this times a power of two, so that buckets nest."""
MAX_BUCKETS = 64
MAX_TRACES = 24
"""Stack traces kept of a stretch; of equal ones, the first."""
MAX_TEXT = 400
"""Characters of a line kept as a sample."""


def shifted(sample: LogSample, lines: int) -> LogSample:
    """The sample as seen from a stretch that begins so many lines earlier."""
    return LogSample(sample.line + lines, sample.start, sample.end, sample.text, sample.when)


@dataclass
class Histogram:
    """Counts by time. Merging in any grouping gives the same: buckets only widen when there are too many in the union."""

    width: int = BUCKET
    counts: dict[int, int] = field(default_factory=dict)

    def add(self, begin: float, count: int) -> None:
        """Count lines whose moment lies in the bucket that holds `begin`."""
        key = int(begin // self.width)
        self.counts[key] = self.counts.get(key, 0) + count
        while len(self.counts) > MAX_BUCKETS:
            self._widen(self.width * 2)

    def include(self, other: Histogram) -> None:
        """Add another histogram's counts."""
        self._widen(max(self.width, other.width))
        for key, count in other.counts.items():
            self.add(key * other.width, count)

    def _widen(self, width: int) -> None:
        while self.width < width:
            self.width *= 2
            counts: dict[int, int] = {}
            for key, count in self.counts.items():
                counts[key // 2] = counts.get(key // 2, 0) + count
            self.counts = counts

    def buckets(self) -> tuple[tuple[int, int], ...]:
        """(epoch second of a bucket's begin, count), in order of time."""
        return tuple((key * self.width, count) for key, count in sorted(self.counts.items()))


@dataclass
class Tally:
    """How often something was seen, when, and examples of it."""

    severity: str = ""
    count: int = 0
    first_seen: float | None = None
    last_seen: float | None = None
    first: list[LogSample] = field(default_factory=list)
    last: LogSample | None = None
    histogram: Histogram = field(default_factory=Histogram)

    def seen(self, when: float | None) -> None:
        """Widen the time in which it was seen."""
        if when is not None:
            self.first_seen = when if self.first_seen is None else min(self.first_seen, when)
            self.last_seen = when if self.last_seen is None else max(self.last_seen, when)

    def include(self, other: Tally, keep: int = FIRST_SAMPLES) -> None:
        """Add what was seen later in the same source."""
        self.severity = worst(self.severity, other.severity)
        self.count += other.count
        self.seen(other.first_seen)
        self.seen(other.last_seen)
        self.first = (self.first + other.first)[:keep]
        self.last = other.last or self.last
        self.histogram.include(other.histogram)

    def interleave(self, other: Tally) -> None:
        """Add what was seen among the same lines."""
        samples = sorted({*self.samples(), *other.samples()}, key=lambda sample: sample.line)
        self.include(other)
        self.first, self.last = samples[:FIRST_SAMPLES], samples[-1]

    def samples(self) -> tuple[LogSample, ...]:
        """The first lines and, where it is another one, the last."""
        more = (self.last,) if self.last is not None and self.last not in self.first else ()
        return (*self.first, *more)

    def moved(self, lines: int) -> Tally:
        """The same as seen from a stretch that begins so many lines earlier."""
        last = None if self.last is None else shifted(self.last, lines)
        first = [shifted(sample, lines) for sample in self.first]
        histogram = Histogram(self.histogram.width, dict(self.histogram.counts))
        return Tally(self.severity, self.count, self.first_seen, self.last_seen, first, last, histogram)


@dataclass(frozen=True, slots=True)
class TraceLines:
    """Lines that look like a stack trace, whole, with the number of the first and the bytes where each begins and ends."""

    line: int
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    lines: tuple[str, ...]


@dataclass
class LogSummary:
    """Tallies by masked message and by signature of one stretch. Lines count from the stretch's begin until merged.

    `mined` is the number of lines that were looked at for templates; with a sampled pass fewer than `lines`.
    """

    lines: int = 0
    bytes: int = 0
    mined: int = 0
    zone_assumed: bool = False
    year_assumed: bool = False
    messages: dict[str, Tally] = field(default_factory=dict)
    hits: dict[str, Tally] = field(default_factory=dict)
    total: Tally = field(default_factory=Tally)
    traces: list[TraceLines] = field(default_factory=list)


def merge(first: LogSummary, second: LogSummary) -> LogSummary:
    """The summary of two stretches of one source, `second` directly after `first`. Neither is changed."""
    return LogSummary(
        first.lines + second.lines,
        first.bytes + second.bytes,
        first.mined + second.mined,
        first.zone_assumed or second.zone_assumed,
        first.year_assumed or second.year_assumed,
        _joined(first.messages, second.messages, first.lines, FIRST_SAMPLES),
        _joined(first.hits, second.hits, first.lines, MAX_HITS - 1),
        _joined({"": first.total}, {"": second.total}, first.lines, 0)[""],
        [*first.traces, *(replace(trace, line=trace.line + first.lines) for trace in second.traces)][:MAX_TRACES],
    )


def _joined(first: Mapping[str, Tally], second: Mapping[str, Tally], lines: int, keep: int) -> dict[str, Tally]:
    names: Iterable[str] = sorted({*first, *second})
    joined = {}
    for name in names:
        tally = first[name].moved(0) if name in first else Tally()
        if name in second:
            tally.include(second[name].moved(lines), keep)
        joined[name] = tally
    return joined
