"""How often somebody may ask, and the headers that tell him."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta

from faultmaven_core.identity.model import Principal
from faultmaven_core.ports.rate_limit import Decision, RateLimit, RateLimiter, RateLimitKey
from faultmaven_core.shared.errors import RateLimitedError
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_http.addresses import prefix
from faultmaven_http.exchange import Exchange

MINUTE = timedelta(minutes=1)

SMALLEST = 20
"""Of a user's allowance at least so much, for the costliest request must be possible."""

ANONYMOUS: Mapping[str, RateLimit] = {
    "open": RateLimit(600, MINUTE, 200),
    "refused": RateLimit(120, MINUTE, 60),
}
"""What an address may do: `open` is what anybody may read, `refused` are attempts with a bad token."""


class Rates:
    """Counts the requests of a user within his organization, and of an address where nobody is signed in.

    Addresses are counted in the name of the installation's own organization. `rate` is of a user in a minute; with 0
    users are not counted, addresses are.
    """

    def __init__(self, limiter: RateLimiter, organization: OrganizationId, rate: int) -> None:
        self._limiter, self._organization = limiter, organization
        self._of_users = RateLimit(rate, MINUTE, max(rate, SMALLEST)) if rate else None

    async def known(self, cost: int, principal: Principal, exchange: Exchange) -> None:
        """A signed-in user asks. Raises RateLimitedError."""
        if self._of_users is not None:
            key = RateLimitKey(principal.caller.organization, "http", principal.caller.user)
            await self._hit(key, "requests", self._of_users, exchange, cost)

    async def anonymous(self, kind: str, exchange: Exchange) -> None:
        """Somebody asks who is not signed in. Raises RateLimitedError. Signing in ("") is counted by identity itself."""
        if not kind:
            return
        await self._address(kind, exchange)

    async def refused(self, exchange: Exchange) -> None:
        """A token was not valid. Raises RateLimitedError where that address tries too many."""
        await self._address("refused", exchange)

    async def _address(self, kind: str, exchange: Exchange) -> None:
        key = RateLimitKey(self._organization, f"http.{kind}", prefix(exchange.address))
        await self._hit(key, kind, ANONYMOUS[kind], exchange)

    async def _hit(self, key: RateLimitKey, kind: str, limit: RateLimit, exchange: Exchange, cost: int = 1) -> None:
        decision = await self._limiter.hit(key, limit, cost=cost)
        exchange.headers[:] = [*fields(kind, limit, decision)]
        if not decision.allowed:
            raise RateLimitedError(
                f"Too many requests of the kind {kind}: wait {math.ceil(decision.retry_after)} s.",
                retry_after=decision.retry_after,
            )


def fields(kind: str, limit: RateLimit, decision: Decision) -> list[tuple[bytes, bytes]]:
    """RateLimit-Policy and RateLimit as the IETF's draft has them, and their older names for clients that know these."""
    reset = math.ceil(decision.reset)
    window = math.ceil(limit.full / 1_000_000)
    return [
        (b"ratelimit-policy", f'"{kind}";q={limit.burst};w={window}'.encode()),
        (b"ratelimit", f'"{kind}";r={decision.remaining};t={reset}'.encode()),
        (b"x-ratelimit-limit", str(decision.limit).encode()),
        (b"x-ratelimit-remaining", str(decision.remaining).encode()),
        (b"x-ratelimit-reset", str(reset).encode()),
    ]
