"""The timeline, where trouble began, coverage and clocks."""

from __future__ import annotations

from faultmaven_core.analysis.model import Entity, Fact, Mode, Source, Span
from faultmaven_core.analysis.signals.clock import offsets
from faultmaven_core.analysis.signals.timeline import MAX_MOMENTS, coverage_sentences, timeline

WEB = Entity("service", "web")


def fact(
    attribute: str, value: str, when: float | None, mode: Mode = Mode.EVENT, sha256: str = "a", **params: str
) -> Fact:
    return Fact(WEB, attribute, value, mode, (Span(sha256, 0, 9, 1, 1),), when, params=tuple(sorted(params.items())))


def test_what_happened_stands_in_order_with_the_first_sign_of_trouble_marked() -> None:
    """The change comes first, the alert last; the first deviation lies between."""
    moments = timeline(
        [
            fact("alert.Slow", "web is slow", 900, state="firing"),
            fact("anomaly.latency", "up", 500, Mode.METRIC, hurts="yes", text="latency of web rose"),
            fact("event.Scaled", "scaled to 3", 100),
            fact("spec.image", "web:2", 400, Mode.CHANGE),
            fact("log.info", "hello", 50, Mode.LOG),
            fact("event.Undated", "nobody knows when", None),
        ]
    )
    assert [(m.when, m.kind) for m in moments] == [(100, "event"), (400, "change"), (500, "anomaly"), (900, "alert")]
    assert [m.first_deviation for m in moments] == [False, False, True, False]
    assert moments[2].text == "latency of web rose"


def test_the_same_thing_said_twice_stands_once() -> None:
    """The first time counts."""
    moments = timeline([fact("event.Killing", "stopped", when) for when in (300, 200, 250)])
    assert [m.when for m in moments] == [200]


def test_a_long_story_keeps_changes_and_the_first_sign_of_trouble() -> None:
    """Log lines go first."""
    facts = [fact("log.error", f"error {n}", 1000 + n, Mode.LOG) for n in range(200)]
    facts += [fact("spec.image", f"web:{n}", 5000 + n, Mode.CHANGE) for n in range(10)]
    moments = timeline(facts)
    assert len(moments) == MAX_MOMENTS
    assert moments[0].first_deviation
    assert sum(m.kind == "change" for m in moments) == 10
    assert timeline(facts[::-1]) == moments


def test_coverage_says_where_a_source_does_not_reach_the_question() -> None:
    """Before it begins, after it ends, and silence where it covers or states no time."""
    whole = Source("app.log", "a", 1, "log", coverage=(1000.0, 2000.0))
    silent = Source("notes.txt", "b", 1, "log")
    assert coverage_sentences([1500.0], [whole, silent]) == ()
    late, early = coverage_sentences([2060.0], [whole])[0], coverage_sentences([940.0], [whole])[0]
    assert late == "You ask about 1970-01-01 00:34:20 UTC, app.log ends at 1970-01-01 00:33:20 UTC."
    assert "begins at" in early


def test_a_constant_offset_between_two_clocks_is_measured_and_named() -> None:
    """Three messages that stand in both sources, an hour apart."""
    facts = [
        fact("signature.x", f"message number {n}", 100.0 * n + shift, sha256=sha256)
        for n in range(4)
        for sha256, shift in (("a", 3600.0), ("b", 0.0))
    ]
    found = offsets(facts)
    assert [(o.ahead, o.behind, o.seconds, o.common) for o in found] == [("a", "b", 3600.0, 4)]
    assert "time zone" in found[0].sentence({"a": "app.log", "b": "db.log"})


def test_clocks_that_agree_or_messages_that_repeat_prove_no_offset() -> None:
    """A message that is said again and again cannot be matched; half a second is transport."""
    near = [fact("s", f"said {n}", 100.0 * n + d, sha256=s) for n in range(5) for s, d in (("a", 0.5), ("b", 0.0))]
    again = [fact("s", "said again", 100.0 * n, sha256=s) for n in range(5) for s in ("a", "b")]
    wild = [
        fact("s", f"said {n}", 100.0 * n + (n * n * 7 if s == "a" else 0), sha256=s)
        for n in range(5)
        for s in ("a", "b")
    ]
    assert offsets(near) == offsets(again) == offsets(wild) == ()
