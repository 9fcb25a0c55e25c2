"""How bad a line says it is, in five words."""

from __future__ import annotations

import re

_WORDS = {
    "debug": ("trace", "debug", "verbose", "fine", "finer", "finest", "dbg", "trc"),
    "info": ("info", "information", "notice", "note", "inf", "log", "config"),
    "warning": ("warn", "warning", "wrn"),
    "error": ("error", "err", "severe", "failure"),
    "critical": ("fatal", "critical", "crit", "alert", "emerg", "emergency", "panic", "ftl"),
}
_SEVERITY = {word: severity for severity, words in _WORDS.items() for word in words}
_LETTERS = {"V": "debug", "D": "debug", "I": "info", "W": "warning", "E": "error", "F": "critical"}
ORDER = ("", "debug", "info", "warning", "error", "critical")

LEVEL = "(?:" + "|".join(sorted(_SEVERITY, key=len, reverse=True)) + ")"
"""A pattern (to be matched without case) of every word for a level."""

_SAYS_ERROR = re.compile(
    r"\b(?:error|exception|fail(?:ed|ure|s)?|fatal|panic|refused|denied|killed|timed out|unable to|cannot)\b",
    re.IGNORECASE,
)


def severity(word: str) -> str:
    """The severity that a level's word or letter means; empty if it is none."""
    return _SEVERITY.get(word.lower()) or _LETTERS.get(word, "")


def worst(first: str, second: str) -> str:
    """The worse of two severities."""
    return max(first, second, key=ORDER.index)


def guessed(message: str) -> str:
    """The severity of a message that states no level: error where it speaks of a failure, else unknown."""
    return "error" if _SAYS_ERROR.search(message) else ""
