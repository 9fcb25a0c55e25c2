"""Leases in Redis: a single server, behind Sentinel, or a Cluster."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from faultmaven_adapters._support.redis_clients import Script
from faultmaven_adapters._support.redis_share import RedisShare
from faultmaven_core.ports.leases import Lease, Leases, checked_word
from faultmaven_core.ports.lifetime import LONGEST, milliseconds
from faultmaven_core.shared.errors import (
    BackendRefusedError,
    BackendUnavailableError,
    DeadlineExceededError,
)

# A token is the server's time in microseconds, or one above the last: so it grows also where the last one was lost with
# a server that failed, or was forgotten after its thirty days.
ACQUIRE = Script("""
local held = redis.call('GET', KEYS[1])
if held then
  local token, owner = string.match(held, '^(%d+) (.*)$')
  if owner ~= ARGV[1] then
    return false
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return token
end
local now = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local token = string.format('%.0f', math.max(last + 1, now[1] * 1000000 + now[2]))
redis.call('SET', KEYS[1], token .. ' ' .. ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], token, 'PX', ARGV[3])
return token
""")

RENEW = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
""")

RELEASE = Script("""
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
return 1
""")


class RedisLeases(RedisShare, Leases):
    """See the port. A lease's name is the hash tag of its two keys."""

    _closed_sentence = "The leases were closed."

    async def acquire(self, name: str, *, ttl: timedelta, owner: str) -> Lease | None:
        arguments: list[str | int] = [checked_word("owner", owner), milliseconds(ttl), milliseconds(LONGEST)]
        keys = [self._key(checked_word("name", name)), self._redis.key(name, "lease:token")]
        try:
            token = await self._script(ACQUIRE, keys, arguments)
        except BackendRefusedError:
            raise
        except (BackendUnavailableError, DeadlineExceededError):
            # The answer was lost, perhaps with our lease in it: asked again, its owner gets it again.
            token = await self._script(ACQUIRE, keys, arguments)
        return None if token is None else Lease(name, owner, int(token))

    async def renew(self, lease: Lease, *, ttl: timedelta) -> bool:
        return bool(await self._script(RENEW, [self._key(lease.name)], [_held(lease), milliseconds(ttl)]))

    async def release(self, lease: Lease) -> None:
        await self._script(RELEASE, [self._key(lease.name)], [_held(lease)])

    async def _script(self, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        return await self._redis.script(script, keys, arguments)

    def _key(self, name: str) -> str:
        return self._redis.key(name, "lease")


def _held(lease: Lease) -> str:
    return f"{lease.token} {lease.owner}"
