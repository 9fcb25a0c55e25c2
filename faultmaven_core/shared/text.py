"""Text that every database can hold and give back unchanged."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import TypeVar

from faultmaven_core.shared.errors import InvalidInputError

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def checked(name: str, value: str, *, most: int, least: int = 0) -> str:
    """The value itself, if every backend can store it.

    Raises InvalidInputError naming the field where the text has fewer than `least` or more than `most` characters, a NUL
    (PostgreSQL refuses it) or half of a surrogate pair (no encoding to UTF-8).
    """
    wrong = ""
    if not least <= len(value) <= most:
        wrong = f"has {len(value)} characters, {least} to {most} are allowed"
    elif "\0" in value:
        wrong = "holds a NUL character"
    elif _UNSTORABLE.search(value):
        wrong = "holds half of a surrogate pair"
    if wrong:
        raise InvalidInputError(f"The {name} {wrong}.", fields={name: wrong})
    return value


def storable(text: str) -> str:
    """A text of evidence as every database holds it: what `checked` refuses is replaced."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


Choice = TypeVar("Choice", bound=StrEnum)


def choice(kind: type[Choice], field: str, value: str) -> Choice:
    """The member with this value. Raises InvalidInputError that lists what is allowed."""
    try:
        return kind(value)
    except ValueError as error:
        allowed = ", ".join(kind)
        raise InvalidInputError(
            f"{value!r} is no {field}; it is one of {allowed}.", fields={field: f"one of {allowed}"}
        ) from error


def searchable(text: str) -> str:
    """Text as searches compare it: compatibility forms unified, case and accents gone (ß = ss, İ = i, é = e)."""
    spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return " ".join("".join(char for char in spread if not unicodedata.combining(char)).split())
