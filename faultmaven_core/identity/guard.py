"""How often somebody may try to come in."""

from __future__ import annotations

import hashlib
import hmac
from ipaddress import IPv6Address, ip_address, ip_network

from faultmaven_core.identity.model import ClientInfo, User
from faultmaven_core.identity.policy import IdentityPolicy
from faultmaven_core.ports.rate_limit import RateLimit, RateLimiter, RateLimitKey
from faultmaven_core.ports.tokens import Tokens
from faultmaven_core.shared.errors import RateLimitedError

MOST_REMEMBERED = 5
"""Devices of a user that are not counted together with strangers."""


class Guard:
    """Counts attempts, each before it is made: of any number at once no more than the limit get through.

    Where the limiter is down nobody comes in: attempts are never uncounted.
    """

    def __init__(self, limiter: RateLimiter, policy: IdentityPolicy, tokens: Tokens) -> None:
        self._limiter, self._policy, self._tokens = limiter, policy, tokens

    async def admit(self, client: ClientInfo) -> None:
        """Count an attempt from an address. Raises RateLimitedError, whoever it is about."""
        limits = self._policy.limits
        counted = [("sign-in/everybody", "", limits.everybody)]
        if client.address:
            counted += [
                ("sign-in/network", _network(client.address), limits.network),
                ("sign-in/address", client.address[:64], limits.address),
            ]
        for name, subject, limit in reversed(counted):
            await self._require(name, subject, limit)

    async def account(self, subject: str, user: User | None, client: ClientInfo) -> bool:
        """Count an attempt on an account; whether it may be looked at."""
        device = self.device(user, client) if user else ""
        if user and device in user.remembered:
            return await self._hit("sign-in/device", device, self._policy.limits.device)
        return await self._hit("sign-in/account", subject, self._policy.limits.account)

    async def letter(self, kind: str, address: str) -> bool:
        """Whether one more letter of a kind may go to an address."""
        return await self._hit(
            f"letter/{kind}", hashlib.sha256(address.encode()).hexdigest(), self._policy.limits.letters
        )

    def device(self, user: User, client: ClientInfo) -> str:
        """The digest by which a device of a user is remembered."""
        told = f"{user.id}\0{client.address}\0{client.device}".encode("utf-8", "replace")
        return hmac.new(self._tokens.pepper("devices"), told, hashlib.sha256).hexdigest()[:32]

    def remembered(self, user: User, client: ClientInfo) -> tuple[str, ...]:
        """The user's devices after one more signed in."""
        device = self.device(user, client)
        return (device, *(known for known in user.remembered if known != device))[:MOST_REMEMBERED]

    async def _hit(self, name: str, subject: str, limit: RateLimit) -> bool:
        return (await self._limiter.hit(RateLimitKey(self._policy.home, name, subject), limit)).allowed

    async def _require(self, name: str, subject: str, limit: RateLimit) -> None:
        decision = await self._limiter.hit(RateLimitKey(self._policy.home, name, subject), limit)
        if not decision.allowed:
            raise RateLimitedError("Too many attempts came from here; wait a little.", retry_after=decision.retry_after)


def _network(address: str) -> str:
    """The network that one customer of a provider has: /64 of IPv6, /24 of IPv4; a name that is no address is its own."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(known, IPv6Address) and known.ipv4_mapped:
        known = known.ipv4_mapped
    length = 64 if isinstance(known, IPv6Address) else 24
    return str(ip_network((known, length), strict=False))
