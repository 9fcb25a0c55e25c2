"""The smallest meaningful part of a long text: what a person needs to see of a line of ten thousand characters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

MAX_QUOTE = 400
"""Characters of a line that are still quoted whole."""

NARROW_ABOVE = 4096
"""Bytes of cited lines above which the citation is narrowed to the part that is quoted."""

_EDGE = re.compile(r"[\s,;{}\[\]]")


def excerpt(text: str, key: str, value: str) -> tuple[int, int]:
    """Where the part stands that holds a value, with its key if it follows it; without them the text's head."""
    for written in _notations(value):
        start, end = _find(text, key, written)
        if start >= 0:
            return _cut(text, start, end)
    head = len(text) - len(text.lstrip())
    return _cut(text, head, head)


def _notations(value: str) -> Iterator[str]:
    """A value as it is, and as it stands inside a JSON string, or inside one within another."""
    seen: set[str] = set()
    for _ in range(3):
        if value and value not in seen:
            yield value
            seen.add(value)
        value = json.dumps(value, ensure_ascii=False)[1:-1]


def _find(text: str, key: str, written: str) -> tuple[int, int]:
    """The key with its value, quotation marks and all; else the value alone; (-1, ...) where it does not stand there."""
    if key:
        mark = r"\\{0,3}\"?"
        pair = re.search(
            rf"{mark}\b{re.escape(key)}{mark}\s*[:=]\s*{mark}{re.escape(written)}(?:\"(?=[\s,;}}\])]|\Z))?", text
        )
        if pair:
            return pair.span()
    start = text.find(written)
    return start, start + len(written)


def _cut(text: str, start: int, end: int) -> tuple[int, int]:
    """Whole words from `start` on: to `end`, or as far as a quote may go where that is further or nothing is wanted."""
    limit = start + MAX_QUOTE
    if start < end <= limit:
        return start, _next_edge(text, end, limit)
    if len(text) <= limit:
        return start, max(start, len(text.rstrip()))
    last = [edge.start() for edge in _EDGE.finditer(text, start + 1, limit)]
    return start, last[-1] if last else limit


def _next_edge(text: str, end: int, limit: int) -> int:
    """Where the word ends that the wanted part ends in; a closing quotation mark is an end too."""
    edge = _EDGE.search(text, end, limit)
    return end if text[end : end + 1] in "\"'`" or edge is None else edge.start()
