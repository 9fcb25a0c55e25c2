"""A cache in Redis: a single server, behind Sentinel, or a Cluster."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from faultmaven_adapters._support.redis_clients import Script
from faultmaven_adapters._support.redis_share import RedisShare
from faultmaven_core.ports.cache import Cache, CacheKey, checked_value
from faultmaven_core.ports.lifetime import milliseconds
from faultmaven_core.shared.batches import batched
from faultmaven_core.shared.errors import (
    AmbiguousError,
    BackendError,
    BackendRefusedError,
    BackendUnavailableError,
    DeadlineExceededError,
)

BATCH = 500
"""Keys in one command; a longer one would hold the server up."""

ADD = Script("""
local present = redis.call('GET', KEYS[1])
if present then
  return present == ARGV[1] and 1 or 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
""")

REPLACE_IF = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
""")


class RedisCache(RedisShare, Cache):
    """See the port. An organization is the hash tag, so its keys share a slot and are read and deleted together."""

    _closed_sentence = "The cache was closed."

    async def get(self, key: CacheKey) -> bytes | None:
        found: bytes | None = await self._command("GET", self._key(key))
        return found

    async def get_many(self, keys: Collection[CacheKey]) -> Mapping[CacheKey, bytes]:
        found: dict[CacheKey, bytes] = {}
        for batch in _batches(keys):
            values = await self._command("MGET", *map(self._key, batch))
            found |= {key: value for key, value in zip(batch, values, strict=True) if value is not None}
        return found

    async def set(self, key: CacheKey, value: bytes, *, ttl: timedelta) -> None:
        await self._command("SET", self._key(key), checked_value(value), "PX", milliseconds(ttl))

    async def add(self, key: CacheKey, value: bytes, *, ttl: timedelta) -> bool:
        keys = [self._key(key)]
        arguments: list[bytes | int] = [checked_value(value), milliseconds(ttl)]
        try:
            return bool(await self._script(ADD, keys, arguments))
        except BackendRefusedError:
            raise
        except (BackendUnavailableError, DeadlineExceededError):
            # The answer was lost. Asked again, the script finds our own value, and says so.
            return bool(await self._script(ADD, keys, arguments))

    async def replace_if(self, key: CacheKey, expected: bytes, value: bytes, *, ttl: timedelta) -> bool:
        arguments: list[bytes | int] = [checked_value(expected), checked_value(value), milliseconds(ttl)]
        try:
            return bool(await self._script(REPLACE_IF, [self._key(key)], arguments))
        except BackendRefusedError:
            raise
        except (BackendUnavailableError, DeadlineExceededError) as error:
            present = await self._after_lost_reply(key, error)
            if present == value:
                return True
            if present == expected:
                raise BackendRefusedError(f"The connection broke before {key.name} was replaced.") from error
            raise AmbiguousError(f"The connection broke, and whether {key.name} was replaced is not known.") from error

    async def touch(self, key: CacheKey, *, ttl: timedelta) -> bool:
        return bool(await self._command("PEXPIRE", self._key(key), milliseconds(ttl)))

    async def delete(self, keys: Collection[CacheKey]) -> None:
        for batch in _batches(keys):
            await self._command("UNLINK", *map(self._key, batch))

    async def take(self, key: CacheKey) -> bytes | None:
        try:
            taken: bytes | None = await self._command("GETDEL", self._key(key))
        except BackendRefusedError:
            raise
        except (BackendUnavailableError, DeadlineExceededError) as error:
            if await self._after_lost_reply(key, error) is not None:
                raise BackendRefusedError(f"The connection broke before {key.name} was taken.") from error
            raise AmbiguousError(f"The connection broke, and whether {key.name} was taken is not known.") from error
        return taken

    async def _after_lost_reply(self, key: CacheKey, lost: BackendError) -> bytes | None:
        try:
            return await self.get(key)
        except BackendError:
            raise AmbiguousError(f"The connection broke, and what became of {key.name} cannot be asked now.") from lost

    async def _command(self, *command: str | bytes | int) -> Any:
        return await self._redis.run(lambda client: client.execute_command(*command))

    async def _script(self, script: Script, keys: Sequence[str], arguments: Sequence[bytes | int]) -> Any:
        return await self._redis.script(script, keys, arguments)

    def _key(self, key: CacheKey) -> str:
        return self._redis.key(key.organization, f"cache:{key.name}")


def _batches(keys: Collection[CacheKey]) -> Iterator[Sequence[CacheKey]]:
    """The keys without repetition, each batch of one organization: no server of a cluster has two of them for certain."""
    for _, group in groupby(sorted(set(keys)), key=lambda key: key.organization):
        yield from batched(group, BATCH)
