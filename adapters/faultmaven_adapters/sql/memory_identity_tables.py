"""The rows of identity in memory, and what keeps them unique."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

from faultmaven_core.identity.audit_chain import AuditEvent
from faultmaven_core.identity.credentials import ApiKey, Grant, Invitation, RefreshToken
from faultmaven_core.identity.model import Membership, Organization, Role, Team, User

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class IdentityTables:
    """All rows, by the organization and what names them within it."""

    organizations: dict[tuple[str, str], Organization] = field(default_factory=dict)
    users: dict[tuple[str, str], User] = field(default_factory=dict)
    roles: dict[tuple[str, str], Role] = field(default_factory=dict)
    teams: dict[tuple[str, str], Team] = field(default_factory=dict)
    memberships: dict[tuple[str, tuple[str, str]], Membership] = field(default_factory=dict)
    invitations: dict[tuple[str, str], Invitation] = field(default_factory=dict)
    refresh_tokens: dict[tuple[str, str], RefreshToken] = field(default_factory=dict)
    api_keys: dict[tuple[str, str], ApiKey] = field(default_factory=dict)
    grants: dict[tuple[str, tuple[str, str]], Grant] = field(default_factory=dict)
    audit: dict[tuple[str, int], AuditEvent] = field(default_factory=dict)

    def copy(self) -> IdentityTables:
        """Tables that can be changed without these noticing; the rows themselves are immutable."""
        return IdentityTables(*(dict(getattr(self, each.name)) for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Unique(Generic[Row]):
    """A value that only one row may have: within its organization, or within the installation."""

    name: str
    value: Callable[[Row], Any]
    everywhere: bool = False


USERS: tuple[Unique[User], ...] = (
    Unique("key", lambda user: user.key),
    Unique("id", lambda user: user.id),
    Unique("username", lambda user: user.username, everywhere=True),
    Unique("email", lambda user: user.email or None, everywhere=True),
)
TEAMS: tuple[Unique[Team], ...] = (
    Unique("key", lambda team: team.key),
    Unique("id", lambda team: team.id),
    Unique("name", lambda team: team.name),
)
INVITATIONS: tuple[Unique[Invitation], ...] = (
    Unique("key", lambda invitation: invitation.key),
    Unique("id", lambda invitation: invitation.id),
    Unique("digest", lambda invitation: invitation.digest, everywhere=True),
)
REFRESH_TOKENS: tuple[Unique[RefreshToken], ...] = (
    Unique("key", lambda token: token.key),
    Unique("digest", lambda token: token.digest, everywhere=True),
)
API_KEYS: tuple[Unique[ApiKey], ...] = (
    Unique("key", lambda key: key.key),
    Unique("id", lambda key: key.id),
    Unique("digest", lambda key: key.digest, everywhere=True),
)
GRANTS: tuple[Unique[Grant], ...] = (
    Unique("key", lambda grant: grant.key),
    Unique("digest", lambda grant: (grant.purpose, grant.digest), everywhere=True),
)
