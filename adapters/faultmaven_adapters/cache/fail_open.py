"""For callers to whom an outage of the cache is no more than a miss: whoever wraps a cache in this says so."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Collection, Mapping
from datetime import timedelta
from typing import TypeVar

from faultmaven_core.ports.cache import Cache, CacheKey
from faultmaven_core.ports.health import Inspection
from faultmaven_core.shared.errors import BackendUnavailableError, DeadlineExceededError

T = TypeVar("T")
_log = logging.getLogger(__name__)


class FailOpenCache(Cache):
    """A cache whose outage looks like an empty one. Each is logged and counted in `outages`.

    `add`, `replace_if` and `take` decide who may go on, and `delete` is told that a value is wrong: they fail as ever, and
    so do wrong passwords and `ping`. A value that could not be replaced stays until its end.
    """

    def __init__(self, inner: Cache) -> None:
        self._inner = inner
        self.outages = 0

    async def get(self, key: CacheKey) -> bytes | None:
        return await self._open(self._inner.get(key), None)

    async def get_many(self, keys: Collection[CacheKey]) -> Mapping[CacheKey, bytes]:
        nothing: Mapping[CacheKey, bytes] = {}
        return await self._open(self._inner.get_many(keys), nothing)

    async def set(self, key: CacheKey, value: bytes, *, ttl: timedelta) -> None:
        await self._open(self._inner.set(key, value, ttl=ttl), None)

    async def add(self, key: CacheKey, value: bytes, *, ttl: timedelta) -> bool:
        return await self._inner.add(key, value, ttl=ttl)

    async def replace_if(self, key: CacheKey, expected: bytes, value: bytes, *, ttl: timedelta) -> bool:
        return await self._inner.replace_if(key, expected, value, ttl=ttl)

    async def touch(self, key: CacheKey, *, ttl: timedelta) -> bool:
        return await self._open(self._inner.touch(key, ttl=ttl), False)

    async def delete(self, keys: Collection[CacheKey]) -> None:
        await self._inner.delete(keys)

    async def take(self, key: CacheKey) -> bytes | None:
        return await self._inner.take(key)

    async def ping(self) -> None:
        await self._inner.ping()

    async def inspect(self) -> Inspection:
        return await self._inner.inspect()

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _open(self, call: Awaitable[T], otherwise: T) -> T:
        try:
            return await call
        except (BackendUnavailableError, DeadlineExceededError) as error:
            self.outages += 1
            _log.warning("Going on without the cache: %s", error)
            return otherwise
