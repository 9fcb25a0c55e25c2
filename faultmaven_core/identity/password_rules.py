"""Which passwords are taken: long enough and not the ones that everybody tries first (NIST SP 800-63B 3.1.1)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable

from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.text import searchable

SHORTEST = 8
LONGEST = 1024

_LEAST_WORD = 4
"""Letters of a name from which on it may not be part of a password: everybody's holds "al"."""

_WORD = re.compile(r"[^\W_]+")
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm")


def normal(password: str) -> str:
    """The password as it is hashed: NFC, else as typed. Different keyboards write one letter in different ways."""
    return unicodedata.normalize("NFC", password)


def checked_password(password: str, common: Container[str], names: Iterable[str]) -> str:
    """The password as it is hashed.

    Raises InvalidInputError where it has fewer than 8 or more than 1,024 characters, is one of the common ones, is a run of
    neighbours, or holds one of the names (the user's, the organization's, the product's) in any spelling.
    """
    value = normal(password)
    if not SHORTEST <= len(value) <= LONGEST:
        raise _refused(f"has {len(value)} characters; {SHORTEST} to {LONGEST} are allowed")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise _refused("holds half of a surrogate pair")
    plain = searchable(value)
    if len(set(plain)) <= 2 or value.casefold() in common or plain in common or _is_run(plain):
        raise _refused("is among the first that anybody would try")
    if any(word in plain for word in _words(names)):
        raise _refused("holds your name or address, or the name of your organization or of this product")
    return value


def _words(names: Iterable[str]) -> Iterable[str]:
    for name in names:
        plain = searchable(name)
        yield from (word for word in {plain, *_WORD.findall(plain)} if len(word) >= _LEAST_WORD)


def _is_run(plain: str) -> bool:
    doubled = [run * 2 for run in _RUNS]
    return any(plain in run or plain[::-1] in run for run in doubled)


def _refused(why: str) -> InvalidInputError:
    return InvalidInputError(f"This password {why}. Choose another one.", fields={"password": why})
