"""From where a request comes, behind proxies that we know."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import Scope

Network = IPv4Network | IPv6Network

_SITE = 64
"""Leading bits of an IPv6 address that one household or machine has: what comes from there is one client."""


def client_address(scope: Scope, proxies: Sequence[Network]) -> str:
    """The right-most address of the way here that is no trusted proxy's; "" where there is none.

    Further left stands what a client wrote itself, so it is never believed.
    """
    peer = scope.get("client")
    address = _parsed(peer[0]) if peer else None
    if address is None:
        return ""
    told = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    for hop in reversed(told.decode("latin-1").split(",")):
        if not _within(address, proxies):
            break
        further = _parsed(hop.strip())
        if further is None:
            break
        address = further
    return str(address)


def prefix(address: str) -> str:
    """What counts as one client: the address, for IPv6 its /64."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, _SITE), strict=False))
    return address or "unknown"


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _within(address: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
