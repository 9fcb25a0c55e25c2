"""Does a sentence stand word for word in a text? Only white space and JSON string escapes may differ."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from enum import StrEnum

_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|[\"\\/bfnrt])")
_WORD = re.compile(r"\w")
_JOINED_BEFORE = re.compile(r"(?:\w[.:/@-]|(?<![\w)\]}])[+-]|(?<!\w)\.)\Z")
_JOINED_AFTER = re.compile(r"[.:/@-]\w")
_DENIED_BEFORE = re.compile(
    r"(?:\b(?:not|no|never|without|cannot|neither|nor)|n't|n\u2019t)\s*[\"'`]?\Z", re.IGNORECASE
)
_DENIED_AFTER = re.compile(r"[\"'`]?\s+(?:not|never)\b", re.IGNORECASE)
_CONTEXT = 24
"""Characters looked at on each side of a place: more than any word that turns a statement round."""


class Standing(StrEnum):
    """Whether a quote stands in a text, stands there only as the opposite ("not ready"), or does not stand there."""

    STANDS = "stands"
    DENIED = "denied"
    MISSING = "missing"


def normalised(text: str) -> str:
    """One space for any run of white space."""
    return " ".join(text.split())


def unescaped(text: str) -> str:
    """The text with the escapes of JSON strings undone, as a person would read the message inside."""
    return _ESCAPE.sub(lambda match: str(json.loads(f'"{match.group()}"')), text)


def readings(text: str) -> Iterator[str]:
    """The ways in which a text may be read: as it is and, where it holds escapes, once and twice unescaped."""
    for _ in range(3):
        yield normalised(text)
        plain = unescaped(text)
        if plain == text:
            return
        text = plain


def standing(quote: str, text: str, before: str = "", after: str = "") -> Standing:
    """How a quote stands in a text: contiguous, and cut only where words, numbers and names end.

    `before` and `after` stand next to the text: no part of the quote, but they may turn it round.
    """
    wanted = normalised(quote)
    if not _WORD.search(wanted) or not any(wanted in reading for reading in readings(text)):
        return Standing.MISSING
    whole = before + text + after
    found = {_at(reading, wanted, at) for reading in readings(whole) for at in _places(reading, wanted)}
    return next((s for s in (Standing.STANDS, Standing.DENIED) if s in found), Standing.MISSING)


def _places(text: str, wanted: str) -> Iterator[int]:
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + 1)


def _at(text: str, wanted: str, at: int) -> Standing:
    end = at + len(wanted)
    before, after = text[max(0, at - _CONTEXT) : at], text[end : end + _CONTEXT]
    if _WORD.match(wanted[0]) and (_WORD.match(before[-1:]) or _JOINED_BEFORE.search(before)):
        return Standing.MISSING
    if _WORD.match(wanted[-1]) and (_WORD.match(after) or _JOINED_AFTER.match(after)):
        return Standing.MISSING
    if _DENIED_BEFORE.search(before) or _DENIED_AFTER.match(after):
        return Standing.DENIED
    return Standing.STANDS
