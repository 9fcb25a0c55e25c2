"""Where a request comes from: the right-most address that no trusted proxy has."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from faultmaven_http.addresses import client_address, prefix

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "told", "found"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.2.3.4", "198.51.100.1"),
        ("10.0.0.1", "10.9.9.9", "10.9.9.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, rubbish", "10.0.0.1"),
        ("::ffff:10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("fd00::1", "198.51.100.1", "198.51.100.1"),
        ("socket", "198.51.100.1", ""),
    ],
)
def test_only_what_trusted_proxies_say_is_believed(peer: str, told: str, found: str) -> None:
    """What stands further left a client wrote itself."""
    headers = ((b"x-forwarded-for", told.encode()),) if told else ()
    assert client_address({"client": (peer, 1), "headers": headers}, PROXIES) == found


def test_without_a_peer_there_is_no_address() -> None:
    """As over a socket of the file system."""
    assert client_address({"client": None, "headers": ()}, PROXIES) == ""


def test_a_network_of_ipv6_is_one_client() -> None:
    """Somebody has 2^64 of them for nothing."""
    assert prefix("2001:db8:1:2:3::4") == prefix("2001:db8:1:2::") == "2001:db8:1:2::/64"
    assert prefix("198.51.100.1") == "198.51.100.1"
    assert prefix("") == "unknown"
