"""What time it is, as a dependency: a given clock makes a run reproducible."""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    @abstractmethod
    def now(self) -> datetime:
        """The present moment, aware, in UTC."""


class SystemClock(Clock):
    """The machine's clock."""

    def now(self) -> datetime:
        """See Clock."""
        return datetime.now(UTC)


class FixedClock(Clock):
    """Stands still until it is moved: for replays and tests."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """See Clock."""
        return self._at

    def advance(self, by: timedelta) -> None:
        """Move the time on."""
        self._at += by
