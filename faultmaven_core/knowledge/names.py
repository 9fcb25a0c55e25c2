"""Exact names: alerts, metrics, error codes, settings, resources. Who asks for one wants the text that has it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

LONGEST_NAME = 128
MOST_NAMES = 200
"""Names of one chunk; a longer list is a table of names and tells little of each."""

_CANDIDATE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9]|[._:/-](?=[A-Za-z0-9])|_)*")
_COMPOUND = re.compile(r"[A-Za-z]*[a-z][A-Z][A-Za-z0-9]*|[A-Z]{2,}[a-z][A-Za-z0-9]*[A-Z][A-Za-z0-9]*")
_CODE = re.compile(r"[A-Z]{1,12}[-_]?\d{2,}[A-Z0-9]*|E[A-Z]{4,}|\d{2}[A-Z]\d{2}|\d{1,2}[A-Z]{1,2}\d{2,3}")


def names(text: str) -> Iterator[str]:
    """The exact names in a text, folded, in order, with repeats.

    A name is one word that no sentence would hold: a compound (`KubePodCrashLooping`), words joined by `_` (`node_load15`) or
    by two or more of `.`, `/`, `:` and `-` with a `.` or `/` among them (`kubernetes.io/hostname`, not `and/or`), or a code
    (`ORA-01555`, `ECONNREFUSED`, `40P01`).
    """
    for match in _CANDIDATE.finditer(text):
        name = match.group().rstrip("_")
        if len(name) <= LONGEST_NAME and _is_name(name):
            yield name.casefold()


def distinct(text: str) -> tuple[str, ...]:
    """The names in a text, each once, in order."""
    return tuple(dict.fromkeys(names(text)))[:MOST_NAMES]


def whole(texts: Iterable[str]) -> frozenset[str]:
    """Those of the texts that are nothing but one name, folded: a title, a file's name without its ending."""
    return frozenset(text.casefold() for text in texts if _CANDIDATE.fullmatch(text) and _is_name(text))


def _is_name(word: str) -> bool:
    if len(word) < len("E10"):
        return False
    joints = sum(not char.isalnum() for char in word)
    if "_" in word.strip("_"):
        return True
    if joints > 1 and ("." in word or "/" in word):
        return any(char.isalpha() for char in word)
    return bool(_COMPOUND.fullmatch(word) or _CODE.fullmatch(word))
