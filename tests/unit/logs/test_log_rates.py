"""How lines are spread over time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from faultmaven_core.analysis.extract.log_summary import Histogram
from faultmaven_core.analysis.model import Entity, LogSample, LogTemplate, Span
from faultmaven_core.analysis.signals.log_rates import flagged, rate_facts, unlike

ORIGIN = Entity("source", "app.log")


def template(text: str, *counts: int, severity: str = "info") -> LogTemplate:
    """Counts by ten seconds from 0 on; silence where a count is 0."""
    buckets = tuple((n * 10, count) for n, count in enumerate(counts) if count)
    sample = LogSample(1, 0, 5, text, float(buckets[0][0]))
    return LogTemplate(
        text, text, sum(counts), severity, float(buckets[0][0]), float(buckets[-1][0]), (sample,), buckets, 10
    )


def total(*templates: LogTemplate) -> Histogram:
    """All lines by time."""
    histogram = Histogram()
    for one in templates:
        for begin, count in one.histogram:
            histogram.add(begin, count)
    return histogram


STEADY = template("steady", *[40] * 10)


@pytest.mark.parametrize(
    ("counts", "flags"),
    [
        ((10,) * 10, ()),
        ((1,), ("rare",)),
        ((5, 5, 5, 5, 5, 5, 90, 5, 5, 5), ("burst",)),
        ((0, 0, 0, 0, 0, 0, 0, 9, 9, 9), ("new",)),
        ((1, 1, 1, 1, 1, 8, 8, 8, 8, 8), ("rate_up",)),
        ((8, 8, 8, 8, 8, 1, 1, 1, 1, 1), ("rate_down",)),
    ],
)
def test_a_template_has_the_flag_of_its_shape(counts: tuple[int, ...], flags: tuple[str, ...]) -> None:
    """Judged against the time in which its source spoke."""
    one = template("one", *counts)
    assert flagged([STEADY, one], total(STEADY, one))[1].flags == flags


def test_a_short_log_has_no_flags() -> None:
    """A handful of lines has no rate."""
    one = template("one", 0, 0, 1)
    assert flagged([one], total(one))[0].flags == ()


def test_a_log_of_one_moment_has_no_rates() -> None:
    """There is no before and after."""
    one = template("one", 500, severity="error")
    assert not rate_facts(flagged([one], total(one)), total(one), ORIGIN, _place)


def test_templates_that_a_baseline_lacks_are_new() -> None:
    """Those it has in like measure are left out, those it has far less of are more now."""
    more = template("more", 100)
    found = unlike([STEADY, more, template("other", 1)], [STEADY, replace(more, count=5)])
    assert [(one.text, one.flags) for one in found] == [("more", ("rate_up",)), ("other", ("new",))]


def test_against_an_empty_baseline_all_is_new() -> None:
    """It says nothing."""
    assert [one.flags for one in unlike([STEADY], [])] == [("new",)]


def test_the_commonest_error_that_stands_out_is_cited() -> None:
    """Steady errors and late information do not."""
    steady = template("steady error", *[40] * 10, severity="error")
    late = template("late error", *[0] * 6, 30, 30, 30, 30, severity="error")
    less = template("less error", *[0] * 6, 3, 3, 3, 3, severity="error")
    chatty = template("late news", *[0] * 6, 90, 90, 90, 90)
    everything = [steady, late, less, chatty]
    (fact,) = rate_facts(flagged(everything, total(*everything)), total(*everything), ORIGIN, _place)
    assert dict(fact.params)["template"] == "late error"
    assert (fact.attribute, fact.value, fact.when) == ("anomaly.log_errors", "up", 60.0)


def test_steady_errors_are_no_anomaly() -> None:
    """They were there before."""
    steady = template("steady error", *[40] * 10, severity="error")
    assert not rate_facts(flagged([steady], total(steady)), total(steady), ORIGIN, _place)


def _place(sample: LogSample) -> Span:
    return Span("d", sample.start, sample.end, sample.line, sample.line)
