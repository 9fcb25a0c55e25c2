"""Port for counting what somebody does against what he may do."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from faultmaven_core.ports.health import Inspectable, Pingable
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.scoped_name import ScopedName
from faultmaven_core.shared.text import checked

LONGEST = timedelta(days=30)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `burst` at once, and `rate` per `period` in the long run.

    Raises InvalidInputError unless all are positive, and an emptied allowance is whole again within 30 days.
    """

    rate: int
    period: timedelta
    burst: int

    def __post_init__(self) -> None:
        if self.rate < 1 or self.burst < 1 or self.period < _MICROSECOND or self.full * _MICROSECOND > LONGEST:
            raise InvalidInputError(
                "A rate limit has a positive rate, period and burst, and is whole again within 30 days.",
                fields={"limit": "out of range"},
            )

    @property
    def interval(self) -> int:
        """Microseconds in which one more becomes free; rounded up, so that never more than `rate` do in a period."""
        return -(-(self.period // _MICROSECOND) // self.rate)

    @property
    def full(self) -> int:
        """Microseconds in which an emptied allowance is whole again."""
        return self.burst * self.interval


@dataclass(frozen=True, slots=True, order=True)
class RateLimitKey(ScopedName):
    """Whose allowance it is: an organization's, for one kind of work (`name`), of one user or address (`subject`).

    There is no key without an organization: what nobody answers for is not counted for all of them together. Raises
    InvalidInputError where the subject has over 512 characters.
    """

    subject: str = ""

    def __post_init__(self) -> None:
        # By name, because a class that gets slots is made anew, and `super()` would mean the first one.
        ScopedName.__post_init__(self)
        checked("subject", self.subject, most=512)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether something may happen now.

    `limit` is the burst and `remaining` what is left of it. `reset` is in how many seconds the allowance is whole again,
    `retry_after` in how many a refused hit would be allowed (0 where it was).
    """

    allowed: bool
    limit: int
    remaining: int
    retry_after: float
    reset: float


class RateLimiter(Pingable, Inspectable, Protocol):
    """Generic cell rate algorithm: one number per key, the same for all processes that share the backend."""

    @abstractmethod
    async def hit(self, key: RateLimitKey, limit: RateLimit, *, cost: int = 1) -> Decision:
        """Take `cost` from the allowance, whole or not at all; a refused hit takes nothing.

        Of any number at once exactly as many are allowed as the limit says. Where an answer was lost the hit may have
        counted: repeating it counts it at most twice, and allows nobody more than the limit. An outage is
        BackendUnavailableError; what to do then is the caller's choice. Raises InvalidInputError where the cost is not 1
        to `limit.burst`: such a hit could never be allowed.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Use no more; using it afterwards is ConflictError. Closing twice is no error."""


def checked_cost(limit: RateLimit, cost: int) -> int:
    """Microseconds that a hit of this cost takes. Raises InvalidInputError outside 1 to the burst."""
    if not 1 <= cost <= limit.burst:
        raise InvalidInputError(
            f"A hit costs 1 to {limit.burst}, which is all there is.", fields={"cost": "out of range"}
        )
    return cost * limit.interval


def decision(limit: RateLimit, debt: int, missing: int) -> Decision:
    """The answer where `debt` microseconds of the allowance are taken and `missing` more would have been needed."""
    remaining = (limit.full - debt) // limit.interval
    return Decision(missing == 0, limit.burst, remaining, missing / 1_000_000, debt / 1_000_000)
