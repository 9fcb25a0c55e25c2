"""What every rate limiter promises."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeAlias

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.samples import ACME, OTHER
from faultmaven_core.ports.rate_limit import RateLimit, RateLimiter, RateLimitKey
from faultmaven_core.shared.errors import ConflictError, InvalidInputError
from faultmaven_core.shared.ids import OrganizationId

Later: TypeAlias = Callable[[float], Awaitable[None]]
"""Lets so many seconds pass."""

HOUR = timedelta(hours=1)
KEY = RateLimitKey(ACME, "sign-in", "192.0.2.1")
FIVE_AT_ONCE = RateLimit(rate=1, period=HOUR, burst=5)
"""So slow that no test sees a refill."""


class RateLimiterContract(Contract):
    """A binding gives the fixtures `subject`, `others` (three more processes' limiters over the same counts) and `later`."""

    async def test_a_burst_is_allowed_and_the_next_hit_is_not(self, subject: RateLimiter) -> None:
        """Each answer says what is left."""
        allowed = [await subject.hit(KEY, FIVE_AT_ONCE) for _ in range(5)]
        assert [decision.allowed for decision in allowed] == [True] * 5
        assert [decision.remaining for decision in allowed] == [4, 3, 2, 1, 0]
        assert {decision.retry_after for decision in allowed} == {0}
        refused = await subject.hit(KEY, FIVE_AT_ONCE)
        assert (refused.allowed, refused.remaining, refused.limit) == (False, 0, 5)
        assert 3500 < refused.retry_after <= 3600
        assert 4 * 3600 < refused.reset <= 5 * 3600

    async def test_a_refused_hit_takes_nothing(self, subject: RateLimiter) -> None:
        """Else an impatient caller would lock himself out."""
        for _ in range(5):
            await subject.hit(KEY, FIVE_AT_ONCE)
        first = await subject.hit(KEY, FIVE_AT_ONCE)
        for _ in range(20):
            last = await subject.hit(KEY, FIVE_AT_ONCE)
        assert last.retry_after <= first.retry_after

    async def test_after_the_time_it_names_a_hit_is_allowed_again(self, subject: RateLimiter, later: Later) -> None:
        """It refills in time: one after `retry_after`, all of them after `reset`."""
        limit = RateLimit(rate=5, period=timedelta(seconds=1), burst=2)
        for _ in range(2):
            await subject.hit(KEY, limit)
        refused = await subject.hit(KEY, limit)
        assert 0 < refused.retry_after <= 0.2
        await later(refused.retry_after + 0.002)
        again = await subject.hit(KEY, limit)
        assert again.allowed
        await later(again.reset + 0.002)
        assert (await subject.hit(KEY, limit)).remaining == 1

    async def test_exactly_the_limit_is_allowed_of_many_at_once(
        self, subject: RateLimiter, others: Sequence[RateLimiter]
    ) -> None:
        """A hundred hits, from four processes."""
        limit = RateLimit(rate=1, period=HOUR, burst=50)
        hits = [limiter.hit(KEY, limit) for limiter in (subject, *others) for _ in range(25)]
        decisions = await asyncio.gather(*hits)
        assert Counter(decision.allowed for decision in decisions) == {True: 50, False: 50}
        assert sorted(d.remaining for d in decisions if d.allowed) == list(range(50))

    async def test_never_more_than_burst_and_rate_by_time(
        self, subject: RateLimiter, others: Sequence[RateLimiter]
    ) -> None:
        """Four processes with two hundred hits each, while it refills."""
        limit = RateLimit(rate=50, period=timedelta(seconds=1), burst=100)
        began = time.monotonic()
        hits = [limiter.hit(KEY, limit) for limiter in (subject, *others) for _ in range(200)]
        allowed = sum(decision.allowed for decision in await asyncio.gather(*hits))
        assert 100 <= allowed <= 100 + 50 * (time.monotonic() - began) + 1

    async def test_what_costs_more_takes_more_whole_or_not_at_all(self, subject: RateLimiter) -> None:
        """A hit that does not fit leaves what there is to smaller ones."""
        assert (await subject.hit(KEY, FIVE_AT_ONCE, cost=3)).remaining == 2
        too_much = await subject.hit(KEY, FIVE_AT_ONCE, cost=3)
        assert (too_much.allowed, too_much.remaining) == (False, 2)
        assert (await subject.hit(KEY, FIVE_AT_ONCE, cost=2)).allowed

    @pytest.mark.parametrize("cost", [0, -1, 6])
    async def test_a_cost_that_never_fits_is_refused(self, subject: RateLimiter, cost: int) -> None:
        """With an error, and not with a time after which it would fit."""
        with pytest.raises(InvalidInputError):
            await subject.hit(KEY, FIVE_AT_ONCE, cost=cost)

    async def test_allowances_are_apart(self, subject: RateLimiter) -> None:
        """By organization, by kind of work, by subject."""
        for _ in range(6):
            await subject.hit(KEY, FIVE_AT_ONCE)
        for key in (
            RateLimitKey(OTHER, KEY.name, KEY.subject),
            RateLimitKey(ACME, "sign", "-in192.0.2.1"),
            RateLimitKey(ACME, KEY.name, "192.0.2.2"),
            RateLimitKey(ACME, KEY.name),
        ):
            assert (await subject.hit(key, FIVE_AT_ONCE)).remaining == 4
        assert not (await subject.hit(KEY, FIVE_AT_ONCE)).allowed

    async def test_any_text_is_a_subject(self, subject: RateLimiter) -> None:
        """Addresses of both kinds, mail addresses, what people type."""
        for text in ("2001:db8::1%eth0", "Zoë+x@example.com", "a b\n{c}", "\x7f*?[", "x" * 512):
            assert (await subject.hit(RateLimitKey(ACME, "k", text), FIVE_AT_ONCE)).remaining == 4

    async def test_a_key_without_an_organization_is_refused(self, subject: RateLimiter) -> None:
        """By the key itself, so no backend ever sees one."""
        for organization, name in (("", "k"), ("a{b}", "k"), ("acme", ""), ("acme", "a b")):
            with pytest.raises(InvalidInputError):
                await subject.hit(RateLimitKey(OrganizationId(organization), name), FIVE_AT_ONCE)

    async def test_a_subject_over_512_characters_is_refused(self, subject: RateLimiter) -> None:
        """So that nobody fills the store with names."""
        with pytest.raises(InvalidInputError):
            await subject.hit(RateLimitKey(ACME, "k", "x" * 513), FIVE_AT_ONCE)

    async def test_a_lower_limit_locks_nobody_out_for_longer_than_its_own_time(self, subject: RateLimiter) -> None:
        """What was taken under the old one is forgiven beyond that."""
        for _ in range(5):
            await subject.hit(KEY, FIVE_AT_ONCE)
        quick = RateLimit(rate=10, period=timedelta(seconds=1), burst=5)
        refused = await subject.hit(KEY, quick)
        assert not refused.allowed
        assert refused.reset <= 0.5

    async def test_a_closed_limiter_refuses(self, subject: RateLimiter) -> None:
        """With an error that says so; closing twice is no error."""
        await subject.ping()
        assert (await subject.inspect()).product
        await subject.aclose()
        await subject.aclose()
        with pytest.raises(ConflictError):
            await subject.hit(KEY, FIVE_AT_ONCE)
