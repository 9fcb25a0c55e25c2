"""The one tokenisation: what is indexed, asked and highlighted is cut the same way, whatever database holds it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

LONGEST_TERM = 64
"""Characters; what is longer (keys, encoded data) is no word that anybody asks for."""

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+"
)
"""Scripts that write no space between words: Thai, Lao, Burmese, Khmer, kana, Han; and Hangul, whose words are long."""

_COMMON_TEXT = """
a about an and any are as at be been being but by can could did do does for from had has have how i if in into is it its
me my of on or our she he so such than that the their them then there these they this those to was we were what when where
which while who why will with would you your
"""
_COMMON = frozenset(_COMMON_TEXT.split())
"""Words that stand in nearly every English text and tell none from another. Negations are not among them."""


@dataclass(frozen=True, slots=True)
class Token:
    """A term as it is compared, and where it stands: [start, end) in characters of the text."""

    term: str
    start: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text in order, without common words.

    Words are runs of letters and digits. `KubePodCrashLooping` gives its parts and itself, over the same characters, so
    that alert names are found by their words and whole. Case, accents and compatibility forms are unified, and plurals
    become singular. Scripts without spaces are cut into overlapping pairs of characters.
    """
    for match in _WORD.finditer(text):
        word, at = match.group(), match.start()
        if word.isascii():
            yield from _ascii(word, at)
        elif _UNSPACED.search(word):
            yield from _unspaced(word, at)
        else:
            yield from _token(_folded(word), at, at + len(word))


def terms(text: str) -> tuple[str, ...]:
    """The terms of a text, with repeats."""
    return tuple(token.term for token in tokens(text))


def spaced(text: str) -> str:
    """The text with the parts of compound names written apart: `KubePodCrashLooping` is `Kube Pod Crash Looping`."""
    return _HUMP.sub(" ", text)


def _ascii(word: str, at: int) -> Iterator[Token]:
    if word.islower() or word.isupper() or word.isdigit():
        yield from _token(word.lower(), at, at + len(word))
        return
    borders = [0, *(found.start() for found in _HUMP.finditer(word)), len(word)]
    for start, end in pairwise(borders):
        yield from _token(word[start:end].lower(), at + start, at + end)
    if len(borders) > len("ab"):
        yield from _token(word.lower(), at, at + len(word))


def _unspaced(word: str, at: int) -> Iterator[Token]:
    end = 0
    for run in _UNSPACED.finditer(word):
        if run.start() > end:
            yield from _token(_folded(word[end : run.start()]), at + end, at + run.start())
        end = run.end()
        last = max(run.start() + 1, run.end() - 1)
        for start in range(run.start(), last):
            stop = min(start + 2, run.end())
            yield from _token(_folded(word[start:stop]), at + start, at + stop)
    if end < len(word):
        yield from _token(_folded(word[end:]), at + end, at + len(word))


def _token(term: str, start: int, end: int) -> Iterator[Token]:
    if term and term not in _COMMON and len(term) <= LONGEST_TERM:
        yield Token(_singular(term), start, end)


def _folded(word: str) -> str:
    spread = unicodedata.normalize("NFKD", word).casefold()
    return "".join(char for char in spread if char.isalnum())


def _singular(term: str) -> str:
    """Harman's S stemmer: it takes plurals only, so that hardly two words of different meaning become one."""
    if len(term) < len("pods") or not term.endswith("s") or term.endswith(("ss", "us")):
        return term
    if term.endswith(("sses", "xes", "shes", "tches")):
        return term[:-2]
    if term.endswith("ies") and not term.endswith(("eies", "aies")):
        return term[:-3] + "y"
    return term[:-1]
