"""Pages of long lists, resumed by key and not by offset, so that no row is seen twice while others are added."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from faultmaven_core.shared.errors import InvalidInputError

T = TypeVar("T")

MOST = 1000
"""Rows of one page at most."""

MOST_PASSED = 1_000_000_000
"""Rows that may be passed over by number; every database can count as far."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows in order; `next` is the key after which the rest begins, None at the end."""

    items: tuple[T, ...]
    next: UUID | None


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a list that is in the order of a moment and then of a key."""

    at: datetime
    key: UUID

    def __str__(self) -> str:
        """How a client keeps it: it means nothing to him."""
        return f"{(self.at - _EPOCH) // _MICROSECOND:x}.{self.key.hex}"


_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


def place(text: str) -> Place | None:
    """The place that an earlier page told; None for the beginning. Raises InvalidInputError where it is none of ours."""
    if not text:
        return None
    moment, _, key = text.partition(".")
    try:
        return Place(_EPOCH + int(moment, 16) * _MICROSECOND, UUID(hex=key))
    except (ValueError, OverflowError) as error:
        raise InvalidInputError("This is not the cursor of an earlier page.", fields={"cursor": "unknown"}) from error


def cursor(text: str | None) -> UUID | None:
    """The key that an earlier page's `next` stands for. Raises InvalidInputError where it is none of ours."""
    if text is None:
        return None
    try:
        return UUID(hex=text)
    except ValueError as error:
        raise InvalidInputError("`after` is not the `next` of an earlier page.", fields={"after": "unknown"}) from error


def passed_over(offset: int) -> int:
    """The offset itself. Raises InvalidInputError where it is negative, or over a billion."""
    if not 0 <= offset <= MOST_PASSED:
        words = "below 0" if offset < 0 else f"over {MOST_PASSED}"
        raise InvalidInputError(f"`offset` is {words}.", fields={"offset": "out of range"})
    return offset


def limited(limit: int) -> int:
    """The limit itself. Raises InvalidInputError outside 1 to 1,000."""
    if not 1 <= limit <= MOST:
        raise InvalidInputError(f"`limit` is {limit}; it must be 1 to {MOST}.", fields={"limit": "out of range"})
    return limit
