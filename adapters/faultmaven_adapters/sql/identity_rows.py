"""Organizations, users, roles and teams as rows and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from faultmaven_core import codec
from faultmaven_core.identity.model import (
    Membership,
    Organization,
    OrganizationSettings,
    OrganizationState,
    Role,
    Team,
    User,
    UserState,
)
from faultmaven_core.shared.text import searchable


def search_text(user: User) -> str:
    """What a search among users looks into."""
    return "\n".join(searchable(text) for text in (user.username, user.email, user.display_name))


def role_text(role: str) -> str:
    """How a role stands among the roles of a row, so that none is found within another's name."""
    return f"\n{role}\n"


def joined(roles: Sequence[str]) -> str:
    """Roles as a column has them."""
    return "".join(role_text(role) for role in roles)


def parted(text: str) -> tuple[str, ...]:
    """The roles of a column."""
    return tuple(text.split())


def organization_row(organization: Organization) -> dict[str, Any]:
    """The row of an organization."""
    return {
        "organization_id": organization.id,
        "name": organization.name,
        "state": str(organization.state),
        "settings": codec.to_builtins(organization.settings),
        "created_at": organization.created_at,
        "version": organization.version,
    }


def organization_of(row: Any) -> Organization:
    """The organization of a row."""
    settings = codec.restored(OrganizationSettings, row.settings)
    return Organization(
        row.organization_id, row.name, row.created_at, OrganizationState(row.state), settings, row.version
    )


def user_row(user: User) -> dict[str, Any]:
    """The row of a user."""
    return {
        "organization_id": user.organization,
        "key": user.key,
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "display_name": user.display_name,
        "roles": joined(user.roles),
        "state": str(user.state),
        "password": user.password,
        "remembered": list(user.remembered),
        "search_text": search_text(user),
        "created_at": user.created_at,
        "last_login_at": user.last_login_at,
        "version": user.version,
    }


def user_of(row: Any) -> User:
    """The user of a row."""
    return User(
        row.key,
        row.id,
        row.organization_id,
        row.username,
        row.email,
        row.display_name,
        parted(row.roles),
        row.created_at,
        UserState(row.state),
        row.password,
        row.last_login_at,
        tuple(row.remembered),
        row.version,
    )


def role_row(role: Role) -> dict[str, Any]:
    """The row of a role."""
    return {
        "organization_id": role.organization,
        "name": role.name,
        "permissions": list(role.permissions),
        "version": role.version,
    }


def role_of(row: Any) -> Role:
    """The role of a row."""
    return Role(row.organization_id, row.name, tuple(row.permissions), row.version)


def team_row(team: Team) -> dict[str, Any]:
    """The row of a team."""
    return {
        "organization_id": team.organization,
        "key": team.key,
        "id": team.id,
        "name": team.name,
        "parent": team.parent,
        "created_at": team.created_at,
        "version": team.version,
    }


def team_of(row: Any) -> Team:
    """The team of a row."""
    return Team(row.key, row.id, row.organization_id, row.name, row.parent, row.created_at, row.version)


def membership_row(member: Membership) -> dict[str, Any]:
    """The row of a membership."""
    return {
        "organization_id": member.organization,
        "team_id": member.team,
        "user_id": member.user,
        "since": member.since,
    }


def membership_of(row: Any) -> Membership:
    """The membership of a row."""
    return Membership(row.organization_id, row.team_id, row.user_id, row.since)
