"""How long something lives in a store that forgets by itself: everything there has an end."""

from __future__ import annotations

from datetime import timedelta

from faultmaven_core.shared.errors import InvalidInputError

SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(days=30)

_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(ttl: timedelta) -> int:
    """A lifetime in whole milliseconds. Raises InvalidInputError where it is not from 1 second to 30 days."""
    if not SHORTEST <= ttl <= LONGEST:
        raise InvalidInputError(f"A lifetime is from 1 second to 30 days, not {ttl}.", fields={"ttl": "not allowed"})
    return ttl // _MILLISECOND
