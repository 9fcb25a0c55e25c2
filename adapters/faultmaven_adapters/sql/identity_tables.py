"""The tables of who there is and of what lets somebody in; secrets are in none of them, only their digests."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, Table, UniqueConstraint, Uuid, text

from faultmaven_adapters.sql.columns import METADATA, NONE, JsonDocument, UtcDateTime, one_of, organization, text_type


def _of_organization() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["organization_id"], ["identity_organization.organization_id"])


def _of_user() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["organization_id", "user_id"], ["identity_user.organization_id", "identity_user.id"])


_HAS_ADDRESS = text("email <> ''")

ORGANIZATION = Table(
    "identity_organization",
    METADATA,
    organization(),
    Column("name", text_type(), **NONE),
    Column("state", text_type(16), **NONE),
    Column("settings", JsonDocument, **NONE),
    Column("created_at", UtcDateTime, **NONE),
    Column("version", BigInteger, **NONE),
    one_of("state", "active", "suspended"),
)

USER = Table(
    "identity_user",
    METADATA,
    organization(),
    Column("key", Uuid, primary_key=True),
    Column("id", text_type(128), **NONE),
    Column("username", text_type(320), **NONE),
    Column("email", text_type(320), **NONE),
    Column("display_name", text_type(), **NONE),
    Column("roles", text_type(), **NONE),
    Column("state", text_type(16), **NONE),
    Column("password", text_type(), **NONE),
    Column("remembered", JsonDocument, **NONE),
    Column("search_text", text_type(), **NONE),
    Column("created_at", UtcDateTime, **NONE),
    Column("last_login_at", UtcDateTime),
    Column("version", BigInteger, **NONE),
    UniqueConstraint("organization_id", "id"),
    one_of("state", "active", "disabled", "deleted"),
    _of_organization(),
    # Within the installation: who signs in names no organization.
    Index("uq_identity_user_username", "username", unique=True),
    Index(
        "uq_identity_user_email",
        "email",
        unique=True,
        sqlite_where=_HAS_ADDRESS,
        postgresql_where=_HAS_ADDRESS,
    ),
)

ROLE = Table(
    "identity_role",
    METADATA,
    organization(),
    Column("name", text_type(128), primary_key=True),
    Column("permissions", JsonDocument, **NONE),
    Column("version", BigInteger, **NONE),
    _of_organization(),
)

TEAM = Table(
    "identity_team",
    METADATA,
    organization(),
    Column("key", Uuid, primary_key=True),
    Column("id", text_type(32), **NONE),
    Column("name", text_type(256), **NONE),
    Column("parent", text_type(32), **NONE),
    Column("created_at", UtcDateTime, **NONE),
    Column("version", BigInteger, **NONE),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "name"),
    _of_organization(),
)

MEMBERSHIP = Table(
    "identity_membership",
    METADATA,
    organization(),
    Column("team_id", text_type(32), primary_key=True),
    Column("user_id", text_type(128), primary_key=True),
    Column("since", UtcDateTime, **NONE),
    ForeignKeyConstraint(
        ["organization_id", "team_id"], ["identity_team.organization_id", "identity_team.id"], ondelete="CASCADE"
    ),
    _of_user(),
    Index(None, "organization_id", "user_id"),
)

INVITATION = Table(
    "identity_invitation",
    METADATA,
    organization(),
    Column("key", Uuid, primary_key=True),
    Column("id", text_type(32), **NONE),
    Column("email", text_type(320), **NONE),
    Column("roles", text_type(), **NONE),
    Column("digest", text_type(64), **NONE),
    Column("invited_by", text_type(128), **NONE),
    Column("state", text_type(16), **NONE),
    Column("created_at", UtcDateTime, **NONE),
    Column("expires_at", UtcDateTime, **NONE),
    Column("decided_at", UtcDateTime),
    Column("version", BigInteger, **NONE),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "digest"),
    one_of("state", "pending", "accepted", "declined", "revoked"),
    _of_organization(),
)

REFRESH_TOKEN = Table(
    "identity_refresh_token",
    METADATA,
    organization(),
    Column("key", Uuid, primary_key=True),
    Column("digest", text_type(64), **NONE),
    Column("family", Uuid, **NONE),
    Column("user_id", text_type(128), **NONE),
    Column("session", text_type(128), **NONE),
    Column("client_id", text_type(), **NONE),
    Column("scope", text_type(), **NONE),
    Column("method", text_type(64), **NONE),
    Column("signed_in_at", UtcDateTime, **NONE),
    Column("created_at", UtcDateTime, **NONE),
    Column("expires_at", UtcDateTime, **NONE),
    Column("ends_at", UtcDateTime, **NONE),
    Column("used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("version", BigInteger, **NONE),
    UniqueConstraint("organization_id", "digest"),
    _of_user(),
    Index(None, "organization_id", "family"),
    Index(None, "organization_id", "session"),
    Index(None, "organization_id", "user_id"),
    Index(None, "organization_id", "ends_at"),
)

API_KEY = Table(
    "identity_api_key",
    METADATA,
    organization(),
    Column("key", Uuid, primary_key=True),
    Column("id", text_type(32), **NONE),
    Column("user_id", text_type(128), **NONE),
    Column("name", text_type(), **NONE),
    Column("digest", text_type(64), **NONE),
    Column("hint", text_type(32), **NONE),
    Column("permissions", JsonDocument, **NONE),
    Column("created_at", UtcDateTime, **NONE),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("version", BigInteger, **NONE),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "digest"),
    _of_user(),
    Index(None, "organization_id", "user_id"),
)

GRANT = Table(
    "identity_grant",
    METADATA,
    organization(),
    Column("key", Uuid, primary_key=True),
    Column("purpose", text_type(16), **NONE),
    Column("digest", text_type(64), **NONE),
    Column("user_id", text_type(128), **NONE),
    Column("detail", JsonDocument, **NONE),
    Column("created_at", UtcDateTime, **NONE),
    Column("expires_at", UtcDateTime, **NONE),
    Column("used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("version", BigInteger, **NONE),
    UniqueConstraint("organization_id", "purpose", "digest"),
    one_of("purpose", "reset", "code"),
    _of_user(),
    Index(None, "organization_id", "user_id"),
    Index(None, "organization_id", "expires_at"),
)

AUDIT = Table(
    "identity_audit",
    METADATA,
    organization(),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Uuid, **NONE),
    Column("at", UtcDateTime, **NONE),
    Column("action", text_type(64), **NONE),
    Column("actor", text_type(128), **NONE),
    Column("target", text_type(256), **NONE),
    Column("outcome", text_type(16), **NONE),
    Column("address", text_type(64), **NONE),
    Column("request_id", text_type(128), **NONE),
    Column("detail", JsonDocument, **NONE),
    Column("previous", text_type(64), **NONE),
    Column("digest", text_type(64), **NONE),
    UniqueConstraint("organization_id", "key"),
    one_of("outcome", "success", "failure", "denied"),
    Index(None, "organization_id", "actor", "sequence"),
    Index(None, "organization_id", "action", "sequence"),
)
"""Without a foreign key: it outlives what it tells of."""

AUDIT_HEAD = Table(
    "identity_audit_head",
    METADATA,
    organization(),
    Column("sequence", BigInteger, **NONE),
    Column("digest", text_type(64), **NONE),
)
"""How far each organization's log went, so that one whose end was cut off shows."""

DIRECTORY = Table(
    "identity_directory",
    METADATA,
    organization(),
    Column("kind", text_type(16), primary_key=True),
    Column("digest", text_type(64), primary_key=True),
    Column("subject", text_type(128), **NONE),
    UniqueConstraint("kind", "digest"),
    Index(None, "organization_id", "subject"),
)
"""In which organization a name or a secret is, told by their digests. Only the directory reads it across organizations."""
