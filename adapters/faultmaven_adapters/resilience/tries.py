"""One call with its deadline and its retries, whatever it is a call of."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from faultmaven_adapters.resilience.budget import RetryBudget
from faultmaven_core.ports.policy import Policy, Retrier
from faultmaven_core.shared.backoff import delay
from faultmaven_core.shared.errors import (
    AmbiguousError,
    BackendRefusedError,
    DeadlineExceededError,
    FaultMavenError,
    RateLimitedError,
)

T = TypeVar("T")

MOST_TRIES = 3
FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Observation:
    """How one call went. `outcome` is ok, the code of an error of ours, cancelled, or defect; streams count once open."""

    method: str
    outcome: str
    tries: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Means:
    """What waiting and telling needs, given so that tests need not wait. `chance` gives numbers from 0 to 1."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    seconds: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    observe: Callable[[Observation], None] = lambda _observation: None


class Tries:
    """Makes calls on one backend; `place` is what error messages call it."""

    def __init__(self, place: str, budget: RetryBudget, means: Means) -> None:
        self._place, self._budget, self._means = place, budget, means

    async def call(
        self, method: str, policy: Policy, attempt: Callable[[], Awaitable[T]], repeatable: Callable[[], bool]
    ) -> T:
        """The attempt's result. It is made again while the policy, the error, the time left and the budget allow it."""
        begin = self._means.seconds()
        end = None if policy.deadline is None else begin + policy.deadline
        tries, outcome = 0, "cancelled"
        self._budget.call()
        try:
            while True:
                tries += 1
                try:
                    async with self.within(None if end is None else end - self._means.seconds(), method, policy):
                        result = await attempt()
                except FaultMavenError as error:
                    pause = self._pause(error, policy, tries, end) if repeatable() else None
                    if pause is None:
                        outcome = error.code
                        raise
                    _log.info("%s: %s, try %d of %d in %.1f s", self._place, error, tries + 1, MOST_TRIES, pause)
                    await self._means.sleep(pause)
                else:
                    outcome = "ok"
                    return result
        except Exception as error:
            outcome = error.code if isinstance(error, FaultMavenError) else "defect"
            raise
        finally:
            self._means.observe(Observation(method, outcome, tries, self._means.seconds() - begin))

    @asynccontextmanager
    async def within(self, left: float | None, method: str, policy: Policy) -> AsyncIterator[asyncio.Timeout]:
        """Cuts what takes longer. Raises DeadlineExceededError, or AmbiguousError where something may have happened."""
        scope = asyncio.timeout(left)
        try:
            async with scope:
                yield scope
        except TimeoutError as error:
            if not scope.expired():
                raise
            if policy.idempotent:
                raise DeadlineExceededError(f"{self._place} did not answer `{method}` in time.") from error
            raise AmbiguousError(
                f"{self._place} did not answer `{method}` in time; it may have happened all the same."
            ) from error

    def _pause(self, error: FaultMavenError, policy: Policy, tries: int, end: float | None) -> float | None:
        """Seconds until the next try; None where there is none."""
        harmless = policy.idempotent or isinstance(error, BackendRefusedError | RateLimitedError)
        if policy.retrier is not Retrier.WRAPPER or not error.retryable or not harmless or tries >= MOST_TRIES:
            return None
        pause = delay(tries, base=FIRST_DELAY, cap=LONGEST_DELAY, chance=self._means.chance)
        if isinstance(error, RateLimitedError):
            pause = max(pause, error.retry_after)
        if end is not None and self._means.seconds() + pause >= end:
            return None
        return pause if self._budget.retry() else None
