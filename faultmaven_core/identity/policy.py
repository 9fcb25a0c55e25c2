"""How an installation lets people in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from faultmaven_core.ports.rate_limit import RateLimit
from faultmaven_core.sessions.expiry import SessionLimits
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.ids import OrganizationId

MOST_ACCESS = timedelta(minutes=10)
"""What RFC 9068 tokens live at most here; a passwordless sign-in on a loopback address is the exception."""


def _in_five_minutes(times: int) -> RateLimit:
    return RateLimit(times, timedelta(minutes=5), times)


class AuthMode(StrEnum):
    """What clients are told to use: a form for name and password, or a browser."""

    LOCAL = "local"
    OAUTH = "oauth"


@dataclass(frozen=True, slots=True)
class SignInLimits:
    """How often somebody may try to come in; each limit stands for itself.

    `account` counts strangers, `device` one that signed in to the account before: a stranger can slow only strangers.
    """

    account: RateLimit = field(default_factory=lambda: _in_five_minutes(10))
    device: RateLimit = field(default_factory=lambda: _in_five_minutes(30))
    address: RateLimit = field(default_factory=lambda: _in_five_minutes(30))
    network: RateLimit = field(default_factory=lambda: _in_five_minutes(120))
    everybody: RateLimit = field(default_factory=lambda: _in_five_minutes(1000))
    letters: RateLimit = field(default_factory=lambda: RateLimit(3, timedelta(hours=1), 3))


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """A program that may ask for codes; public, so it has no secret. `redirects` are regular expressions, matched whole."""

    id: str
    redirects: tuple[str, ...]
    scope: str


COPILOT = OAuthClient(
    "faultmaven-copilot",
    (
        r"https://[a-p]{32}\.chromiumapp\.org/",
        r"https://[0-9a-f-]{36,40}\.extensions\.allizom\.org/",
        r"chrome-extension://[a-p]{32}/callback\.html",
    ),
    "openid profile email cases:read cases:write knowledge:read knowledge:write evidence:read",
)
SLACK = OAuthClient("faultmaven-slack-agent", (), "openid profile email cases:read cases:write knowledge:read")


@dataclass(frozen=True, slots=True)
class IdentityPolicy:
    """The settings of an installation. Raises InvalidInputError where they contradict each other.

    `home` is the installation's own organization. `registration`: whether people may sign up for an organization of their
    own. `dev_login`: whether a name is enough to come in. `public_url` is where people find the installation.
    """

    home: OrganizationId
    mode: AuthMode = AuthMode.LOCAL
    registration: bool = True
    dev_login: bool = False
    access_ttl: timedelta = MOST_ACCESS
    dev_access_ttl: timedelta = timedelta(hours=8)
    refresh_idle: timedelta = timedelta(days=14)
    refresh_absolute: timedelta = timedelta(days=30)
    session: SessionLimits = field(default_factory=lambda: SessionLimits(timedelta(hours=12), timedelta(days=30)))
    audience: str = "faultmaven"
    public_url: str = ""
    product: str = "FaultMaven"
    clients: tuple[OAuthClient, ...] = (COPILOT, SLACK)
    ask_consent: bool = True
    limits: SignInLimits = field(default_factory=SignInLimits)

    def __post_init__(self) -> None:
        if not timedelta(minutes=1) <= self.access_ttl <= MOST_ACCESS:
            raise InvalidInputError("An access token lives 1 to 10 minutes.", fields={"FM_ACCESS_TTL": "out of range"})
        if not self.access_ttl <= self.dev_access_ttl <= timedelta(days=1):
            raise InvalidInputError(
                "An access token of a passwordless sign-in lives as long as others, or up to 24 hours.",
                fields={"FM_DEV_ACCESS_TTL": "out of range"},
            )
        if not self.access_ttl <= self.refresh_idle <= self.refresh_absolute <= timedelta(days=30):
            raise InvalidInputError(
                "A refresh token's idle time is not below an access token's life, nor above its absolute time of 30 days at most.",
                fields={"FM_REFRESH_IDLE": "out of range"},
            )
