"""While the shared counter is away nobody is let through unlimited, and nobody waits for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from faultmaven_adapters.ratelimit.fallback import PAUSE, LocalWhenAway
from faultmaven_adapters.ratelimit.memory import MemoryRateLimiter
from faultmaven_core.ports.rate_limit import Decision, RateLimit, RateLimitKey
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import (
    BackendError,
    BackendUnavailableError,
    DeadlineExceededError,
    InvalidInputError,
)
from faultmaven_core.shared.ids import OrganizationId

KEY = RateLimitKey(OrganizationId("acme"), "http", "ann")
LIMIT = RateLimit(12, timedelta(minutes=1), 12)


class Shared(MemoryRateLimiter):
    """A shared counter that can go away."""

    failure: BackendError | None = None
    asked = 0

    async def hit(self, key: RateLimitKey, limit: RateLimit, *, cost: int = 1) -> Decision:
        """See the port."""
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return await super().hit(key, limit, cost=cost)

    async def ping(self) -> None:
        """See the port."""
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def clock() -> FixedClock:
    """Stands until a test moves it."""
    return FixedClock(datetime(2026, 11, 1, tzinfo=UTC))


@pytest.fixture
def shared(clock: FixedClock) -> Shared:
    """It answers at first."""
    return Shared(clock)


@pytest.fixture
def limiter(shared: Shared, clock: FixedClock) -> LocalWhenAway:
    """One of three replicas."""
    return LocalWhenAway(shared, MemoryRateLimiter(clock), clock, replicas=3)


async def allowed(limiter: LocalWhenAway, times: int) -> int:
    """How many of so many hits were allowed."""
    return sum([(await limiter.hit(KEY, LIMIT)).allowed for _ in range(times)])


async def test_while_it_answers_the_shared_counter_decides(limiter: LocalWhenAway, shared: Shared) -> None:
    """Whole, for all replicas together."""
    assert await allowed(limiter, 20) == 12
    assert shared.asked == 20


@pytest.mark.parametrize("failure", [BackendUnavailableError("away"), DeadlineExceededError("slow")])
async def test_while_it_is_away_each_replica_allows_its_part(
    limiter: LocalWhenAway, shared: Shared, clock: FixedClock, failure: BackendError
) -> None:
    """And asks for the shared one now and then only; when that is back, it decides again."""
    shared.failure = failure
    assert await allowed(limiter, 20) == 4
    assert shared.asked == 1
    with pytest.raises(BackendError):
        await limiter.ping()
    clock.advance(PAUSE)
    await limiter.hit(KEY, LIMIT)
    assert shared.asked == 2
    shared.failure = None
    clock.advance(PAUSE)
    assert await allowed(limiter, 20) == 12
    await limiter.ping()


async def test_a_costly_hit_is_still_possible(limiter: LocalWhenAway, shared: Shared) -> None:
    """It takes the whole part."""
    shared.failure = BackendUnavailableError("away")
    assert (await limiter.hit(KEY, LIMIT, cost=10)).allowed
    assert not (await limiter.hit(KEY, LIMIT)).allowed


async def test_what_is_no_outage_is_no_reason_to_count_alone(limiter: LocalWhenAway, shared: Shared) -> None:
    """A wrong cost stays wrong, another failure stays one."""
    with pytest.raises(InvalidInputError):
        await limiter.hit(KEY, LIMIT, cost=13)
    shared.failure = BackendError("WRONGTYPE")
    with pytest.raises(BackendError, match="WRONGTYPE"):
        await limiter.hit(KEY, LIMIT)
    await limiter.aclose()
