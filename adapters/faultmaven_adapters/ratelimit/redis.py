"""Rate limits that all processes share, in Redis: one script, one key, the server's own clock."""

from __future__ import annotations

import hashlib

from faultmaven_adapters._support.redis_clients import Script
from faultmaven_adapters._support.redis_share import RedisShare
from faultmaven_core.ports.rate_limit import (
    Decision,
    RateLimit,
    RateLimiter,
    RateLimitKey,
    checked_cost,
    decision,
)

# The debt is cut to the full allowance, so that neither a lower limit nor another server's clock locks anybody out longer.
_HIT = Script("""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full, taken = tonumber(ARGV[1]), tonumber(ARGV[2])
local debt = math.min(math.max((tonumber(redis.call('GET', KEYS[1])) or now) - now, 0), full)
if debt + taken > full then
    return {debt, debt + taken - full}
end
debt = debt + taken
redis.call('SET', KEYS[1], now + debt, 'PX', math.ceil(debt / 1000))
return {debt, 0}
""")


class RedisRateLimiter(RedisShare, RateLimiter):
    """See the port. A failover may forget the last hits, and so allow one burst more at most."""

    _closed_sentence = "The rate limiter was closed."

    async def hit(self, key: RateLimitKey, limit: RateLimit, *, cost: int = 1) -> Decision:
        taken = checked_cost(limit, cost)
        debt, missing = await self._redis.script(_HIT, [self._key(key)], (limit.full, taken))
        return decision(limit, debt, missing)

    def _key(self, key: RateLimitKey) -> str:
        # Each has a slot of its own, lest a large organization keep one node busy; addresses are not written in the clear.
        subject = hashlib.sha256(f"{key.name}\0{key.subject}".encode()).hexdigest()[:32]
        return self._redis.key(f"{key.organization}:{subject}", "rate")
