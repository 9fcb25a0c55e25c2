"""Pages of long lists, resumed by key and not by offset, so that no row is seen twice while others are added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from faultmaven_core.shared.errors import InvalidInputError

T = TypeVar("T")

MOST = 1000
"""Rows of one page at most."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows in order; `next` is the key after which the rest begins, None at the end."""

    items: tuple[T, ...]
    next: UUID | None


def cursor(text: str | None) -> UUID | None:
    """The key that an earlier page's `next` stands for. Raises InvalidInputError where it is none of ours."""
    if text is None:
        return None
    try:
        return UUID(hex=text)
    except ValueError as error:
        raise InvalidInputError("`after` is not the `next` of an earlier page.", fields={"after": "unknown"}) from error


def limited(limit: int) -> int:
    """The limit itself. Raises InvalidInputError outside 1 to 1,000."""
    if not 1 <= limit <= MOST:
        raise InvalidInputError(f"`limit` is {limit}; it must be 1 to {MOST}.", fields={"limit": "out of range"})
    return limit
