"""The rows of identity in memory, what keeps them unique and what they belong to."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

from faultmaven_core.identity.audit_chain import AuditEvent
from faultmaven_core.identity.credentials import ApiKey, Grant, Invitation, RefreshToken
from faultmaven_core.identity.model import Membership, Organization, Role, Team, User
from faultmaven_core.identity.ports import AuditHead

Row = TypeVar("Row", bound=Any)


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
    audit_heads: dict[str, AuditHead] = field(default_factory=dict)

    def copy(self) -> IdentityTables:
        """Tables that can be changed without these noticing; the rows themselves are immutable."""
        return IdentityTables(*(dict(getattr(self, each.name)) for each in fields(self)))


@dataclass(frozen=True, slots=True)
class Unique:
    """A value that only one row may have: within its organization, or within the installation. None clashes with nothing."""

    name: str
    value: Callable[[Any], Any]
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Kind(Generic[Row]):
    """A table: what errors call a row, what names it, what is unique, and the table and name of what it belongs to."""

    what: str
    table: str
    name: Callable[[Row], Hashable]
    unique: Sequence[Unique] = ()
    parents: Sequence[tuple[str, Callable[[Row], Hashable]]] = ()


_KEY = Unique("key", lambda row: row.key)
_DIGEST = Unique("digest", lambda row: row.digest, everywhere=True)
_ORGANIZATION = ("organizations", lambda row: row.organization)
_USER = ("users", lambda row: row.user)

USERS: Kind[User] = Kind(
    "user",
    "users",
    lambda user: user.id,
    (
        _KEY,
        Unique("username", lambda user: user.username, everywhere=True),
        Unique("email", lambda user: user.email or None, everywhere=True),
    ),
    (_ORGANIZATION,),
)
ROLES: Kind[Role] = Kind("role", "roles", lambda role: role.name, (), (_ORGANIZATION,))
TEAMS: Kind[Team] = Kind(
    "team", "teams", lambda team: team.id, (_KEY, Unique("name", lambda team: team.name)), (_ORGANIZATION,)
)
MEMBERSHIPS: Kind[Membership] = Kind(
    "member",
    "memberships",
    lambda member: (member.team, member.user),
    (),
    (("teams", lambda member: member.team), _USER),
)
INVITATIONS: Kind[Invitation] = Kind(
    "invitation", "invitations", lambda invitation: invitation.id, (_KEY, _DIGEST), (_ORGANIZATION,)
)
REFRESH_TOKENS: Kind[RefreshToken] = Kind(
    "refresh token", "refresh_tokens", lambda token: token.digest, (_KEY, _DIGEST), (_USER,)
)
API_KEYS: Kind[ApiKey] = Kind("API key", "api_keys", lambda key: key.id, (_KEY, _DIGEST), (_USER,))
GRANTS: Kind[Grant] = Kind(
    "grant",
    "grants",
    lambda grant: (grant.purpose, grant.digest),
    (_KEY, Unique("digest", lambda grant: (grant.purpose, grant.digest), everywhere=True)),
    (_USER,),
)
