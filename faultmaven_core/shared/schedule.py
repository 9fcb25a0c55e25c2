"""Operations that happen again and again, declared once beside the operation table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Missed(StrEnum):
    """What becomes of slots that passed while no scheduler ran."""

    LATEST = "latest"
    """The last one is made up for, however late; those before it are not."""

    SKIP = "skip"
    """None is made up for."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A background operation with an empty command, at each slot: every so often since 1970, or daily `at` a time in UTC.

    Exactly one of the two is given. `name` says which schedule it is for ever: a renamed one begins anew.
    """

    name: str
    operation: str
    every: timedelta | None = None
    at: time | None = None
    missed: Missed = Missed.LATEST

    def __post_init__(self) -> None:
        if (self.every is None) == (self.at is None):
            raise ValueError(f"The schedule {self.name} needs either `every` or `at`.")
        if self.every is not None and self.every < timedelta(seconds=1):
            raise ValueError(f"The schedule {self.name} has slots of less than a second.")

    def slot(self, now: datetime) -> datetime:
        """The last slot that has begun."""
        if self.every is not None:
            return _EPOCH + (now - _EPOCH) // self.every * self.every
        today = datetime.combine(now.astimezone(UTC), self.at or time(), tzinfo=UTC)
        return today if today <= now else today - timedelta(days=1)
