"""How long a session lives: unused for a while at most, and never beyond a fixed end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from faultmaven_core.shared.errors import InvalidInputError

SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(days=30)
MOST_SESSIONS = 100
"""Of one user, whatever an organization allows."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """An organization's policy, as it is when a session begins.

    A session that nobody uses for `idle` expires, and so does every one when it is `absolute` old; `most` is how many
    sessions one user has at once. Raises InvalidInputError unless 1 s <= idle <= absolute <= 30 days and most is 1 to 100.
    """

    idle: timedelta
    absolute: timedelta
    most: int = 20

    def __post_init__(self) -> None:
        if not SHORTEST <= self.idle <= self.absolute <= LONGEST:
            raise InvalidInputError(
                "A session's idle time is at least 1 second and not above its absolute time, which is 30 days at most.",
                fields={"idle": "out of range"},
            )
        if not 1 <= self.most <= MOST_SESSIONS:
            raise InvalidInputError(f"A user has 1 to {MOST_SESSIONS} sessions.", fields={"most": "out of range"})


def expires_at(seen_at: datetime, idle: timedelta, ends_at: datetime) -> datetime:
    """When a session expires that was last used at `seen_at`: use moves the idle time, never the end."""
    return min(seen_at + idle, ends_at)
