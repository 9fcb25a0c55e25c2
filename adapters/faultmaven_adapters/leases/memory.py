"""Leases in memory: for tests, and for a program that is one process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from faultmaven_core.ports.health import Inspection
from faultmaven_core.ports.leases import Lease, Leases, checked_word
from faultmaven_core.ports.lifetime import milliseconds
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import ConflictError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class MemoryLeases(Leases):
    """See the port."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, tuple[Lease, datetime]] = {}
        self._last = 0
        self._closed = False

    async def acquire(self, name: str, *, ttl: timedelta, owner: str) -> Lease | None:
        lifetime = timedelta(milliseconds=milliseconds(ttl))
        checked_word("name", name)
        checked_word("owner", owner)
        now = self._now()
        lease, end = self._held.get(name, (None, now))
        if lease is None or end <= now:
            # One counter for all names: a token that another program's memory has seen is below it too.
            self._last = max(self._last + 1, (now - _EPOCH) // _MICROSECOND)
            lease = Lease(name, owner, self._last)
        elif lease.owner != owner:
            return None
        self._held[name] = lease, now + lifetime
        return lease

    async def renew(self, lease: Lease, *, ttl: timedelta) -> bool:
        lifetime = timedelta(milliseconds=milliseconds(ttl))
        now = self._now()
        held, end = self._held.get(lease.name, (None, now))
        if held != lease or end <= now:
            return False
        self._held[lease.name] = lease, now + lifetime
        return True

    async def release(self, lease: Lease) -> None:
        now = self._now()
        if self._held.get(lease.name, (None, now))[0] == lease:
            del self._held[lease.name]

    async def ping(self) -> None:
        self._now()

    async def inspect(self) -> Inspection:
        return Inspection("memory", "", self._now())

    async def aclose(self) -> None:
        self._closed = True

    def _now(self) -> datetime:
        if self._closed:
            raise ConflictError("The leases were closed.")
        return self._clock.now()
