"""One pass over a stretch of a log: signatures, templates and moments of every line, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from faultmaven_core.analysis.extract.log_blocks import blocks, sample_lines
from faultmaven_core.analysis.extract.log_clock import LogClock
from faultmaven_core.analysis.extract.log_format import learn
from faultmaven_core.analysis.extract.log_summary import (
    BUCKET,
    FIRST_SAMPLES,
    MAX_HITS,
    MAX_TEXT,
    MAX_TRACES,
    LogSummary,
    Tally,
    TraceLines,
)
from faultmaven_core.analysis.extract.template_miner import TemplateMiner
from faultmaven_core.analysis.extract.tools import Tools
from faultmaven_core.analysis.model import LogSample
from faultmaven_core.ports.pattern_scanner import Scan

SEGMENT_BYTES: Final = 32 << 20
"""The stretch that one task reads; fixed, so that one process or many give the same record."""
FAST_SHARE: Final = 8
"""With `fast`, one block of so many is read for templates and stack traces; signatures are looked for in all."""
_TRACE_MARKS: Final = (b"Traceback (most recent", b"\n\tat ", b"\n    at ", b"panic: ", b"\ngoroutine ")
"""What stack traces of Python, Java and JavaScript, and Go have; literals, since every block is searched for them."""
_TRACE_LINES: Final = 80
_TRACE_BEFORE: Final = 2


def segments_of(size: int) -> list[tuple[int, int]]:
    """The stretches of a source of so many bytes."""
    return [(start, min(start + SEGMENT_BYTES, size)) for start in range(0, size, SEGMENT_BYTES)] or [(0, 0)]


def read_log_segment(stream: BinaryIO, start: int, end: int, tools: Tools, *, fast: bool = False) -> LogSummary:
    """The summary of the lines that begin in [start, end) of a seekable stream.

    The format is learned from all over the stream, so that every stretch of it is read alike.
    """
    reader = _SegmentReader(stream, tools.signatures.scan)
    number = 0
    for at, data, begins in blocks(stream, start, end):
        if begins:
            reader.read(data, at, mined=not fast or number % FAST_SHARE == 0)
            number += 1
        else:
            reader.read_rest(data)
    return reader.summary()


@dataclass(frozen=True, slots=True)
class _Place:
    """A line that may become a sample; `carried` is the moment of the lines before it."""

    line: int
    start: int
    end: int
    head: bytes
    carried: float | None

    def sample(self, clock: LogClock) -> LogSample:
        text = self.head.decode("utf-8", "replace")
        when = clock.exact(text)
        return LogSample(self.line, self.start, self.end, text[:MAX_TEXT], self.carried if when is None else when)


class _Block:
    """One block's lines and where they begin, found when they are asked for: of most blocks of a sampled pass they are not."""

    def __init__(self, data: bytes, at: int, lines_before: int) -> None:
        self.data = data
        self.size = data.count(b"\n") + (not data.endswith(b"\n"))
        self._at = at
        self._lines_before = lines_before

    @cached_property
    def lines(self) -> list[bytes]:
        return self.data.removesuffix(b"\n").split(b"\n")

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        feeds = np.flatnonzero(np.frombuffer(self.data, np.uint8) == ord("\n"))
        return np.concatenate((np.zeros(1, np.int64), feeds + 1))

    def place(self, index: int, carried: float | None) -> _Place:
        begin = int(self._starts[index])
        end = int(self._starts[index + 1]) - 1 if index + 1 < len(self._starts) else len(self.data)
        raw = self.data[begin:end].rstrip(b"\r")
        start = self._at + begin
        return _Place(self._lines_before + index + 1, start, start + len(raw), raw[: 4 * MAX_TEXT], carried)

    def traces(self) -> Sequence[TraceLines]:
        """The first runs of lines with a mark of a stack trace; what lies beyond the block's end is cut."""
        marks = sorted(self.index_at(at + 1) for mark in _TRACE_MARKS if (at := self.data.find(mark)) >= 0)
        found: list[TraceLines] = []
        end = 0
        for mark in marks:
            if mark < end:
                continue
            first, end = max(0, mark - _TRACE_BEFORE), min(mark + _TRACE_LINES, self.size)
            places = [self.place(index, None) for index in range(first, end)]
            found.append(
                TraceLines(
                    self._lines_before + first + 1,
                    tuple(place.start for place in places),
                    tuple(place.end for place in places),
                    tuple(place.head.decode("utf-8", "replace") for place in places),
                )
            )
        return found

    def index_at(self, offset: int) -> int:
        return int(np.searchsorted(self._starts, offset, side="right")) - 1


class _SegmentReader:
    def __init__(self, stream: BinaryIO, scan: Scan) -> None:
        sample = sample_lines(stream)
        log_format = learn(sample)
        self._clock = LogClock(log_format, sample)
        self._miner = TemplateMiner(log_format)
        self._scan = scan
        self._tallies: list[Tally] = []
        self._last: list[_Place | None] = []
        self._hits: dict[str, Tally] = {}
        self._summary = LogSummary(zone_assumed=self._clock.assumed.zone, year_assumed=self._clock.assumed.year)
        self._now: float | None = None

    def read(self, data: bytes, at: int, *, mined: bool) -> None:
        """A block of whole lines."""
        block = _Block(data, at, self._summary.lines)
        times: Sequence[float | None] = ()
        if mined:
            times = self._carried(self._clock.seconds(block.lines))
            self._mine(block, times)
            self._summary.mined += block.size
        self._tally_hits(block, self._scan.hits(data), times)
        if mined and len(self._summary.traces) < MAX_TRACES:
            self._summary.traces += block.traces()
        self._summary.lines += block.size
        self._summary.bytes += len(data)

    def read_rest(self, data: bytes) -> None:
        """A further part of a line that is longer than a block: only its size counts."""
        self._summary.bytes += len(data)

    def _carried(self, times: list[float | None]) -> list[float | None]:
        """Lines without a moment have the one of the line before."""
        if None not in times:
            self._now = times[-1]
            return times
        now = self._now
        out: list[float | None] = []
        for when in times:
            now = now if when is None else when
            out.append(now)
        self._now = now
        return out

    def _mine(self, block: _Block, times: Sequence[float | None]) -> None:
        # 16 bits: numpy sorts these by radix, and the miner bounds how many there are.
        numbers = np.array(self._miner.mine(block.data, block.lines), np.uint16)
        new = self._miner.severities[len(self._tallies) :]
        self._tallies += [Tally(severity) for severity in new]
        self._last += [None] * len(new)
        order = np.argsort(numbers, kind="stable")
        begin = 0
        for end in np.append(np.flatnonzero(np.diff(numbers[order])) + 1, len(order)).tolist():
            self._tally(int(numbers[order[begin]]), order[begin:end], block, times)
            begin = end
        self._count_by_time(numbers.astype(np.int64), np.array(times, np.float64))

    def _tally(self, number: int, indexes: NDArray[np.intp], block: _Block, times: Sequence[float | None]) -> None:
        if self._miner.continues[number]:
            return
        tally = self._tallies[number]
        for index in indexes[: max(0, FIRST_SAMPLES - len(tally.first))].tolist():
            tally.first.append(block.place(index, times[index]).sample(self._clock))
        last = int(indexes[-1])
        tally.count += len(indexes)
        tally.seen(times[int(indexes[0])])
        tally.seen(times[last])
        # Most of these give way to the next block's: read closely only what remains at the end.
        self._last[number] = block.place(last, times[last])

    def _count_by_time(self, numbers: NDArray[np.int64], moments: NDArray[np.float64]) -> None:
        told = ~np.isnan(moments)
        if not told.any():
            return
        buckets = (moments[told] // BUCKET).astype(np.int64)
        low = int(buckets.min())
        width = int(buckets.max()) - low + 1
        pairs, counts = np.unique(numbers[told] * width + (buckets - low), return_counts=True)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            number, bucket = divmod(pair, width)
            self._tallies[number].histogram.add((bucket + low) * BUCKET, count)
            self._summary.total.histogram.add((bucket + low) * BUCKET, count)
        self._summary.total.seen(float(moments[told].min()))
        self._summary.total.seen(float(moments[told].max()))

    def _tally_hits(self, block: _Block, hits: Sequence[tuple[str, int]], times: Sequence[float | None]) -> None:
        def sample(end: int) -> LogSample:
            index = block.index_at(end)
            return block.place(index, times[index] if times else None).sample(self._clock)

        latest: dict[str, int] = {}
        for name, end in hits:
            tally = self._hits.get(name)
            if tally is None:
                tally = self._hits[name] = Tally()
            tally.count += 1
            if tally.count < MAX_HITS:
                tally.first.append(sample(end))
                tally.seen(tally.first[-1].when)
            latest[name] = end
        for name, end in latest.items():
            last = sample(end)
            self._hits[name].last = last
            self._hits[name].seen(last.when)

    def summary(self) -> LogSummary:
        """What has been read."""
        messages: dict[str, Tally] = {}
        for signature, tally, place in zip(self._miner.signatures, self._tallies, self._last, strict=True):
            if not tally.count or place is None:
                continue
            tally.last = place.sample(self._clock)
            if signature in messages:
                messages[signature].interleave(tally)
            else:
                messages[signature] = tally
        self._summary.messages = messages
        self._summary.hits = self._hits
        return self._summary
