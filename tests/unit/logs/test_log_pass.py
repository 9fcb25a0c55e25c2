"""One pass over a log, in one stretch or in many."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache, reduce
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven.composition.compute import tools
from faultmaven_core.analysis.extract import log_blocks
from faultmaven_core.analysis.extract.log import finish_log, log
from faultmaven_core.analysis.extract.log_blocks import blocks, sample_lines
from faultmaven_core.analysis.extract.log_pass import FAST_SHARE, read_log_segment, segments_of
from faultmaven_core.analysis.extract.log_summary import MAX_BUCKETS, MAX_HITS, Histogram, LogSummary, merge
from faultmaven_core.analysis.extract.passage import SourceText
from faultmaven_core.analysis.extract.tools import Findings, Tools
from faultmaven_core.analysis.model import Entity

ORIGIN = Entity("source", "app.log")


@cache
def kit() -> Tools:
    """Compiled once for all tests."""
    return tools()


def a_log(lines: int = 600) -> bytes:
    """A service that works for a while, then cannot reach its database."""

    def written() -> Iterator[str]:
        for n in range(lines):
            moment = f"2024-03-05 12:{n // 60 % 60:02}:{n % 60:02},123"
            if n % 3:
                yield f"{moment} INFO [http-{n % 4}] shop.Orders: order {n * 7} placed by user u{n}"
            elif n < lines // 2:
                yield f"{moment} DEBUG [http-1] shop.Cache: hit"
            else:
                yield f"{moment} ERROR [http-2] shop.Db: connect to 10.0.0.{n % 9}:5432 failed: Connection refused"

    return "".join(f"{line}\n" for line in written()).encode()


def read(data: bytes, *cuts: int) -> LogSummary:
    """The summary of all, read in the stretches between the cuts."""
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    stream = io.BytesIO(data)
    parts = [read_log_segment(stream, start, end, kit()) for start, end in pairwise(edges)]
    return reduce(merge, parts)


@settings(max_examples=8)
@given(st.lists(st.integers(0, 50_000), max_size=6))
def test_a_log_read_in_stretches_says_what_it_says_as_a_whole(cuts: list[int]) -> None:
    """Wherever it is cut, also within lines: else one process and four would disagree."""
    data = a_log()
    assert finish_log(read(data, *cuts), ORIGIN, "d", kit()) == finish_log(read(data), ORIGIN, "d", kit())


def test_merging_is_associative() -> None:
    """Segments may be merged as they come."""
    data = a_log()
    a, b, c = (read_log_segment(io.BytesIO(data), start, start + 15_000, kit()) for start in (0, 15_000, 30_000))
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=4), st.integers(1, 40))
def test_every_byte_stands_in_one_block_of_one_stretch(data: bytes, cuts: list[int], size: int) -> None:
    """And blocks that begin a line begin at one."""
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_blocks, "BLOCK", size)
        found = [block for start, end in pairwise(edges) for block in blocks(io.BytesIO(data), start, end)]
    assert b"".join(part for _, part, _ in found) == data
    assert [at for at, _, _ in found] == [sum(len(part) for _, part, _ in found[:n]) for n in range(len(found))]
    assert all(begins == (at == 0 or data[at - 1 : at] == b"\n") for at, _, begins in found)


def test_signatures_cite_the_lines_that_have_them() -> None:
    """Bytes and line numbers, for the first ones and the last."""
    data = a_log()
    lines = data.split(b"\n")
    found = finish_log(read(data, 20_000), ORIGIN, "d", kit())
    facts = [fact for fact in found.facts if fact.attribute == "signature.connection.refused"]
    assert sum(fact.count for fact in facts) == 100
    spans = [span for fact in facts for span in fact.spans]
    assert len(spans) == MAX_HITS
    for span in spans:
        assert b"Connection refused" in data[span.start : span.end]
        assert lines[span.first_line - 1] == data[span.start : span.end]
    assert min(fact.when or 0 for fact in facts) == pytest.approx(1709640300.123)


def test_templates_know_when_how_often_and_how_bad() -> None:
    """And keep the first lines and the last."""
    found = finish_log(read(a_log()), ORIGIN, "d", kit())
    by_text = {template.text: template for template in found.templates}
    error = by_text["connect to <*> failed: Connection refused"]
    assert (error.count, error.severity) == (100, "error")
    assert error.flags == ("new",)
    assert [sample.line for sample in error.samples] == [301, 304, 307, 598]
    assert sum(count for _, count in error.histogram) == 100
    assert found.coverage == (1709640000.0, 1709640599.0)
    assert by_text["order <*> placed by user <*>"].severity == "info"


def test_errors_that_begin_late_are_an_anomaly() -> None:
    """With the moment at which they began."""
    facts = finish_log(read(a_log()), ORIGIN, "d", kit()).facts
    (found,) = [fact for fact in facts if fact.attribute == "anomaly.log_errors"]
    assert dict(found.params)["onset"] == "1709640300.000"
    assert found.count == 100


def test_what_had_to_be_assumed_is_said() -> None:
    """Zone or year; a log that states both has nothing to say."""
    said = {
        text: finish_log(read(text.encode() * 3), ORIGIN, "d", kit()).problems
        for text in ("2024-03-05 12:00:00 INFO a\n", "2024-03-05T12:00:00Z INFO a\n", "Mar  5 12:00:00 h p[1]: a\n")
    }
    assert ["UTC" in "".join(notes) for notes in said.values()] == [True, False, False]
    assert ["no year" in "".join(notes) for notes in said.values()] == [False, False, True]


def test_moments_of_an_assumed_year_are_not_compared() -> None:
    """They would lie half a century before everything else."""
    found = finish_log(read(b"Mar  5 12:00:00 h p[1]: connection refused\n" * 3), ORIGIN, "d", kit())
    assert found.coverage is None
    assert {fact.when for fact in found.facts} == {None}


def test_a_fast_pass_looks_for_signatures_in_all_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says that templates come from some."""
    monkeypatch.setattr(log_blocks, "BLOCK", 4096)
    data = a_log()
    summary = read_log_segment(io.BytesIO(data), 0, len(data), kit(), fast=True)
    assert summary.lines == 600
    assert 0 < summary.mined < 600 / FAST_SHARE * 2
    assert summary.hits["connection.refused"].count == 100
    assert "600" in finish_log(summary, ORIGIN, "d", kit()).problems[-1]


def test_a_line_longer_than_a_block_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its begin tells what it is; what follows is counted as bytes."""
    monkeypatch.setattr(log_blocks, "BLOCK", 64)
    data = b"short one\n" + b"x" * 1000 + b"\nshort two\n"
    summary = read_log_segment(io.BytesIO(data), 0, len(data), kit())
    assert (summary.lines, summary.bytes) == (3, len(data))


def test_stack_traces_of_a_large_log_are_read_from_what_was_kept() -> None:
    """The same exception once, with the lines it stands on."""
    trace = b"2024-03-05 12:20:00,000 ERROR [x] shop.Db: boom\njava.lang.IllegalStateException: closed\n\tat shop.Db.get(Db.java:12)\n\tat shop.Api.run(Api.java:3)\n"
    data = a_log() + trace + a_log() + trace
    facts = finish_log(read(data, len(a_log()) + len(trace)), ORIGIN, "d", kit()).facts
    (found,) = [fact for fact in facts if fact.attribute == "error.exception"]
    assert "IllegalStateException" in str(found.value)
    (span,) = found.spans
    assert data[span.start : span.end].startswith(b"java.lang.IllegalStateException")
    assert span.first_line == 602


def test_marks_of_one_stack_trace_are_one_trace() -> None:
    """A panic is followed by its goroutine."""
    data = (
        a_log(30)
        + b"panic: assignment to entry in nil map\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:7 +0x1d\n"
    )
    facts = finish_log(read(data), ORIGIN, "d", kit()).facts
    assert [fact.count for fact in facts if fact.attribute == "error.exception"] == [1]


def test_lines_of_stack_traces_are_no_templates_of_their_own() -> None:
    """They belong to the record that they continue."""
    data = a_log(60) + b"\tat shop.Db.get(Db.java:12)\n" * 30
    assert not [t for t in finish_log(read(data), ORIGIN, "d", kit()).templates if "at shop" in t.text]


def test_one_message_with_two_levels_is_one_template() -> None:
    """With the worse of them."""
    data = b"".join(b"2024-03-05 12:00:0%d %s same thing\n" % (n, b"WARN" if n % 2 else b"INFO") for n in range(8))
    (template,) = finish_log(read(data), ORIGIN, "d", kit()).templates
    assert (template.count, template.severity) == (8, "warning")
    assert [sample.line for sample in template.samples] == [1, 2, 3, 8]


@pytest.mark.parametrize("data", [b"", b"\n", b"\n\n", b"\r\n", b"no end", b"\x00\x01\xff\n" * 5])
def test_odd_content_is_read_without_complaint(data: bytes) -> None:
    """Every uploaded byte is hostile."""
    summary = read(data)
    assert summary.bytes == len(data)
    finish_log(summary, ORIGIN, "d", kit())
    out = Findings(kit(), ORIGIN)
    log(SourceText(data).passage(), out)
    assert not out.problems


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "$",
        "a$",
        "a.",
        "/",
        "/a",
        "[",
        "[]",
        "=",
        "-",
        "\\",
        "a@",
        "::",
        "a=",
        '"',
        "{",
        "0.",
        "a-",
        " -",
        "|",
        "é",
    ],
)
def test_repetitive_lines_cost_no_more_than_others(unit: str) -> None:
    """No pattern of ours backtracks over them: the time limit of a test would end it."""
    lines = [(unit * (3000 // len(unit)))[: 2000 + n] + end for n in range(40) for end in ("", "..", " !", "]")]
    data = "".join(f"{line}\n" for line in lines).encode()
    assert read(data).lines == len(lines)


def test_a_passage_within_a_source_cites_the_source() -> None:
    """Not itself."""
    text = SourceText(b"$ kubectl logs x\n" + a_log(30) + b"$ exit\n")
    out = Findings(kit(), ORIGIN, coverage=(0.0, 1.0))
    log(text.passage().part(1, 31), out)
    fact = next(fact for fact in out.facts if fact.attribute == "signature.connection.refused")
    assert b"Connection refused" in text.data[fact.spans[0].start : fact.spans[0].end]
    assert out.coverage == (0.0, 1709640029.0)


def test_an_empty_passage_says_nothing() -> None:
    """As between two commands of a transcript."""
    out = Findings(kit(), ORIGIN)
    log(SourceText(b"x\n").passage().part(0, 0), out)
    assert not out.facts


def test_segments_cover_a_source() -> None:
    """And an empty one has one."""
    assert segments_of(0) == [(0, 0)]
    assert segments_of((32 << 20) + 1) == [(0, 32 << 20), (32 << 20, (32 << 20) + 1)]


def test_the_sample_of_a_long_line_is_its_begin() -> None:
    """So that a source of one line has a format too."""
    assert sample_lines(io.BytesIO(b"x" * 300_000))
    assert not sample_lines(io.BytesIO(b""))


@given(st.lists(st.integers(0, 10_000_000), min_size=80, max_size=120), st.integers(0, 120))
def test_histograms_merge_to_the_same_however_they_are_parted(moments: list[int], cut: int) -> None:
    """Buckets widen by doubling, so that narrow ones nest in wide ones."""
    whole, first, second = Histogram(), Histogram(), Histogram()
    for n, moment in enumerate(moments):
        whole.add(moment, 1)
        (first if n < cut else second).add(moment, 1)
    first.include(second)
    assert first.buckets() == whole.buckets()
    assert len(whole.counts) <= MAX_BUCKETS
    assert sum(whole.counts.values()) == len(moments)
