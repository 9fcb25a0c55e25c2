"""What the clients of FaultMaven read of an answer: its members, with their names, types and values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
"""ISO 8601 in UTC, which the date parser of browsers takes."""

TEXT = re.compile(r"(?s).*\S.*")
"""Not blank."""

ANY = object()


def check(body: object, wanted: object) -> None:
    """The body is exactly so: no member is missing, of another type, or one that nobody was told of.

    `wanted` is a type (an int is no bool), a value, a pattern of a text, TIME, ANY, a frozenset of what may stand there, a
    tuple of alternatives, a list of one element that all elements are like, or a mapping of members; with `...` among
    these, others may stand there too.
    """
    wrong = _wrong(body, wanted, "$")
    assert not wrong, "; ".join(wrong)


def _wrong(found: object, wanted: Any, place: str) -> list[str]:
    if wanted is ANY:
        return []
    if isinstance(wanted, Mapping):
        return _members(found, wanted, place)
    if isinstance(wanted, list):
        if not isinstance(found, list):
            return [f"{place} is no list: {found!r}"]
        return [text for n, one in enumerate(found) for text in _wrong(one, wanted[0], f"{place}[{n}]")]
    if isinstance(wanted, tuple):
        return [] if any(not _wrong(found, one, place) for one in wanted) else [f"{place} is {found!r}"]
    return [] if _is(found, wanted) else [f"{place} is {found!r}"]


def _members(found: object, wanted: Mapping[Any, Any], place: str) -> list[str]:
    if not isinstance(found, dict):
        return [f"{place} is no object: {found!r}"]
    told = {name for name in wanted if name is not ...}
    wrong = [f"{place}.{name} is missing" for name in sorted(told - found.keys())]
    if ... not in wanted:
        wrong += [f"{place}.{name} is new" for name in sorted(found.keys() - told)]
    for name in sorted(told & found.keys()):
        wrong += _wrong(found[name], wanted[name], f"{place}.{name}")
    return wrong


def _is(found: object, wanted: Any) -> bool:
    if isinstance(wanted, frozenset):
        return found in wanted
    if isinstance(wanted, re.Pattern):
        fits = isinstance(found, str) and wanted.fullmatch(found) is not None
        return fits and (wanted is not TIME or datetime.fromisoformat(str(found)) is not None)
    if wanted is float:
        return type(found) in (int, float)
    if isinstance(wanted, type):
        return type(found) is wanted
    return type(found) is type(wanted) and bool(found == wanted)
