"""Port for the right to be the only one, for a while: which of several processes runs the schedule, sweeps, relays."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from faultmaven_core.ports.health import Inspectable, Pingable
from faultmaven_core.shared.errors import InvalidInputError

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,199}")


@dataclass(frozen=True, slots=True)
class Lease:
    """A right that was granted. `token` is above that of every earlier grant of the same name.

    A holder that was stopped for longer than its lease does not know that it lost it. Therefore a lease is a hint, and
    whatever must happen once carries the token: who stores it refuses a lower one than it has seen.
    """

    name: str
    owner: str
    token: int


class Leases(Pingable, Inspectable, Protocol):
    """Leases by name. They belong to the installation: names are the program's own words, never a user's.

    Names and owners are 1 to 200 letters, digits and `._:@/-`, starting with a letter or digit; a lifetime, `ttl`, is from
    1 second to 30 days. Others are InvalidInputError before anything is sent. When a server fails over, a lease granted
    just before may be lost and granted again, then with a higher token.
    """

    @abstractmethod
    async def acquire(self, name: str, *, ttl: timedelta, owner: str) -> Lease | None:
        """The lease, where nobody else holds it; else None.

        The owner names one holder in one process, not a role. Who holds it already gets the same lease, with the same
        token, for `ttl` from now on: so it may be asked again.
        """

    @abstractmethod
    async def renew(self, lease: Lease, *, ttl: timedelta) -> bool:
        """Hold it for `ttl` from now on. False where it is lost: expired, or another's."""

    @abstractmethod
    async def release(self, lease: Lease) -> None:
        """Give it back. Where it is lost already nothing happens, least of all to its new holder."""

    @abstractmethod
    async def aclose(self) -> None:
        """Use no more; using it afterwards is ConflictError. Leases that are held run out. Closing twice is no error."""


def checked_word(field: str, text: str) -> str:
    """A lease's name or owner. Raises InvalidInputError where it is not one."""
    if not _WORD.fullmatch(text):
        raise InvalidInputError(f"{text[:80]!r} is no {field} of a lease.", fields={field: "not allowed"})
    return text
