"""What clients may keep with a case: JSON that every database gives back as it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from faultmaven_core import codec
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.text import checked

MOST_METADATA = 16 << 10
MOST_DEPTH = 20


def checked_metadata(value: dict[str, Any]) -> dict[str, Any]:
    """The value itself. Raises InvalidInputError where it is over 16 KiB or 20 levels deep, or holds text that is no text."""
    for text in _texts(value, MOST_DEPTH):
        checked("metadata", text, most=MOST_METADATA)
    if len(codec.encode(value)) > MOST_METADATA:
        raise InvalidInputError("The metadata has more than 16 KiB.", fields={"metadata": "too large"})
    return value


def _texts(value: object, depth: int) -> Iterator[str]:
    if depth == 0:
        raise InvalidInputError("The metadata is more than 20 levels deep.", fields={"metadata": "too deep"})
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, below in value.items():
            yield str(key)
            yield from _texts(below, depth - 1)
    elif isinstance(value, list | tuple):
        for below in value:
            yield from _texts(below, depth - 1)
