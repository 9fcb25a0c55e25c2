"""The settings of `fm serve` and of signing in: declared, read, and what they mean."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from faultmaven.places import Resource
from faultmaven.variables import Reading, Variable

HOST = Variable(
    "FM_HTTP_HOST", "Address to listen on; `0.0.0.0` is all of IPv4, `::` all of IPv6.", "127.0.0.1", "serve"
)
PORT = Variable("FM_HTTP_PORT", "Port to listen on.", "8090", "serve")
PUBLIC_URL = Variable(
    "FM_PUBLIC_URL",
    "Where people reach this installation; links in mails and the issuer of tokens are made of it, never of a request.",
    "http://localhost:8090",
    "serve",
)
DASHBOARD = Variable("FM_DASHBOARD_URL", "Where the dashboard is.", "http://localhost:3333", "serve")
DEPLOYMENT = Variable(
    "FM_DEPLOYMENT_MODE",
    "`self-hosted`, or `cloud`, where only origins that are listed may call.",
    "self-hosted",
    "serve",
)
ORIGINS = Variable(
    "FM_CORS_ORIGINS",
    "Origins of browsers that may call, between commas, as `https://fm.example.org`; a self-hosted installation also lets "
    "those of localhost and of the browser extension.",
    "",
    "serve",
)
PROXIES = Variable(
    "FM_TRUSTED_PROXIES",
    "Addresses or networks of proxies in front, between commas, as `10.0.0.0/8`: only what they say of a client's address "
    "is believed.",
    "",
    "serve",
)
EDGE = Variable(
    "FM_HTTP_EDGE",
    "`on`: people may call the server, which finds out who they are; `off`: an edge in another process does that, and the "
    "server takes nothing but requests with its signed word.",
    "on",
    "serve",
)
UPLOAD_MAX = Variable("FM_UPLOAD_MAX", "Largest attachment of a turn and largest document.", "10MiB", "serve")
TURN_WAIT = Variable(
    "FM_TURN_WAIT",
    "How long a client waits for the answer of a turn, 105s at most; one that takes longer goes on as a job, which the client "
    "then asks for.",
    "100s",
    "serve",
)
RATE = Variable("FM_RATE_LIMIT", "Requests that a user may make in a minute; `0` is without limit.", "600", "serve")
GRACE = Variable("FM_HTTP_GRACE", "How long a server that is asked to stop finishes what it has begun.", "30s", "serve")
DRAIN = Variable(
    "FM_HTTP_DRAIN",
    "How long a server that is asked to stop still takes requests, while it says that it is not ready; balancers need a "
    "while to notice.",
    "0s",
    "serve",
)
LOG_LEVEL = Variable("FM_LOG_LEVEL", "`debug`, `info`, `warning` or `error`.", "info", "serve")

AUTH_MODE = Variable(
    "FM_AUTH_MODE", "`local`: people sign in with a password; `oauth`: through the dashboard.", "local", "identity"
)
REGISTRATION = Variable(
    "FM_REGISTRATION",
    "`open`: whoever can reach the server may sign up, and gets an organization of his own; `closed`: by invitation only.",
    "open",
    "identity",
)
DEV_LOGIN = Variable(
    "FM_DEV_LOGIN",
    "Signing in by name alone: `off`; `loopback`, where the server listens on this machine only, without proxies and without "
    "a public address; or `on`, for anybody.",
    "loopback",
    "identity",
)
ACCESS_TTL = Variable("FM_ACCESS_TTL", "Life of an access token, 1 to 10 minutes.", "10m", "identity")
DEV_ACCESS_TTL = Variable("FM_DEV_ACCESS_TTL", "Life of an access token of a development login.", "8h", "identity")
REFRESH_IDLE = Variable("FM_REFRESH_IDLE", "A refresh token that is not used for so long ends.", "14d", "identity")
REFRESH_ABSOLUTE = Variable("FM_REFRESH_ABSOLUTE", "After so long one must sign in anew.", "30d", "identity")
SESSION_IDLE = Variable("FM_SESSION_IDLE", "A session that nobody uses for so long ends.", "12h", "identity")
SESSION_ABSOLUTE = Variable("FM_SESSION_ABSOLUTE", "Longest session.", "30d", "identity")
KEYS = Variable(
    "FM_KEYS_DIR", "Folder of the keys that sign tokens, readable by its owner only.", "$FM_HOME/keys", "identity"
)
MAIL = Variable(
    "FM_MAIL_URL",
    "`none:` sends no mail, `smtp://<user>@<host>:<port>` with STARTTLS, which the server must offer unless it is on a loopback address and takes no user, `smtps://` with TLS.",
    "none:",
    "identity",
    url=True,
)
MAIL_PASSWORD = Variable("FM_MAIL_PASSWORD", "Password of the mail server's user.", "", "identity", secret=True)
MAIL_FROM = Variable("FM_MAIL_FROM", "Sender of mails.", "faultmaven@localhost", "identity")

VARIABLES = tuple(value for value in list(globals().values()) if isinstance(value, Variable))

LONGEST_TURN = 105.0
"""Seconds: clients give up after 120."""

LONGEST_ACCESS = 600.0
"""Seconds: RFC 9068 tokens live minutes, so that what they say of roles is not old."""

_DAY = 86_400.0
_OWN_PORTS = {"http": ":80", "https": ":443"}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+|(?:chrome|moz)-extension://[A-Za-z0-9-]{8,64}")
_SELF_HOSTED = re.compile(
    # Extension ids are 32 letters a to p in Chromium, UUIDs in Firefox.
    r"chrome-extension://[a-p]{32}|moz-extension://[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|http://(?:localhost|127\.0\.0\.1)(?::\d{1,5})?"
)
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\[\]:_-]+(?:/[A-Za-z0-9._/-]*)?")
_MAIL = re.compile(r"[^\s@<>]{1,64}@[A-Za-z0-9.-]{1,190}")


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where a server listens and whom it believes. `rate` is requests per user and minute, 0 without limit."""

    host: str
    port: int
    public_url: str
    dashboard_url: str
    deployment: str
    origins: tuple[str, ...]
    proxies: tuple[str, ...]
    upload_max: int
    turn_wait: float
    rate: int
    grace: float
    drain: float
    log_level: str
    edge: bool

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in _LOOPBACK

    @property
    def only_here(self) -> bool:
        """Whether nothing stands in front that others could reach: no edge, no proxy, and no public name."""
        return self.on_loopback and self.edge and not self.proxies and urlsplit(self.public_url).hostname in _LOOPBACK

    def is_meant(self, host: str) -> bool:
        """Whether a Host header names this machine, or the public address; else another name was made to lead here."""
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        return name in _LOOPBACK or name == urlsplit(self.public_url).hostname

    def allows(self, origin: str) -> bool:
        """Whether a browser's page of this origin may call; only exact origins, and none that calls itself `null`."""
        if origin in self.origins or origin == _origin(self.dashboard_url):
            return True
        return self.deployment == "self-hosted" and _SELF_HOSTED.fullmatch(origin) is not None


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """How people sign in, and for how long. Times are in seconds."""

    mode: str
    registration: str
    dev_login: str
    access_ttl: float
    dev_access_ttl: float
    refresh_idle: float
    refresh_absolute: float
    session_idle: float
    session_absolute: float
    keys: Path
    mail: Resource
    mail_from: str


def _origin(address: str) -> str:
    """As browsers write the origin of an address: without its path and the scheme's own port, in small letters."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(_OWN_PORTS[parts.scheme])}"


def http(read: Reading) -> HttpSettings:
    """What `fm serve` needs."""
    return HttpSettings(
        _host(read),
        read.number(PORT, 1, 65535),
        _matching(read, PUBLIC_URL, _ADDRESS, "https://fm.example.org").rstrip("/"),
        _matching(read, DASHBOARD, _ADDRESS, "https://dashboard.example.org").rstrip("/"),
        read.choice(DEPLOYMENT, "self-hosted", "cloud"),
        _listed(read, ORIGINS, _ORIGIN, "https://fm.example.org"),
        _networks(read),
        read.size(UPLOAD_MAX),
        _turn_wait(read),
        read.number(RATE, 0, 1_000_000),
        read.seconds(GRACE),
        read.seconds(DRAIN),
        read.choice(LOG_LEVEL, "info", "debug", "warning", "error"),
        read.choice(EDGE, "on", "off") == "on",
    )


def identity(read: Reading, home: Path) -> IdentitySettings:
    """What signing in needs."""
    found = IdentitySettings(
        read.choice(AUTH_MODE, "local", "oauth"),
        read.choice(REGISTRATION, "open", "closed"),
        read.choice(DEV_LOGIN, "loopback", "off", "on"),
        read.seconds(ACCESS_TTL, 60),
        read.seconds(DEV_ACCESS_TTL, 60),
        read.seconds(REFRESH_IDLE, 60),
        read.seconds(REFRESH_ABSOLUTE, 60),
        read.seconds(SESSION_IDLE, 1),
        read.seconds(SESSION_ABSOLUTE, 1),
        Path(read.text(KEYS)).expanduser() if read.given(KEYS) else home / "keys",
        read.resource(MAIL, ("none", "smtp", "smtps"), MAIL_PASSWORD),
        _matching(read, MAIL_FROM, _MAIL, "faultmaven@example.org"),
    )
    for variable, value, most, of in (
        (ACCESS_TTL, found.access_ttl, LONGEST_ACCESS, "10m"),
        (ACCESS_TTL, found.access_ttl, found.dev_access_ttl, DEV_ACCESS_TTL.name),
        (ACCESS_TTL, found.access_ttl, found.refresh_idle, REFRESH_IDLE.name),
        (DEV_ACCESS_TTL, found.dev_access_ttl, _DAY, "24h"),
        (REFRESH_ABSOLUTE, found.refresh_absolute, 30 * _DAY, "30d"),
        (SESSION_ABSOLUTE, found.session_absolute, 30 * _DAY, "30d"),
        (REFRESH_IDLE, found.refresh_idle, found.refresh_absolute, REFRESH_ABSOLUTE.name),
        (SESSION_IDLE, found.session_idle, found.session_absolute, SESSION_ABSOLUTE.name),
    ):
        if value > most:
            read.problems.append(f"{variable.name} is too long: at most {of}.")
    return found


def _turn_wait(read: Reading) -> float:
    seconds = read.seconds(TURN_WAIT)
    if seconds > LONGEST_TURN:
        read.problems.append(f"{TURN_WAIT.name} is too long: at most {LONGEST_TURN:g}s.")
    return seconds


def _host(read: Reading) -> str:
    value = read.text(HOST) or HOST.default
    try:
        return value if value == "localhost" else str(ipaddress.ip_address(value))
    except ValueError:
        read.problems.append(f"{HOST.name} is no address to listen on: write 127.0.0.1, 0.0.0.0 or ::.")
        return HOST.default


def _matching(read: Reading, variable: Variable, form: re.Pattern[str], example: str) -> str:
    value = read.text(variable) or variable.default
    if not form.fullmatch(value):
        read.problems.append(f"{variable.name} cannot be used: write it as {example}.")
        return variable.default
    return value


def _listed(read: Reading, variable: Variable, form: re.Pattern[str], example: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in read.text(variable).split(",") if part.strip())
    if not all(form.fullmatch(part) for part in parts):
        read.problems.append(f"{variable.name} cannot be used: write each as {example}, with commas between.")
        return ()
    return parts


def _networks(read: Reading) -> tuple[str, ...]:
    parts = [part.strip() for part in read.text(PROXIES).split(",") if part.strip()]
    try:
        return tuple(str(ipaddress.ip_network(part, strict=False)) for part in parts)
    except ValueError:
        read.problems.append(f"{PROXIES.name} cannot be used: write addresses or networks, as 10.0.0.0/8,192.0.2.7.")
        return ()
