"""Who there is: organizations, users, their roles and teams, and the one who calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from faultmaven_core.identity.permissions import BUILT_IN, OWNER
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.ids import OrganizationId, UserId

TeamId = NewType("TeamId", str)
InvitationId = NewType("InvitationId", str)
ApiKeyId = NewType("ApiKeyId", str)

DEEPEST_TEAM = 5


class OrganizationState(StrEnum):
    """Whether an organization's people may come in."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class UserState(StrEnum):
    """Whether a user may come in. A deleted one keeps id and history, and has no name, address or password any more."""

    ACTIVE = "active"
    DISABLED = "disabled"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class OrganizationSettings:
    """An organization's own policy; 0 means what the installation says."""

    session_idle_seconds: int = 0
    session_absolute_seconds: int = 0
    most_sessions: int = 0


@dataclass(frozen=True, slots=True)
class Organization:
    """People who share cases and knowledge; everything that is stored belongs to one."""

    id: OrganizationId
    name: str
    created_at: datetime
    state: OrganizationState = OrganizationState.ACTIVE
    settings: OrganizationSettings = OrganizationSettings()
    version: int = 1


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of permissions that an organization made for itself; the built-in ones are in permissions.py."""

    organization: OrganizationId
    name: str
    permissions: tuple[str, ...]
    version: int = 1


@dataclass(frozen=True, slots=True)
class User:
    """A person of one organization.

    `username` and `email` are folded and unique within the installation; "" is no address. `password` is a stored value
    of the PasswordHasher, "" where no password lets anybody in. `remembered` are digests of the devices that signed in
    last, the newest first.
    """

    key: UUID
    id: UserId
    organization: OrganizationId
    username: str
    email: str
    display_name: str
    roles: tuple[str, ...]
    created_at: datetime
    state: UserState = UserState.ACTIVE
    password: str = field(default="", repr=False)
    last_login_at: datetime | None = None
    remembered: tuple[str, ...] = ()
    version: int = 1


@dataclass(frozen=True, slots=True)
class Team:
    """Some of an organization's users; `parent` is the team that it is within, "" at the top. `name` is unique."""

    key: UUID
    id: TeamId
    organization: OrganizationId
    name: str
    parent: str
    created_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class Membership:
    """A user is in a team."""

    organization: OrganizationId
    team: TeamId
    user: UserId
    since: datetime


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """From where something is asked: network address, what the device calls itself, the OAuth client, the request's id."""

    address: str = ""
    device: str = ""
    client_id: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, as proven by a token or key, and what he may do now.

    `sid` is the session ("" for an API key), `method` how it was proven (pwd | dev | oauth | api_key | operator).
    """

    caller: Caller
    username: str
    display_name: str
    email: str
    roles: tuple[str, ...]
    permissions: frozenset[str]
    sid: str
    client_id: str
    method: str
    expires_at: datetime | None
    teams: tuple[str, ...] = ()
    client: ClientInfo = ClientInfo()

    def may(self, permission: str) -> bool:
        """Whether he has a permission."""
        return permission in self.permissions


def user_id(key: UUID) -> UserId:
    """The public id of a user: `usr_` and the 12 last hexadecimal digits of the key."""
    return UserId(f"usr_{key.hex[-12:]}")


def organization_id(key: UUID) -> OrganizationId:
    """The id of an organization that somebody signed up for: `org_` and the 12 last hexadecimal digits of the key."""
    return OrganizationId(f"org_{key.hex[-12:]}")


def team_id(key: UUID) -> TeamId:
    """The public id of a team: `team_` and the 12 last hexadecimal digits of the key."""
    return TeamId(f"team_{key.hex[-12:]}")


def granted(roles: Iterable[str], custom: Iterable[Role]) -> frozenset[str]:
    """What these roles allow together; a role that does not exist (any more) allows nothing."""
    own = {role.name: frozenset(role.permissions) for role in custom}
    return frozenset().union(*(BUILT_IN.get(name) or own.get(name, frozenset()) for name in roles))


def operator(organization: OrganizationId, user: UserId) -> Principal:
    """Who works at the machine itself, by the command line: may everything within one organization."""
    rights = BUILT_IN[OWNER]
    return Principal(
        Caller(organization, user), str(user), str(user), "", (OWNER,), rights, "", "", "operator", expires_at=None
    )
