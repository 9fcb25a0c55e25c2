"""What questions are taken to be about."""

from __future__ import annotations

import pytest

from faultmaven_core.analysis.record import Citation
from faultmaven_core.investigation.answers.moments import pattern
from faultmaven_core.investigation.answers.opening import collections
from faultmaven_core.investigation.markdown import block, cited, code, plain
from faultmaven_core.investigation.questions import Topic, understood


@pytest.mark.parametrize(
    ("text", "topic", "names"),
    [
        ("what happened at 14:05?", Topic.MOMENT, ()),
        ("anything odd between 14:05 and 14:20 in checkout?", Topic.MOMENT, ("odd", "checkout")),
        ("show errors of checkout", Topic.LINES, ("checkout",)),
        ("how many errors in payment-service?", Topic.LINES, ("payment-service",)),
        ('search for "connection reset"', Topic.LINES, ("connection reset",)),
        ("why do you think so?", Topic.WHY, ()),
        ("How sure are you?", Topic.WHY, None),
        ("what did you rule out?", Topic.RULED_OUT, ()),
        ("what else could it be?", Topic.RULED_OUT, ()),
        ("what should I do?", Topic.ADVICE, ()),
        ("how do we fix this?", Topic.ADVICE, ()),
        ("should we restart the pods?", Topic.ADVICE, None),
        ("who is affected?", Topic.SCOPE, None),
        ("what is the blast radius?", Topic.SCOPE, None),
        ("is it the database?", Topic.SUBJECT, ("database",)),
        ("Could this be DNS?", Topic.SUBJECT, ("DNS",)),
        ("what about the network?", Topic.SUBJECT, ("network",)),
        ("why is checkout slow?", Topic.SUMMARY, ("checkout",)),
        ("what is the root cause?", Topic.SUMMARY, ()),
        ("when did it start?", Topic.TIMELINE, ()),
        ("what changed before?", Topic.TIMELINE, ()),
        ("what files do you have?", Topic.EVIDENCE, ()),
        ("what do you need?", Topic.MISSING, ()),
        ("yes", Topic.YES, None),
        ("Yes, please!", Topic.YES, None),
        ("no", Topic.NO, None),
        ("no idea why it fails", Topic.GENERAL, None),
        ("it is fixed now", Topic.RESOLVE, None),
        ("is it fixed?", Topic.SUBJECT, None),
        ("close the case", Topic.CLOSE, None),
        ("hello", Topic.GREETING, None),
        ("our web pods crash", Topic.GENERAL, None),
        ("", Topic.GENERAL, ()),
        ("Some context first.\nThe pods moved.\nis it the database?", Topic.SUBJECT, ("database",)),
    ],
)
def test_the_words_tell_the_topic_and_the_names(text: str, topic: Topic, names: tuple[str, ...] | None) -> None:
    """Of several lines the last that asks counts."""
    question = understood(text)
    assert question.topic is topic
    assert names is None or question.names == names


def test_hostile_questions_take_no_time() -> None:
    """Patterns see two thousand characters of one line."""
    for text in ("what should " * 20_000, "is " * 60_000, "a-" * 90_000 + "?", '"' * 100_000, "1:1" * 60_000):
        assert understood(text).topic in set(Topic)


def test_commands_name_what_broke_and_nothing_that_a_shell_would_run() -> None:
    """A name that is no name of a workload stays out of them."""
    (first, *_) = collections("pod web-1 crashes", ("web-1",))
    assert first.id == "kubernetes"
    assert "kubectl describe pod web-1 > describe.txt" in first.commands
    for hostile in ("web-1;reboot", "$(reboot)-1", "web-1`x`", "-n-1"):
        told = [text for one in collections("pod crashes", (hostile,)) for text in one.commands]
        assert not any(hostile in text for text in told)
    assert [one.id for one in collections("postgres deadlocks", ())] == ["database", "application"]
    assert [one.id for one in collections("it is broken", ())] == ["application"]


@pytest.mark.parametrize(
    ("times", "line", "matches"),
    [
        (("14:05",), "2026-03-01T14:05:09Z x", True),
        (("14:05",), "14:05 x", True),
        (("14:05",), "at 12:14:05 x", False),
        (("9:05",), "2026-03-01 09:05:09 x", True),
        (("14:05", "14:07"), "T14:06:00", True),
        (("14:05", "14:07"), "T14:08:00", False),
        (("2026-03-01T14:05:09",), "x 14:05:09 y", True),
    ],
)
def test_lines_are_found_by_the_time_that_they_carry(times: tuple[str, ...], line: str, *, matches: bool) -> None:
    """Of two times every minute between them."""
    import re

    assert bool(re.search(pattern(times), line)) is matches


def test_text_of_evidence_is_shown_as_it_is() -> None:
    """Names stay readable; markup does not work."""
    assert plain("pod shop/web-7d4b9c_x fails (exit 1)") == "pod shop/web-7d4b9c_x fails (exit 1)"
    assert plain("- [x](y) <b> *a* _b_ `c`") == r"\- \[x\](y) \<b\> \*a\* \_b\_ \`c\`"
    assert plain("1. one\n# two") == r"1\. one # two"
    assert "https:" not in plain("see https://evil.example")
    assert code("a `b` c") == "``a `b` c``"
    assert code("`") == "`` ` ``"
    assert block(["```", "x"]).startswith("````text\n```\nx\n````")
    place = Citation("a.log", "0", (0, 1), (3, 4), "0")
    assert cited("It broke.", (place, place)) == "It broke (`a.log:3-4`)."
    assert "no line" in cited("It broke", ())
