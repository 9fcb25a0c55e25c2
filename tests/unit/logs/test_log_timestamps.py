"""Moments in the notations of the world."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from faultmaven_core.analysis.extract.timestamps import BY_NAME, first_timestamp, parse, timestamps

NOON = datetime(2024, 3, 5, 12, 34, 56, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("2024-03-05T12:34:56Z x", 0.0),
        ("2024-03-05T12:34:56.250Z x", 0.25),
        ("2024-03-05 12:34:56,250 x", 0.25),
        ("2024-03-05T14:34:56+02:00 x", 0.0),
        ("2024-03-05T07:04:56-0530 x", 0.0),
        ("2024/03/05 12:34:56 x", 0.0),
        ("2024-03-05-12.34.56.500000 x", 0.5),
        ("20240305-12:34:56:500|x", 0.5),
        ("20240305T123456Z x", 0.0),
        ("Tue Mar  5 12:34:56 2024 x", 0.0),
        ("Tue, 05 Mar 2024 12:34:56 GMT", 0.0),
        ("05/Mar/2024:13:34:56 +0100", 0.0),
        ("03/05/2024 12:34:56 x", 0.0),
        ("24/03/05 12:34:56 x", 0.0),
        ("240305 123456 12 x", 0.0),
        ("1709642096 x", 0.0),
        ("1709642096.5 x", 0.5),
        ("1709642096500 x", 0.5),
    ],
)
def test_full_moments_are_read_to_the_fraction(text: str, offset: float) -> None:
    """Whatever the notation, the same moment is the same number."""
    found = first_timestamp(text)
    assert found is not None
    assert found.when == pytest.approx(NOON + offset)
    assert found.year_stated


@pytest.mark.parametrize(
    "text", ["Mar  5 12:34:56 host x", "03-05 12:34:56.000 x", "I0305 12:34:56.000000 1 f.go:1] x"]
)
def test_a_missing_year_is_told(text: str) -> None:
    """Nobody may take the assumed year for a stated one."""
    found = first_timestamp(text)
    assert found is not None
    assert not found.year_stated
    assert datetime.fromtimestamp(found.when, UTC).strftime("%m-%d %H:%M:%S") == "03-05 12:34:56"


@pytest.mark.parametrize(("text", "stated"), [("2024-03-05T12:34:56Z", True), ("2024-03-05 12:34:56", False)])
def test_a_missing_zone_is_told(text: str, stated: bool) -> None:
    """UTC is assumed, and that is said."""
    found = first_timestamp(text)
    assert found is not None
    assert found.zone_stated is stated


@pytest.mark.parametrize(
    "text", ["2024-02-30 12:34:56", "no moment here", "", "12345", "v1709642096x", "2024-13-01 00:00:00"]
)
def test_what_is_no_moment_gives_none(text: str) -> None:
    """A day that no month has, a number inside a word."""
    assert first_timestamp(text) is None


def test_all_moments_of_a_line_are_found_in_order() -> None:
    """A line may state when it was collected and when it was written."""
    found = list(timestamps("1709642096 host 2024-03-05 12:34:57 x [05/Mar/2024:12:34:58 +0000]"))
    assert [item.when - NOON for item in found] == [0, 1, 2]


def test_a_text_of_another_form_is_not_read() -> None:
    """A form is a promise about the whole text."""
    assert parse("2024-03-05 12:34:56 and more", BY_NAME["iso"]) is None
