"""Does a word look as if a generator made it? That is what keys and tokens have in common, whoever issued them."""

from __future__ import annotations

import re

_RUN = re.compile(r"[A-Za-z0-9]+")
_DIGITS = re.compile(r"[0-9]+")
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F-]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_WORDS = re.compile(r"[A-Za-z][a-z]*|[A-Z]+")

MIN_LENGTH = 20
"""Characters from which a word may be called random without anything that says so: 20 letters and digits are 100 bits."""

MIN_RUN = 16
MIN_DIGIT_RUNS = 3
"""Digits strewn in at three places: names carry a version or a number, rarely three, and never within one word."""


def identifier(word: str) -> bool:
    """A UUID or a hexadecimal digest: systems name things so, and such names are no secrets by themselves."""
    return bool(_UUID.fullmatch(word) or _HEX.fullmatch(word))


def generated(word: str) -> bool:
    """Random enough to be masked wherever it stands."""
    if len(word) < MIN_LENGTH or identifier(word):
        return False
    longest = max(_RUN.findall(word), key=len, default="")
    if len(longest) < MIN_RUN or identifier(longest) or not re.search("[A-Za-z]", longest):
        return False
    return len(_DIGITS.findall(longest)) >= MIN_DIGIT_RUNS


def plausible(word: str, least: int = 16) -> bool:
    """Random enough to be masked behind a word that announces a secret: a long word with a digit, or letters of both cases."""
    longest = max(_RUN.findall(word), key=len, default="")
    if len(word) < least or len(longest) < min(least, 8):
        return False
    if identifier(word):
        return len(word) >= least
    mixed = (
        re.search("[a-z]", longest) and re.search("[A-Z]", longest) and len(_WORDS.findall(longest)) > len(longest) // 4
    )
    return bool(re.search("[0-9]", word) and re.search("[A-Za-z]", word)) or bool(mixed)
