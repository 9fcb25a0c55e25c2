"""Does a word look as if a generator made it? That is what keys and tokens have in common, whoever issued them."""

from __future__ import annotations

import re

_RUN = re.compile(r"[A-Za-z0-9]+")
_DIGITS = re.compile(r"[0-9]+")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F-]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")

MIN_LENGTH = 20
"""Characters from which a word may be called random without anything that says so: 20 letters and digits are 100 bits."""

MIN_RUN = 16
"""Letters and digits in one piece: names are made of shorter ones, joined by dashes and dots."""

MIN_DIGIT_RUNS = 3
"""Digits strewn in at three places: names carry a version or a number, rarely three, and never within one word."""

MIN_LETTERS = 40
"""Letters in one piece that no word and hardly a class's name reaches."""

MAX_WORD_MEAN = 2.4
"""Mean length of a random word's stretches of one case or of digits; of words in camel case it is above four."""


def identifier(word: str) -> bool:
    """A UUID or a hexadecimal digest: systems name things so, and such names are no secrets by themselves."""
    return bool(_UUID.fullmatch(word) or _HEX.fullmatch(word))


def generated(word: str) -> bool:
    """Random enough to be masked wherever it stands."""
    if len(word) < MIN_LENGTH or identifier(word):
        return False
    longest = longest_run(word)
    if len(longest) < MIN_RUN or identifier(longest) or not (_has_letter(longest) and _DIGITS.search(longest)):
        return False
    stretches = len(_WORDS.findall(longest))
    return len(_DIGITS.findall(longest)) >= MIN_DIGIT_RUNS or len(longest) / stretches <= MAX_WORD_MEAN


def plausible(word: str, least: int = 16) -> bool:
    """Random enough to be masked behind a word that announces a secret.

    A long word with letters and digits, an identifier, letters of both cases mixed, or letters of one case in one piece
    that is longer than words are.
    """
    longest = longest_run(word)
    if len(word) < least or len(longest) < min(least, 8):
        return False
    if identifier(word) or (_has_letter(word) and _DIGITS.search(word)):
        return True
    one_case = longest.islower() or longest.isupper() or len(longest) >= MIN_LETTERS
    return len(longest) >= MIN_LENGTH and (one_case or len(longest) / len(_WORDS.findall(longest)) <= MAX_WORD_MEAN)


def serial(word: str) -> bool:
    """Groups joined by dashes, three or more with a digit in each, as licence keys are written."""
    groups = word.split("-")
    return len(groups) >= MIN_DIGIT_RUNS and all(
        _RUN.fullmatch(g) and len(g) >= 4 and _DIGITS.search(g) for g in groups
    )


def longest_run(word: str) -> str:
    """The longest piece of letters and digits."""
    return max(_RUN.findall(word), key=len, default="")


def _has_letter(word: str) -> bool:
    return any(letter.isalpha() for letter in word)
