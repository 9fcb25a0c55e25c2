"""What lets somebody in, and audit events, as rows and back."""

from __future__ import annotations

from typing import Any

from faultmaven_adapters.sql.identity_rows import joined, parted
from faultmaven_core.identity.audit_chain import AuditEvent, Happening, Outcome
from faultmaven_core.identity.credentials import (
    ApiKey,
    Grant,
    Invitation,
    InvitationState,
    Purpose,
    RefreshToken,
)


def invitation_row(invitation: Invitation) -> dict[str, Any]:
    """The row of an invitation."""
    return {
        "organization_id": invitation.organization,
        "key": invitation.key,
        "id": invitation.id,
        "email": invitation.email,
        "roles": joined(invitation.roles),
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
        parted(row.roles),
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
