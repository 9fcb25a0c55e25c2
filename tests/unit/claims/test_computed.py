"""Sentences of a computed form, whoever wrote them: true where the cited bytes give them again, word for word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from faultmaven_core.analysis.claims.verify import Status, verify

MakeBench = Callable[..., Any]

LOG = """2026-03-01T10:00:00Z INFO started
2026-03-01T10:00:05Z ERROR connection refused by db:5432
2026-03-01T10:00:07Z INFO still here
2026-03-01T10:00:09Z ERROR connection refused by db:5432
2026-03-01T10:01:05Z ERROR connection refused by db:5432
"""


def said(desk: Any, text: str, *lines: int) -> Status:
    """What the verifier says of a sentence that cites these lines."""
    return verify(text, [desk.ledger.cite(desk.lines(line)) for line in lines], desk.evidence).status


def test_a_count_names_how_many_lines_hold_a_text_between_two_of_them(bench: MakeBench) -> None:
    """With the times as they are written; a reader can repeat it with grep."""
    text = '"connection refused by db:5432" stands on 3 lines from 2026-03-01T10:00:05Z to 2026-03-01T10:01:05Z'
    assert said(bench(LOG), text, 2, 5) is Status.VERIFIED
    assert said(bench(LOG), text.replace("3 lines", "4 lines"), 2, 5) is Status.CONTRADICTED


def test_a_count_without_times_names_lines(bench: MakeBench) -> None:
    """Not every file tells the time."""
    assert said(bench("boom\nfine\nboom"), '"boom" stands on 2 lines from line 1 to line 3', 1, 3) is Status.VERIFIED


def test_a_first_sight_is_true_only_where_nothing_stands_before(bench: MakeBench) -> None:
    """The second time is not the first."""
    desk = bench(LOG)
    first = '"connection refused" stands first on line 2, at 2026-03-01T10:00:05Z'
    assert said(desk, first, 2) is Status.VERIFIED
    assert said(desk, '"connection refused" stands first on line 4, at 2026-03-01T10:00:09Z', 4) is Status.UNVERIFIED
    assert said(desk, first.replace("refused", "reset"), 2) is Status.UNVERIFIED


def test_a_duration_is_the_time_between_two_lines(bench: MakeBench) -> None:
    """And none is true backwards or without times."""
    text = '"started" stands 9 s before "connection refused by db:5432"'
    assert said(bench(LOG), text, 1, 4) is Status.VERIFIED
    backwards = '"connection refused by db:5432" stands 9 s before "started"'
    assert said(bench(LOG), backwards, 4, 1) is Status.UNVERIFIED
    plain = bench("a thing\nanother thing\n")
    assert said(plain, '"a thing" stands 1 s before "another thing"', 1, 2) is Status.UNVERIFIED


@pytest.mark.parametrize(
    ("left", "right", "word"),
    [
        ("limits.memory: 128Mi", "usage: 0.3Gi", "below"),
        ("limits.memory: 1Gi", "usage: 1024Mi", "equal to"),
        ("timeout: 30s", "took 1500ms", "above"),
        ("limit=500m", "used=2", "below"),
        ("used 91%", "limit 80%", "above"),
    ],
)
def test_two_quoted_quantities_are_compared_in_their_units(bench: MakeBench, left: str, right: str, word: str) -> None:
    """`128Mi` is less than `0.3Gi` although 128 is more than 0.3."""
    desk = bench(f"{left}\n{right}\n")
    for claimed in ("above", "below", "equal to"):
        expected = Status.VERIFIED if claimed == word else Status.CONTRADICTED
        assert said(desk, f'"{left}" is {claimed} "{right}"', 1, 2) is expected


@pytest.mark.parametrize(("left", "right"), [("used 5 s", "limit 3 Mi"), ("no number", "limit 3"), ("5 apples", "3")])
def test_quantities_of_different_kinds_are_not_compared(bench: MakeBench, left: str, right: str) -> None:
    """Seconds are neither more nor less than bytes."""
    assert said(bench(f"{left}\n{right}\n"), f'"{left}" is above "{right}"', 1, 2) is Status.UNVERIFIED
