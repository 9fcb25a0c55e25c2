"""Masked messages to templates: words that vary among otherwise equal messages are values too.

In the tradition of Drain (He et al., ICWS 2017) and Brain (Yu et al., TSC 2023), but over the distinct masked messages of
a whole source at once, so that the result depends on neither the order of lines nor on how they were cut into parts.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache

from faultmaven_core.analysis.extract.template_text import MASK

WILDCARD = "<*>"
NAMES = 3
"""Distinct words after a noun like "user" that make the place a value."""
WORDS = 6
"""Distinct words at any other place, all else equal, that make the place a value."""
ROUNDS = 3
"""Each can free one more place that varies together with others."""
MAX_PLACES = 120
"""Words of a message that are compared."""

_PART = re.compile(r"[=:,()\[\]{}\"'<>;|]|\s+|[^\s=:,()\[\]{}\"'<>;|]+")
_NAME_LIKE = re.compile(r"(?![^\s]*[.][A-Z_]+\Z)[^\W_][^\s]*[.$@/\\][^\s.]+\.?\Z|[^\s]*\x01[^\s]*\Z")
"""Dotted and path-like words name things, unless they end like a constant of a program (`a.b.SCREEN_ON`)."""
_RUN = re.compile(rf"{MASK}(?:[ ,:/|;]*{MASK})+")
_SURE_VALUES = frozenset(["null", "none", "nil", "true", "false", "yes", "no", "undefined", "unknown", "n/a"])
_NAMED_BY = frozenset(
    [
        *("user", "users", "username", "uid", "group", "account", "client", "host", "hostname", "node", "server"),
        *("service", "program", "process", "command", "job", "task", "stage", "class", "package", "module"),
        *("file", "directory", "device", "disk", "partition", "volume", "interface", "domain", "proxy"),
        *("table", "database", "schema", "index", "key", "topic", "queue", "image", "container", "pod", "namespace"),
        *("broadcast", "action", "event", "for", "by", "as", "named", "called"),
    ]
)
"""Words after which the next one is often somebody's name."""

Parts = tuple[str, ...]


def merge(messages: Iterable[str]) -> dict[str, str]:
    """The template's text by masked message."""
    found = {message: _loosened(_parts(message)) for message in sorted(set(messages))}
    for _ in range(ROUNDS):
        replaced = _varying(set(found.values()))
        if not replaced:
            break
        found = {message: replaced.get(parts, parts) for message, parts in found.items()}
    return {message: "".join(parts).replace(MASK, WILDCARD) for message, parts in found.items()}


def _parts(text: str) -> Parts:
    return tuple(" " if part.isspace() else part for part in _PART.findall(text))


def _collapsed(parts: Iterable[str]) -> Parts:
    return _parts(_RUN.sub(MASK, "".join(parts)))


def _loosened(parts: Parts) -> Parts:
    """Names of things, and values of keys that are surely values, masked."""
    return _collapsed(MASK if _is_value(parts, place) else part for place, part in enumerate(parts))


def _is_value(parts: Parts, place: int) -> bool:
    part = parts[place]
    if part.lower() in _SURE_VALUES:
        return parts[place - 1 : place] == ("=",) or parts[max(0, place - 2) : place] == ("=", " ")
    is_key = parts[place + 1 : place + 2] == ("=",)
    return not is_key and _NAME_LIKE.match(part) is not None


def _varying(known: set[Parts]) -> dict[Parts, Parts]:
    """Those that have places which vary among their like, with these places masked."""
    like: dict[tuple[int, int], set[str]] = defaultdict(set)
    frames = {parts: _frames(parts) for parts in known}
    for parts, frame in frames.items():
        for place, key in frame.items():
            like[place, key].add(parts[place])
    replaced: dict[Parts, Parts] = {}
    for parts, frame in frames.items():
        free = {place for place, key in frame.items() if _is_free(parts, place, like[place, key])}
        if free:
            replaced[parts] = _collapsed(MASK if place in free else part for place, part in enumerate(parts))
    return replaced


def _frames(parts: Parts) -> dict[int, int]:
    """For each place with a word, a number that stands for all the other places."""
    weighed = [_weight(part) * _factor(place) for place, part in enumerate(parts)]
    total = sum(weighed) + len(parts)
    return {
        place: (total - weighed[place]) & _MODULUS
        for place, part in enumerate(parts[:MAX_PLACES])
        if place and (part[0].isalnum() or part == MASK)
    }


_MODULUS = (1 << 64) - 1


@lru_cache(maxsize=50_000)
def _weight(part: str) -> int:
    return int.from_bytes(hashlib.blake2b(part.encode("utf-8", "replace"), digest_size=8).digest())


@lru_cache(maxsize=4096)
def _factor(place: int) -> int:
    return pow(0x9E3779B97F4A7C15, place + 1, 1 << 64)


def _is_free(parts: Sequence[str], place: int, words: set[str]) -> bool:
    if len(words) < 2 or parts[place] == MASK:
        return False
    if MASK in words:
        return True
    before = [word for word in parts[max(0, place - 3) : place] if not word.isspace()]
    return len(words) >= (NAMES if before and before[-1].lower() in _NAMED_BY else WORDS)
