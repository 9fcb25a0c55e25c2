"""Tables of measurements in every layout, and what is no such table."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest

from faultmaven_core.analysis.extract import metrics_series
from faultmaven_core.analysis.extract.metrics_csv import is_metrics, metrics_csv
from faultmaven_core.analysis.extract.metrics_time import moment
from faultmaven_core.analysis.extract.passage import SourceText
from faultmaven_core.analysis.extract.tools import Findings, Tools
from faultmaven_core.analysis.model import Entity, Series

Read = Callable[[str], Findings]


def table(*rows: object) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)  # type: ignore[arg-type]  # rows are sequences
    return out.getvalue()


def points(one: Series) -> list[tuple[float, float]]:
    return list(zip(one.times.view(), one.values.view(), strict=True))


def test_a_long_table_has_a_series_per_metric_and_labels(read: Read) -> None:
    """Whose it is comes from the column that names a pod; what else tells rows apart are labels."""
    out = read(
        table(
            ("timestamp", "metric", "value", "pod", "zone"),
            ("2026-01-01T00:00:00Z", "cpu_usage", "1.5", "web-0", "a"),
            ("2026-01-01T00:00:00Z", "cpu_usage", "2.5", "web-1", "a"),
            ("2026-01-01T00:01:00Z", "cpu_usage", "1.75", "web-0", "a"),
        )
    )
    first, second = out.series
    assert (str(first.entity), first.metric, first.labels) == ("pod web-0", "cpu_usage", (("zone", "a"),))
    assert points(first) == [(1767225600.0, 1.5), (1767225660.0, 1.75)]
    assert [first.places.span(i).first_line for i in range(2)] == [2, 4]
    assert points(second) == [(1767225600.0, 2.5)]


def test_a_wide_table_with_an_owner_column_has_series_per_owner(read: Read) -> None:
    """Two time columns are one time; the epoch number is the exact one."""
    out = read(
        table(
            ("Time", "TimeStamp", "PodName", "CpuUsage(m)", "MemoryUsage(Mi)"),
            ("2022-08-22 03:51:19.89129634 +0000 UTC m=+0.39", "1661140279", "cart-0", "1.5", "24"),
            ("2022-08-22 03:52:19.89129634 +0000 UTC m=+60.4", "1661140339", "cart-0", "1.6", ""),
        )
    )
    assert [(str(s.entity), s.metric, s.unit, len(s.times)) for s in out.series] == [
        ("pod cart-0", "CpuUsage(m)", "m", 2),
        ("pod cart-0", "MemoryUsage(Mi)", "Mi", 1),
    ]
    assert out.series[0].times.view()[0] == 1661140279.0


def test_several_header_rows_name_entity_metric_and_statistic(read: Read) -> None:
    """As pandas writes columns of several levels, with a row that names the index."""
    out = read(
        table(
            ("microservice", "web", "web", "cart"),
            ("metric", "latency", "latency", "availability"),
            ("statistic", "Average", "p99", "Average"),
            ("unix_timestamp", "", "", ""),
            ("1681849920.0", "0.5", "1.5", "100"),
            ("1681850220.0", "0.6", "1.6", ""),
        )
    )
    assert [(s.entity.name, s.metric, s.labels, len(s.times)) for s in out.series] == [
        ("web", "latency", (("statistic", "Average"),), 2),
        ("web", "latency", (("statistic", "p99"),), 2),
        ("cart", "availability", (("statistic", "Average"),), 1),
    ]


def test_columns_named_after_entity_and_metric_are_split_where_the_metric_is_known(read: Read) -> None:
    """`cart_cpu` is the CPU of cart; `frontend_checkout` is a name of its own."""
    out = read(table(("time", "cart_cpu", "frontend_checkout"), ("1700000000", "1", "2"), ("1700000060", "1", "2")))
    assert [(str(s.entity), s.metric) for s in out.series] == [
        ("service cart", "cpu"),
        ("source file", "frontend_checkout"),
    ]


def test_rows_out_of_order_are_put_in_order_and_doubles_are_dropped(read: Read) -> None:
    """Each point still stands where it stood."""
    out = read(table(("time", "cpu"), ("1700000060", "2"), ("1700000000", "1"), ("1700000060", "3")))
    assert points(out.series[0]) == [(1700000000.0, 1.0), (1700000060.0, 2.0)]
    assert out.series[0].places.span(0).first_line == 3


def test_rows_that_do_not_fit_are_counted_and_said(read: Read) -> None:
    """Nothing is dropped in silence."""
    out = read(table(("time", "cpu"), ("1700000000", "1"), ("yesterday", "2"), ("1700000060", "n/a"), ("1", "2", "3")))
    assert len(out.series[0].times) == 1
    assert "3 rows" in out.problems[0]


def test_a_cell_may_hold_line_feeds_and_the_lines_still_count_right(read: Read) -> None:
    """Quoted text of two lines before the numbers."""
    out = read('time,note,cpu\n1700000000,"two\nlines",1\n1700000060,one,2\n')
    cpu = next(s for s in out.series if s.metric == "cpu")
    assert [(cpu.places.span(i).first_line, cpu.places.span(i).last_line) for i in range(2)] == [(2, 3), (4, 4)]


def test_a_table_too_large_to_keep_is_thinned_and_says_so(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the window stays: that is where incidents are."""
    monkeypatch.setattr(metrics_series, "MAX_CELLS", 600)
    out = read(table(("time", "cpu"), *((1_700_000_000 + n, n) for n in range(1000))))
    kept = out.series[0].times.view()
    assert len(kept) < 200
    assert kept[-1] >= 1_700_000_980
    assert "row was kept" in out.problems[0]


@pytest.mark.parametrize(
    "text",
    [
        "name,city\nAnn,Rome\n",
        "time,level,message\n1700000000,info,hello\n",
        "TraceID,SpanID,StartTimeUnixNano,Duration\nx,y,1675080020131000000,7\n",
        "a,b\nc,1\nd,2\n",
        "just text\n",
        "",
    ],
)
def test_what_is_no_table_of_measurements_is_not_taken_for_one(text: str) -> None:
    """Logs, traces, adjacency matrices and prose."""
    assert not is_metrics(text.splitlines())


@pytest.mark.parametrize("factor", [1, 1000, 1_000_000, 1_000_000_000])
def test_epoch_numbers_of_every_resolution_are_the_same_moment(factor: int) -> None:
    """Seconds to nanoseconds."""
    assert moment(str(1_700_000_000 * factor)) == pytest.approx(1_700_000_000)
    assert moment(1_700_000_000 * factor) == pytest.approx(1_700_000_000)


@pytest.mark.parametrize("text", ["5", "0.25", "-1", "", "abc", "monday noon", None, True, 12, 1e30])
def test_what_is_no_moment_is_none(text: object) -> None:
    """Small numbers are measurements."""
    assert moment(text) is None


def test_text_with_and_without_a_zone_is_read_as_utc_where_none_stands() -> None:
    """RFC 3339 and the way databases print times."""
    assert moment("2026-01-01T01:00:00+01:00") == moment("2026-01-01 00:00:00") == 1767225600.0


def test_numbers_of_hosts_and_unlabelled_header_rows_find_their_place(read: Read) -> None:
    """Two header rows without names: the first is whose, the second what; semicolons and tabs separate as well."""
    out = read("time;web;cart\n;latency;cpu_usage\n1700000000;1;2\n1700000060;1;2\n")
    assert [(s.entity.name, s.metric) for s in out.series] == [("web", "latency"), ("cart", "cpu_usage")]


def test_a_table_that_breaks_off_keeps_what_it_had(tools: Tools) -> None:
    """A carriage return in the middle of an unquoted cell is no CSV any more."""
    passage = SourceText(b"time,cpu\n1700000000,1\n1700000060,2\rx\n").passage()
    out = Findings(tools, Entity("source", "file"))
    metrics_csv(passage, out)
    assert len(out.series[0].times) == 1
    assert "breaks off" in out.problems[0]


def test_a_table_without_any_time_says_so(tools: Tools) -> None:
    """Where a person insists that it is a table of measurements."""
    out = Findings(tools, Entity("source", "file"))
    metrics_csv(SourceText(b"a,b\n1,2\n").passage(), out)
    assert not out.series
    assert "no row of this table begins with a time" in out.problems[0]


def test_units_and_owners_of_a_long_table_may_be_missing(read: Read) -> None:
    """A unit column is the unit; an empty owner is the file's."""
    out = read(table(("ts", "metric", "unit", "host", "value"), ("1700000000", "lag", "Seconds", "", "3")))
    assert [(str(s.entity), s.metric, s.unit) for s in out.series] == [("source file", "lag", "Seconds")]


def test_an_owner_may_be_missing_in_a_wide_table_too(read: Read) -> None:
    """The row belongs to the file then."""
    out = read(table(("time", "pod", "cpu"), ("1700000000", "web-0", "1"), ("1700000060", "", "2")))
    assert sorted(str(s.entity) for s in out.series) == ["pod web-0", "source file"]
