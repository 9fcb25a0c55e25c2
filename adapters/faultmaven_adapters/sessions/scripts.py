"""The steps of the session store in Redis. Each is one script: whole or not at all, by the server's own clock.

A user's keys share one slot: `s:<digest>` is a hash per session, `sessions` the sorted set of the live ones by expiry, in
milliseconds, and `ended` the sorted set of those that ended in the last minute. A session that is not in `sessions` does
not live, whatever its hash says: so nothing but that set must be right, and one that lost its place there is refused.
"""

from __future__ import annotations

from faultmaven_adapters._support.redis_clients import Script

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

_REMEMBER = """
local function remember(key, digest)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - 60000)
    redis.call('ZADD', key, now, digest)
    redis.call('PEXPIRE', key, 60000)
end
"""

CREATE = Script(
    _NOW
    + """
local session, sessions, ended = KEYS[1], KEYS[2], KEYS[3]
local digest, sign_in, idle, ends, most = ARGV[1], ARGV[2], ARGV[3], now + ARGV[4], tonumber(ARGV[5])
redis.call('ZREMRANGEBYSCORE', sessions, '-inf', now)
local known = redis.call('HMGET', session, 'sign_in', 'created', 'seen', 'data', 'version')
if known[1] == sign_in and redis.call('ZSCORE', sessions, digest) then
    return {known[2], known[3], redis.call('ZSCORE', sessions, digest), known[4], known[5]}
end
if known[1] or redis.call('ZSCORE', ended, digest) then
    return false
end
local evicted = {}
while redis.call('ZCARD', sessions) >= most do
    table.insert(evicted, redis.call('ZPOPMIN', sessions)[1])
end
local expires = math.min(now + idle, ends)
redis.call('HSET', session, 'sign_in', sign_in, 'created', now, 'seen', now, 'data', '', 'version', 1, 'idle', idle,
    'ends', ends)
redis.call('PEXPIREAT', session, expires)
redis.call('ZADD', sessions, expires, digest)
if redis.call('PTTL', sessions) < ends - now then
    redis.call('PEXPIREAT', sessions, ends)
end
return {now, now, expires, '', 1, unpack(evicted)}
"""
)
"""KEYS session, sessions, ended; ARGV digest, sign-in, idle, absolute, most. False where the id was used before."""

GET = Script(
    _NOW
    + """
local expires = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]))
if not expires or expires <= now then
    return false
end
local found = redis.call('HMGET', KEYS[1], 'created', 'seen', 'data', 'version', 'sign_in', 'idle', 'ends')
if not found[1] then
    redis.call('ZREM', KEYS[2], ARGV[1])
    return false
end
if ARGV[2] == '1' then
    expires, found[2] = math.min(now + found[6], tonumber(found[7])), now
    redis.call('HSET', KEYS[1], 'seen', now)
    redis.call('PEXPIREAT', KEYS[1], expires)
    redis.call('ZADD', KEYS[2], expires, ARGV[1])
end
return {found[1], found[2], expires, found[3], found[4], found[5]}
"""
)
"""KEYS session, sessions; ARGV digest, whether this is a use (1). False where there is no live session."""

UPDATE = Script(
    _NOW
    + """
local found = redis.call('HMGET', KEYS[1], 'version', 'change')
local expires = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]))
if not found[1] or not expires or expires <= now then
    return 'over'
elseif found[2] == ARGV[4] then
    return 'kept'
elseif found[1] ~= ARGV[2] then
    return 'stale'
end
redis.call('HSET', KEYS[1], 'version', found[1] + 1, 'data', ARGV[3], 'change', ARGV[4])
return 'kept'
"""
)
"""KEYS session, sessions; ARGV digest, version, data, change."""

END = Script(
    _NOW
    + _REMEMBER
    + """
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[1])
remember(KEYS[3], ARGV[1])
return {}
"""
)
"""KEYS session, sessions, ended; ARGV digest. It writes even where nothing lives: only then does WAIT say anything."""

END_OTHERS = Script(
    _NOW
    + _REMEMBER
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local gone = {}
for _, digest in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if digest ~= ARGV[1] then
        redis.call('ZREM', KEYS[1], digest)
        remember(KEYS[2], digest)
        table.insert(gone, digest)
    end
end
remember(KEYS[2], '')
return gone
"""
)
"""KEYS sessions, ended; ARGV the digest to keep. Returns those that ended; their hashes are left to the caller."""
