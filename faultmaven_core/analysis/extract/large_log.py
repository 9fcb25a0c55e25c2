"""Sources that are too large to be held: read as a log, in fixed segments that any process can read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import BinaryIO

from faultmaven_core.analysis.extract.log import MAX_TRACED_BYTES, finish_log
from faultmaven_core.analysis.extract.log_pass import read_log_segment, segments_of
from faultmaven_core.analysis.extract.log_summary import LogSummary, merge
from faultmaven_core.analysis.extract.source import Reading
from faultmaven_core.analysis.extract.tools import Tools
from faultmaven_core.analysis.model import Extraction

WHOLE_BYTES = 64 << 20
"""Content of any kind up to this size is held and read by the extractor of its kind."""

LOG = "log"


def is_large(reading: Reading) -> bool:
    """Whether a source is read in segments. What they say of a log is what the log extractor says of it as a whole."""
    size = reading.prepared.size
    return not reading.closed and (size > WHOLE_BYTES or (reading.kind == LOG and size > MAX_TRACED_BYTES))


def finish(reading: Reading, sha256: str, summaries: Sequence[LogSummary], tools: Tools) -> Extraction:
    """The extraction from the summaries of all segments, in their order."""
    summary = reduce(merge, summaries)
    found = finish_log(summary, reading.origin, sha256, tools)
    name, kind = reading.prepared.name, reading.kind
    problems = list(reading.prepared.problems)
    if kind != LOG:
        limit = f"{WHOLE_BYTES >> 20} MiB"
        problems.append(
            f"{name} looks like {kind} but has over {limit}, so it was read as a log; split it to have it read as {kind}."
        )
    source = reading.source(LOG, sha256, summary.lines, found.coverage)
    return Extraction(source, found.facts, problems=(*problems, *found.problems), logs=found.templates)


def read_large(reading: Reading, stream: BinaryIO, sha256: str, tools: Tools, *, fast: bool = False) -> Extraction:
    """All segments, one after another."""
    segments = segments_of(reading.prepared.size)
    summaries = [read_log_segment(stream, start, end, tools, fast=fast) for start, end in segments]
    return finish(reading, sha256, summaries, tools)
