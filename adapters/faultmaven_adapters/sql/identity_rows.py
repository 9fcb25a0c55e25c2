"""People and credentials as rows and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from faultmaven_core import codec
from faultmaven_core.identity.audit_chain import AuditEvent, Happening, Outcome
from faultmaven_core.identity.credentials import (
    ApiKey,
    Grant,
    Invitation,
    InvitationState,
    Purpose,
    RefreshToken,
)
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
        "roles": _joined(user.roles),
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
        _parted(row.roles),
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


def invitation_row(invitation: Invitation) -> dict[str, Any]:
    """The row of an invitation."""
    return {
        "organization_id": invitation.organization,
        "key": invitation.key,
        "id": invitation.id,
        "email": invitation.email,
        "roles": _joined(invitation.roles),
        "digest": invitation.digest,
        "invited_by": invitation.invited_by,
        "state": str(invitation.state),
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
        "decided_at": invitation.decided_at,
        "version": invitation.version,
    }


def invitation_of(row: Any) -> Invitation:
    """The invitation of a row."""
    return Invitation(
        row.key,
        row.id,
        row.organization_id,
        row.email,
        _parted(row.roles),
        row.digest,
        row.invited_by,
        row.created_at,
        row.expires_at,
        InvitationState(row.state),
        row.decided_at,
        row.version,
    )


def refresh_token_row(token: RefreshToken) -> dict[str, Any]:
    """The row of a refresh token."""
    return {
        "organization_id": token.organization,
        "key": token.key,
        "digest": token.digest,
        "family": token.family,
        "user_id": token.user,
        "session": token.session,
        "client_id": token.client_id,
        "scope": token.scope,
        "method": token.method,
        "signed_in_at": token.signed_in_at,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "ends_at": token.ends_at,
        "used_at": token.used_at,
        "revoked_at": token.revoked_at,
        "version": token.version,
    }


def refresh_token_of(row: Any) -> RefreshToken:
    """The refresh token of a row."""
    return RefreshToken(
        row.key,
        row.organization_id,
        row.digest,
        row.family,
        row.user_id,
        row.session,
        row.client_id,
        row.scope,
        row.method,
        row.signed_in_at,
        row.created_at,
        row.expires_at,
        row.ends_at,
        row.used_at,
        row.revoked_at,
        row.version,
    )


def api_key_row(key: ApiKey) -> dict[str, Any]:
    """The row of an API key."""
    return {
        "organization_id": key.organization,
        "key": key.key,
        "id": key.id,
        "user_id": key.user,
        "name": key.name,
        "digest": key.digest,
        "hint": key.hint,
        "permissions": list(key.permissions),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
        "version": key.version,
    }


def api_key_of(row: Any) -> ApiKey:
    """The API key of a row."""
    return ApiKey(
        row.key,
        row.id,
        row.organization_id,
        row.user_id,
        row.name,
        row.digest,
        row.hint,
        tuple(row.permissions),
        row.created_at,
        row.expires_at,
        row.last_used_at,
        row.revoked_at,
        row.version,
    )


def grant_row(grant: Grant) -> dict[str, Any]:
    """The row of a grant."""
    return {
        "organization_id": grant.organization,
        "key": grant.key,
        "purpose": str(grant.purpose),
        "digest": grant.digest,
        "user_id": grant.user,
        "detail": grant.detail,
        "created_at": grant.created_at,
        "expires_at": grant.expires_at,
        "used_at": grant.used_at,
        "revoked_at": grant.revoked_at,
        "version": grant.version,
    }


def grant_of(row: Any) -> Grant:
    """The grant of a row."""
    return Grant(
        row.key,
        row.organization_id,
        Purpose(row.purpose),
        row.digest,
        row.user_id,
        row.created_at,
        row.expires_at,
        row.detail,
        row.used_at,
        row.revoked_at,
        row.version,
    )


def audit_row(event: AuditEvent) -> dict[str, Any]:
    """The row of an audit event."""
    happening = event.happening
    return {
        "organization_id": event.organization,
        "sequence": event.sequence,
        "key": event.key,
        "at": event.at,
        "action": happening.action,
        "actor": happening.actor,
        "target": happening.target,
        "outcome": str(happening.outcome),
        "address": happening.address,
        "request_id": happening.request_id,
        "detail": happening.detail,
        "previous": event.previous,
        "digest": event.digest,
    }


def audit_of(row: Any) -> AuditEvent:
    """The audit event of a row."""
    happening = Happening(
        row.action, row.actor, row.target, Outcome(row.outcome), row.address, row.request_id, row.detail
    )
    return AuditEvent(row.organization_id, row.sequence, row.key, row.at, happening, row.previous, row.digest)


def _joined(roles: Sequence[str]) -> str:
    return "".join(role_text(role) for role in roles)


def _parted(text: str) -> tuple[str, ...]:
    return tuple(text.split())
