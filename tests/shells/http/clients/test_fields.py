"""The measure itself: what it lets pass and what not, for all other tests here stand on it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.shells.http.clients.fields import ANY, TEXT, TIME, check

WANTED = {
    "name": TEXT,
    "count": int,
    "likelihood": float,
    "good": bool,
    "none": None,
    "at": TIME,
    "state": frozenset(("open", "closed")),
    "perhaps": (None, re.compile(r"[a-z]+")),
    "rows": [{"id": str}],
    "word": "bearer",
}
BODY: dict[str, Any] = {
    "name": "x",
    "count": 1,
    "likelihood": 1,
    "good": True,
    "none": None,
    "at": "2026-03-01T12:00:00.25Z",
    "state": "open",
    "perhaps": None,
    "rows": [{"id": ""}],
    "word": "bearer",
}


def test_what_is_as_it_should_be_passes() -> None:
    """Also an empty list, and others where they may stand."""
    check(BODY, WANTED)
    check(BODY | {"rows": [], "perhaps": "abc", "likelihood": 0.5}, WANTED)
    check(BODY | {"more": 1}, WANTED | {...: ANY})


@pytest.mark.parametrize(
    "different",
    [
        {"name": " \n"},
        {"name": None},
        {"count": True},
        {"count": "1"},
        {"count": 1.0},
        {"likelihood": "0.5"},
        {"likelihood": False},
        {"good": 1},
        {"none": ""},
        {"at": "2026-03-01T12:00:00+00:00"},
        {"at": "2026-03-01T12:00:00"},
        {"at": "2026-13-01T12:00:00Z"},
        {"at": 1764000000000},
        {"state": "other"},
        {"perhaps": "ABC"},
        {"rows": None},
        {"rows": [{}]},
        {"rows": [{"id": "", "more": 1}]},
        {"rows": {}},
        {"word": "Bearer"},
        {"more": None},
    ],
    ids=str,
)
def test_what_differs_does_not_pass(different: dict[str, Any]) -> None:
    """In type, value, form, or by one member more."""
    with pytest.raises((AssertionError, ValueError)):
        check(BODY | different, WANTED)


@pytest.mark.parametrize("name", WANTED)
def test_nothing_may_be_missing(name: str) -> None:
    """Null is not absent."""
    with pytest.raises(AssertionError, match=name):
        check({key: value for key, value in BODY.items() if key != name}, WANTED)
