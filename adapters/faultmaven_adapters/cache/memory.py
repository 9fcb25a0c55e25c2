"""A cache in memory: for tests, and for a program that is one process."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from faultmaven_core.ports.cache import Cache, CacheKey, checked_value
from faultmaven_core.ports.health import Inspection
from faultmaven_core.ports.lifetime import milliseconds
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import ConflictError

SWEEP_EVERY = 1000
"""Writes after which what expired unread is forgotten."""


class MemoryCache(Cache):
    """See the port. Nothing awaits between a look and a change, so every method is one step."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stored: dict[CacheKey, tuple[bytes, datetime]] = {}
        self._writes = 0
        self._closed = False

    async def get(self, key: CacheKey) -> bytes | None:
        return self._present(key)

    async def get_many(self, keys: Collection[CacheKey]) -> Mapping[CacheKey, bytes]:
        found = ((key, self._present(key)) for key in keys)
        return {key: value for key, value in found if value is not None}

    async def set(self, key: CacheKey, value: bytes, *, ttl: timedelta) -> None:
        self._store(key, value, ttl)

    async def add(self, key: CacheKey, value: bytes, *, ttl: timedelta) -> bool:
        present = self._present(key)
        if present is None:
            self._store(key, value, ttl)
            return True
        milliseconds(ttl)
        return present == checked_value(value)

    async def replace_if(self, key: CacheKey, expected: bytes, value: bytes, *, ttl: timedelta) -> bool:
        milliseconds(ttl)
        checked_value(value)
        if self._present(key) != checked_value(expected):
            return False
        self._store(key, value, ttl)
        return True

    async def touch(self, key: CacheKey, *, ttl: timedelta) -> bool:
        milliseconds(ttl)
        present = self._present(key)
        if present is not None:
            self._store(key, present, ttl)
        return present is not None

    async def delete(self, keys: Collection[CacheKey]) -> None:
        for key in keys:
            self._all().pop(key, None)

    async def take(self, key: CacheKey) -> bytes | None:
        present = self._present(key)
        self._stored.pop(key, None)
        return present

    async def ping(self) -> None:
        self._all()

    async def inspect(self) -> Inspection:
        self._all()
        return Inspection("memory", "", self._clock.now())

    async def aclose(self) -> None:
        self._closed = True

    def _store(self, key: CacheKey, value: bytes, ttl: timedelta) -> None:
        lifetime = timedelta(milliseconds=milliseconds(ttl))
        stored, now = self._all(), self._clock.now()
        self._writes += 1
        if self._writes % SWEEP_EVERY == 0:
            self._stored = stored = {known: held for known, held in stored.items() if held[1] > now}
        stored[key] = checked_value(value), now + lifetime

    def _present(self, key: CacheKey) -> bytes | None:
        held = self._all().get(key)
        if held is None:
            return None
        value, end = held
        if end <= self._clock.now():
            del self._stored[key]
            return None
        return value

    def _all(self) -> dict[CacheKey, tuple[bytes, datetime]]:
        if self._closed:
            raise ConflictError("The cache was closed.")
        return self._stored
