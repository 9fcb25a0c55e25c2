"""The ring of signing keys as pure values: which one signs, which are checked, what a rotation makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from faultmaven_core.ports.tokens import KeyState, SigningKey
from faultmaven_core.shared.errors import PreconditionFailedError

CACHED_FOR = timedelta(minutes=10)
"""How long anybody may keep the published keys."""

LONGEST_TOKEN = timedelta(hours=24, minutes=1)
"""When a key that has retired is needed no more: no token lives longer."""


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys, oldest first."""

    keys: tuple[SigningKey, ...]

    @property
    def active(self) -> SigningKey:
        """The one that signs."""
        return next(key for key in self.keys if key.state is KeyState.ACTIVE)

    def trusted(self, now: datetime) -> tuple[SigningKey, ...]:
        """Those that are published and checked: all but the ones that retired so long ago that no token has them."""
        return tuple(key for key in self.keys if key.retired_at is None or now < key.retired_at + LONGEST_TOKEN)


def begun(active: SigningKey, following: SigningKey, now: datetime) -> Ring:
    """A first ring: one key signs from now on, the next one is published."""
    return Ring((replace(active, state=KeyState.ACTIVE, activated_at=now), following))


def rotated(ring: Ring, make: Callable[[], SigningKey], now: datetime) -> Ring:
    """The next key signs, the active one retires, one is made that follows; what nobody needs any more goes.

    Raises PreconditionFailedError where the next key was not published for twice as long as others may keep the list.
    """
    promoted = next((key for key in ring.keys if key.state is KeyState.NEXT), None)
    ready = promoted.created_at + 2 * CACHED_FOR if promoted else now
    if promoted is None or now < ready:
        raise PreconditionFailedError(
            f"The next key is known to everybody from {ready:%Y-%m-%d %H:%M} UTC on; rotate then, or say that the "
            "active one is compromised."
        )
    kept: list[SigningKey] = []
    for key in ring.trusted(now):
        if key.state is KeyState.ACTIVE:
            kept.append(replace(key, state=KeyState.RETIRED, retired_at=now))
        elif key.state is KeyState.NEXT:
            kept.append(replace(key, state=KeyState.ACTIVE, activated_at=now))
        else:
            kept.append(key)
    return Ring((*kept, make()))


def by_kid(keys: Sequence[SigningKey], kid: str) -> SigningKey | None:
    """The key with this id."""
    return next((key for key in keys if key.kid == kid), None)
