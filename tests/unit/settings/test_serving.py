"""The settings of the server and of signing in: where it listens, whom it believes, how long things last."""

from __future__ import annotations

import pytest

from faultmaven.settings import load, read_setting_file
from faultmaven.tree import Settings
from faultmaven_core.shared.errors import MisconfiguredError


def settings(**environ: str) -> Settings:
    """Those of an otherwise empty environment."""
    return load({"HOME": "/home/ann", **environ}, read_setting_file)


def test_unset_it_serves_this_machine_only() -> None:
    """Nobody opens a laptop to the network by starting the server."""
    found = settings()
    assert (found.http.host, found.http.port, found.http.on_loopback) == ("127.0.0.1", 8090, True)
    assert found.identity.dev_login == "loopback"
    assert str(found.identity.keys) == "/home/ann/.local/share/faultmaven/keys"
    assert not settings(FM_HTTP_HOST="0.0.0.0").http.on_loopback


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("FM_HTTP_HOST", "example.org", "is no address to listen on"),
        ("FM_HTTP_PORT", "0", "is no whole number"),
        ("FM_PUBLIC_URL", "fm.example.org", "cannot be used: write it as https://fm.example.org."),
        ("FM_CORS_ORIGINS", "https://a.example, *", "cannot be used: write each as"),
        ("FM_CORS_ORIGINS", "null", "cannot be used: write each as"),
        ("FM_TRUSTED_PROXIES", "10.0.0.0/33", "cannot be used: write addresses or networks"),
        ("FM_TURN_WAIT", "106s", "is too long: at most 105s."),
        ("FM_ACCESS_TTL", "11m", "is too long: at most 10m."),
        ("FM_ACCESS_TTL", "30s", "is too short: at least 60s."),
        ("FM_REFRESH_IDLE", "31d", "is too long: at most FM_REFRESH_ABSOLUTE."),
        ("FM_SESSION_IDLE", "31d", "is too long: at most FM_SESSION_ABSOLUTE."),
        ("FM_REFRESH_IDLE", "5m", "FM_ACCESS_TTL is too long: at most FM_REFRESH_IDLE."),
        ("FM_DEV_ACCESS_TTL", "5m", "FM_ACCESS_TTL is too long: at most FM_DEV_ACCESS_TTL."),
        ("FM_DEV_ACCESS_TTL", "25h", "is too long: at most 24h."),
        ("FM_REFRESH_ABSOLUTE", "31d", "is too long: at most 30d."),
        ("FM_SESSION_ABSOLUTE", "31d", "is too long: at most 30d."),
        ("FM_MAIL_FROM", "nobody", "cannot be used"),
        ("FM_MAIL_URL", "smtp://h/path", "has a path"),
        ("FM_DEV_LOGIN", "yes", "is not one of"),
        ("FM_HTTP_EDGE", "no", "is not one of"),
    ],
)
def test_what_cannot_be_used_is_told(name: str, value: str, told: str) -> None:
    """By the name of the variable."""
    with pytest.raises(MisconfiguredError, match=name) as caught:
        settings(**{name: value})
    assert told in str(caught.value)


EXTENSION = "chrome-extension://" + "abcdefghijklmnop" * 2


@pytest.mark.parametrize(
    ("origin", "at_home", "in_the_cloud"),
    [
        (EXTENSION, True, False),
        ("moz-extension://0b8f2b0c-5d7e-4c0e-8c77-2f3f5a9a1b2c", True, False),
        ("http://localhost:5173", True, False),
        ("http://127.0.0.1", True, False),
        ("http://localhost:3333", True, True),
        ("https://fm.example.org", True, True),
        ("https://fm.example.org.evil.example", False, False),
        ("http://localhost.evil.example", False, False),
        ("chrome-extension://" + "z" * 32, False, False),
        ("null", False, False),
        ("", False, False),
    ],
)
def test_origins_are_exact(origin: str, *, at_home: bool, in_the_cloud: bool) -> None:
    """A browser's page may call where its origin is listed, or at home where it is this machine's or the extension's."""
    listed = {"FM_CORS_ORIGINS": "https://fm.example.org"}
    assert settings(**listed).http.allows(origin) is at_home
    assert settings(**listed, FM_DEPLOYMENT_MODE="cloud").http.allows(origin) is in_the_cloud


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://ops.example.org", "https://ops.example.org"),
        ("https://ops.example.org/dashboard/", "https://ops.example.org"),
        ("https://Ops.example.org:443/dashboard", "https://ops.example.org"),
        ("http://ops.example.org:80", "http://ops.example.org"),
        ("http://ops.example.org:8080/a/b", "http://ops.example.org:8080"),
    ],
)
def test_the_dashboards_pages_may_call_whatever_its_path(url: str, origin: str) -> None:
    """An origin has none; another scheme or port is another origin."""
    http = settings(FM_DASHBOARD_URL=url, FM_DEPLOYMENT_MODE="cloud").http
    assert http.allows(origin)
    scheme, _, rest = origin.partition("://")
    for other in (f"{'http' if scheme == 'https' else 'https'}://{rest}", f"{origin}:444", f"{origin}/", f"{url}/"):
        assert not http.allows(other)


@pytest.mark.parametrize(
    ("environ", "only_here"),
    [
        ({}, True),
        ({"FM_HTTP_HOST": "0.0.0.0"}, False),
        ({"FM_TRUSTED_PROXIES": "127.0.0.1"}, False),
        ({"FM_HTTP_EDGE": "off"}, False),
        ({"FM_PUBLIC_URL": "https://fm.example.org"}, False),
    ],
)
def test_behind_a_proxy_a_loopback_address_is_not_private(environ: dict[str, str], *, only_here: bool) -> None:
    """Whoever reaches the proxy reaches the server, so a name alone lets nobody in."""
    assert settings(**environ).http.only_here is only_here
