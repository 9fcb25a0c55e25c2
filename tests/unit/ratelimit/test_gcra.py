"""The arithmetic of rate limits: whatever comes when, nobody gets more, and nobody waits longer than he is told."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven_adapters.ratelimit.memory import MemoryRateLimiter
from faultmaven_core.ports.rate_limit import RateLimit, RateLimitKey
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.ids import OrganizationId

KEY = RateLimitKey(OrganizationId("acme"), "k")
START = datetime(2026, 11, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

LIMITS = st.builds(
    RateLimit,
    rate=st.integers(1, 2000),
    period=st.sampled_from([timedelta(milliseconds=7), timedelta(seconds=1), timedelta(minutes=5), timedelta(days=1)]),
    burst=st.integers(1, 20),
)
HITS = st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(1, 20)), min_size=1, max_size=60)
"""Microseconds since the hit before, and what it costs."""


@given(limit=LIMITS, hits=HITS)
def test_in_no_time_is_more_allowed_than_burst_and_rate(limit: RateLimit, hits: list[tuple[int, int]]) -> None:
    """Between any two moments: the bound of a token bucket, checked without one."""
    clock, allowed, now = FixedClock(START), [], 0
    limiter = MemoryRateLimiter(clock)
    with asyncio.Runner() as runner:
        for pause, cost in hits:
            clock.advance(pause * MICROSECOND)
            now += pause
            price = min(cost, limit.burst)
            if runner.run(limiter.hit(KEY, limit, cost=price)).allowed:
                allowed.append((now, price))
    for first in range(len(allowed)):
        for last in range(first, len(allowed)):
            spent = sum(price for _, price in allowed[first : last + 1])
            seconds = (allowed[last][0] - allowed[first][0]) * MICROSECOND
            assert spent <= limit.burst + seconds * limit.rate / limit.period + 1e-6


@given(limit=LIMITS, hits=HITS)
def test_what_the_answer_says_is_so(limit: RateLimit, hits: list[tuple[int, int]]) -> None:
    """A refused hit passes at `retry_after` and not a microsecond before; `remaining` can be taken, one more cannot."""
    clock = FixedClock(START)
    limiter = MemoryRateLimiter(clock)
    with asyncio.Runner() as runner:
        for pause, cost in hits:
            clock.advance(pause * MICROSECOND)
            price = min(cost, limit.burst)
            told = runner.run(limiter.hit(KEY, limit, cost=price))
            assert 0 <= told.remaining < limit.burst + 1
            if told.allowed:
                if told.remaining < limit.burst:
                    assert not runner.run(limiter.hit(KEY, limit, cost=told.remaining + 1)).allowed
                continue
            wait = timedelta(seconds=told.retry_after)
            clock.advance(wait - MICROSECOND)
            assert not runner.run(limiter.hit(KEY, limit, cost=price)).allowed
            clock.advance(MICROSECOND)
            assert runner.run(limiter.hit(KEY, limit, cost=price)).allowed


@pytest.mark.parametrize(
    ("rate", "period", "burst"),
    [(0, 1, 1), (-1, 1, 1), (1, 0, 1), (1, 1, 0), (1, 30 * 86400 + 1, 1), (1, 86400, 31)],
)
def test_limits_out_of_range_are_refused(rate: int, period: float, burst: int) -> None:
    """Every allowance is whole again some day."""
    with pytest.raises(InvalidInputError):
        RateLimit(rate, timedelta(seconds=period), burst)


def test_what_is_whole_again_takes_no_memory() -> None:
    """A million addresses that came once are forgotten."""

    async def run() -> int:
        clock = FixedClock(START)
        limiter = MemoryRateLimiter(clock)
        for number in range(10_000):
            clock.advance(timedelta(milliseconds=10))
            key = RateLimitKey(OrganizationId("acme"), "k", str(number))
            await limiter.hit(key, RateLimit(1, timedelta(seconds=1), 1))
        return len(limiter._whole_at)

    assert asyncio.run(run()) <= 1100
