"""Headers learned from samples."""

from __future__ import annotations

import pytest

from faultmaven_core.analysis.extract import log_clock
from faultmaven_core.analysis.extract.log_clock import LogClock
from faultmaven_core.analysis.extract.log_format import LogFormat, learn
from faultmaven_core.analysis.extract.severity import guessed, severity, worst
from faultmaven_core.analysis.extract.template_miner import TemplateMiner
from faultmaven_core.analysis.extract.timestamps import first_timestamp


def header_and_message(log_format: LogFormat, line: str) -> tuple[str | None, str]:
    """What the first layout that fits says of a line."""
    for layout in log_format.layouts:
        match = layout.pattern.match(line)
        if match:
            return match.groupdict().get("level"), line[match.end() :]
    return None, line


@pytest.mark.parametrize(
    ("lines", "level"),
    [
        (
            ["2024-03-05 12:00:00,123 INFO [main] org.a.B: one", "2024-03-05 12:00:01,123 INFO [pool-1] org.c.D: two"],
            "INFO",
        ),
        (
            [
                "2024-03-05 12:00:00.000  WARN 1 --- [main] o.s.Class : one",
                "2024-03-05 12:00:00.000  WARN 1 --- [x] o.s.C : two",
            ],
            "WARN",
        ),
        (["2024-03-05 12:00:00,123 - root - ERROR - one", "2024-03-05 12:00:00,123 - app.db - ERROR - two"], "ERROR"),
        (["ERROR:root:one", "ERROR:root:two"], "ERROR"),
        (["I0305 12:00:00.678901       1 a.go:12] one", "I0305 12:00:01.678901      17 b.go:99] two"], "I"),
        (
            ["2024-03-05T12:00:00.000Z\tINFO\tpkg/file.go:12\tone", "2024-03-05T12:00:01.000Z\tINFO\tpkg/g.go:1\ttwo"],
            "INFO",
        ),
        (["2024/03/05 12:00:00 [error] 29#29: one", "2024/03/05 12:00:00 [error] 31#31: two"], "error"),
        (["2024-03-05 12:00:00.000 UTC [123] LOG:  one", "2024-03-05 12:00:00.000 UTC [124] LOG:  two"], "LOG"),
        (["Mar  5 12:00:00 web-1 sshd[1]: one", "Mar  5 12:00:00 web-1 systemd[22]: two"], None),
        (["2024-03-05T12:00:00.1Z stdout F one", "2024-03-05T12:00:00.2Z stderr F two"], None),
        (["20240305-12:00:00:606|Step|300|one", "20240305-12:00:00:635|Other|300|two"], None),
        (["[03.05 16:49:06] a.exe - one", "[03.05 16:49:07] b.exe *64 - two"], None),
        (
            [
                "- 1709640000 2024.03.05 R02-M1 Mar 5 12:00:00 R02-M1 cron[1]: one",
                "- 1709640000 2024.03.05 R03 Mar 5 12:00:00 R03 su[12]: two",
            ],
            None,
        ),
        (["[Tue Mar 05 12:00:00 2024] [error] one", "[Tue Mar 05 12:00:00 2024] [error] two"], "error"),
    ],
)
def test_a_header_ends_where_the_message_begins(lines: list[str], level: str | None) -> None:
    """In the layouts of common loggers, none of which is known by name."""
    log_format = learn(lines * 10)
    read = [header_and_message(log_format, line) for line in lines]
    assert [message.removeprefix("root:") for _, message in read] == ["one", "two"]
    assert {found for found, _ in read} == {level}


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ('{"level": "info", "msg": "x"}', "json"),
        ("level=info msg=x a=1", "logfmt"),
        ("just words here", "plain"),
        ("", "plain"),
    ],
)
def test_structured_lines_are_told_apart(line: str, kind: str) -> None:
    """By their shape."""
    assert learn([line] * 5).kind == kind


def test_two_programs_in_one_source_have_a_layout_each() -> None:
    """As in the output of several containers."""
    lines = ["2024-03-05 12:00:00 INFO one", "[05/Mar/2024:12:00:00 +0000] two"] * 20
    assert {layout.form for layout in learn(lines).layouts} == {"iso", "clf"}


@pytest.mark.parametrize(
    ("line", "message", "level", "continues"),
    [
        ('{"level": "warn", "msg": "low disk", "n": 1}', "low disk", "warning", False),
        ('{"no": "message"}', '{"no": "message"}', "", False),
        ("{broken", "{broken", "", False),
    ],
)
def test_json_lines_give_their_message(line: str, message: str, level: str, continues: bool) -> None:
    """And a broken one gives itself."""
    read = TemplateMiner(LogFormat("json")).read(line)
    assert (read.message, read.severity, read.continues) == (message, level, continues)


def test_pairs_give_their_message() -> None:
    """In quotes or without."""
    read = TemplateMiner(LogFormat("logfmt")).read('ts=1 level=error msg="it broke" a=b')
    assert (read.message, read.severity) == ("it broke", "error")


def test_a_line_of_a_stack_trace_continues_its_record() -> None:
    """It has no header where others have one."""
    miner = TemplateMiner(learn(["2024-03-05 12:00:00 ERROR one", "2024-03-05 12:00:01 INFO two"] * 5))
    assert miner.read("    at a.b.C(D.java:1)").continues
    assert not miner.read("free text").continues


def test_a_json_list_is_a_line_of_text() -> None:
    """Not every JSON value has fields."""
    assert TemplateMiner(LogFormat("json")).read("{}").message == "{}"


def test_severities_have_an_order() -> None:
    """Debug to critical; a word that is no level has none."""
    assert [severity(word) for word in ("DEBUG", "notice", "WARN", "severe", "panic", "F", "xyz")] == [
        "debug",
        "info",
        "warning",
        "error",
        "critical",
        "critical",
        "",
    ]
    assert worst("warning", "error") == "error"
    assert guessed("connection refused") == "error"
    assert not guessed("all is well")


def test_the_clock_takes_a_missing_year_from_the_lines_that_state_one() -> None:
    """A source speaks of one time."""
    lines = ["Mar  5 12:00:00 h a[1]: started 1", "2023-03-05 12:00:00 INFO other"] * 5
    clock = LogClock(learn(lines), lines)
    assert clock.exact(lines[0]) == clock.exact(lines[1])


@pytest.mark.parametrize(
    "lines",
    [
        ["2024-03-05 12:00:00 INFO one", "2024-03-05 12:00:01 INFO two"],
        ["n1 5 2024-03-05 12:00:00 INFO one", "node22 5 2024-03-05 12:00:01 INFO two"],
        ['{"time": "2024-03-05T12:00:00Z"}', '{"time": "2024-03-05T12:00:01Z"}'],
        ["ts=2024-03-05T12:00:00Z level=info msg=a", "ts=2024-03-05T12:00:01Z level=info msg=b"],
    ],
)
def test_the_clock_reads_blocks_as_it_reads_lines(lines: list[str]) -> None:
    """The fast way and the exact way agree."""
    clock = LogClock(learn(lines * 5), lines * 5)
    raw = [line.encode() for line in [*lines, "no moment", *lines]]
    assert clock.seconds(raw) == [1709640000.0, 1709640001.0, None, 1709640000.0, 1709640001.0]


def test_lines_without_moments_have_none() -> None:
    """Nothing is made up."""
    clock = LogClock(learn(["a b", "c d"]), ["a b", "c d"])
    assert clock.seconds([b"a b"]) == [None]
    assert clock.exact("a b") is None


def test_what_the_clock_remembers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of many years has many seconds."""
    monkeypatch.setattr(log_clock, "MAX_CACHED", 1)
    lines = [f"2024-03-05 12:00:{n:02} INFO a" for n in range(5)]
    clock = LogClock(learn(lines), lines)
    first = clock.seconds([line.encode() for line in lines])
    assert clock.seconds([line.encode() for line in lines]) == first
    assert clock.seconds([lines[0].encode()] * 2) == [1709640000.0] * 2
    assert clock.seconds([lines[0].encode()] * 2) == [1709640000.0] * 2


def test_a_json_list_in_a_log_of_objects_is_text() -> None:
    """Fields cannot be read from it."""
    assert TemplateMiner(LogFormat("json")).read("{1, 2}").message == "{1, 2}"


def test_a_number_that_looks_like_a_moment_but_is_none_is_passed_over() -> None:
    """The next one may be one."""
    found = first_timestamp("2024-02-31 25:00:00 at 2024-03-05 12:00:00")
    assert found is not None
    assert found.when == 1709640000.0


def test_a_single_line_with_a_moment_has_a_header() -> None:
    """One line is enough where it states when."""
    line = "2024-03-05T12:00:00Z ERROR it broke"
    log_format = learn([line])
    assert header_and_message(log_format, line) == ("ERROR", "it broke")
    assert LogClock(log_format, [line]).exact(line) == 1709640000.0
    assert not learn(["Note: it broke"]).layouts


def test_a_moment_inside_other_text_is_no_header() -> None:
    """Only one that begins a word is."""
    assert learn(["x2024-03-05T12:00:00Z a", "y2024-03-05T12:00:00Z b"]).layouts == ()
