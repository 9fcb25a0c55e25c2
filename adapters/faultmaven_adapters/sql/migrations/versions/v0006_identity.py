"""Identity: organizations, users, roles, teams, what lets somebody in, the audit log, and the directory of names and secrets."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_TABLES = (
    "identity_organization",
    "identity_user",
    "identity_role",
    "identity_team",
    "identity_membership",
    "identity_invitation",
    "identity_refresh_token",
    "identity_api_key",
    "identity_grant",
    "identity_audit",
    "identity_audit_head",
    "identity_directory",
)
_OWN = "organization_id = current_setting('app.organization', true)"
_LOOKING = "current_setting('app.directory', true) = 'on'"


def upgrade() -> None:
    """Make the tables, then the policies."""
    _organizations()
    _users()
    _teams()
    _invitations()
    _refresh_tokens()
    _api_keys_and_grants()
    _audit()
    _table(
        "identity_directory",
        _text("kind", 16),
        _text("digest", 64),
        _text("subject", 128),
        key=("kind", "digest"),
        unique=(("kind", "digest"),),
        indexes=(("organization_id", "subject"),),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in _TABLES:
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY organization ON {table} USING ({_OWN}) WITH CHECK ({_OWN})")
        op.execute(f"CREATE POLICY directory ON identity_directory FOR SELECT USING ({_LOOKING})")


def downgrade() -> None:
    """Remove everything."""
    for table in reversed(_TABLES):
        op.drop_table(table)


def _organizations() -> None:
    _table(
        "identity_organization",
        _text("name"),
        _text("state", 16),
        _json("settings"),
        _moment("created_at"),
        _number("version"),
        sa.CheckConstraint("state IN ('active', 'suspended')", name=op.f("ck_identity_organization_state")),
    )
    _table(
        "identity_role",
        _text("name", 128),
        _json("permissions"),
        _number("version"),
        _of_organization("identity_role"),
        key=("name",),
    )


def _users() -> None:
    _table(
        "identity_user",
        _key(),
        _text("id", 128),
        _text("username", 320),
        _text("email", 320),
        _text("display_name"),
        _text("roles"),
        _text("state", 16),
        _text("password"),
        _json("remembered"),
        _text("search_text"),
        _moment("created_at"),
        _moment("last_login_at", nullable=True),
        _number("version"),
        sa.CheckConstraint("state IN ('active', 'disabled', 'deleted')", name=op.f("ck_identity_user_state")),
        _of_organization("identity_user"),
        key=("key",),
        unique=(("organization_id", "id"),),
    )
    op.create_index("uq_identity_user_username", "identity_user", ["username"], unique=True)
    given = sa.text("email <> ''")
    op.create_index(
        "uq_identity_user_email",
        "identity_user",
        ["email"],
        unique=True,
        sqlite_where=given,
        postgresql_where=given,
    )


def _teams() -> None:
    _table(
        "identity_team",
        _key(),
        _text("id", 32),
        _text("name", 256),
        _text("parent", 32),
        _moment("created_at"),
        _number("version"),
        _of_organization("identity_team"),
        key=("key",),
        unique=(("organization_id", "id"), ("organization_id", "name")),
    )
    _table(
        "identity_membership",
        _text("team_id", 32),
        _text("user_id", 128),
        _moment("since"),
        sa.ForeignKeyConstraint(
            ["organization_id", "team_id"],
            ["identity_team.organization_id", "identity_team.id"],
            name="fk_identity_membership_identity_team",
            ondelete="CASCADE",
        ),
        _of_user("identity_membership"),
        key=("team_id", "user_id"),
        indexes=(("organization_id", "user_id"),),
    )


def _invitations() -> None:
    _table(
        "identity_invitation",
        _key(),
        _text("id", 32),
        _text("email", 320),
        _text("roles"),
        _text("digest", 64),
        _text("invited_by", 128),
        _text("state", 16),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("decided_at", nullable=True),
        _number("version"),
        sa.CheckConstraint(
            "state IN ('pending', 'accepted', 'declined', 'revoked')", name=op.f("ck_identity_invitation_state")
        ),
        _of_organization("identity_invitation"),
        key=("key",),
        unique=(("organization_id", "id"), ("organization_id", "digest")),
    )


def _refresh_tokens() -> None:
    _table(
        "identity_refresh_token",
        _key(),
        _text("digest", 64),
        _key("family"),
        _text("user_id", 128),
        _text("session", 128),
        _text("client_id"),
        _text("scope"),
        _text("method", 64),
        *(_moment(name) for name in ("signed_in_at", "created_at", "expires_at", "ends_at")),
        *(_moment(name, nullable=True) for name in ("used_at", "revoked_at")),
        _number("version"),
        _of_user("identity_refresh_token"),
        key=("key",),
        unique=(("organization_id", "digest"),),
        indexes=tuple(("organization_id", column) for column in ("family", "session", "user_id", "ends_at")),
    )


def _api_keys_and_grants() -> None:
    _table(
        "identity_api_key",
        _key(),
        _text("id", 32),
        _text("user_id", 128),
        _text("name"),
        _text("digest", 64),
        _text("hint", 32),
        _json("permissions"),
        _moment("created_at"),
        *(_moment(name, nullable=True) for name in ("expires_at", "last_used_at", "revoked_at")),
        _number("version"),
        _of_user("identity_api_key"),
        key=("key",),
        unique=(("organization_id", "id"), ("organization_id", "digest")),
        indexes=(("organization_id", "user_id"),),
    )
    _table(
        "identity_grant",
        _key(),
        _text("purpose", 16),
        _text("digest", 64),
        _text("user_id", 128),
        _json("detail"),
        _moment("created_at"),
        _moment("expires_at"),
        *(_moment(name, nullable=True) for name in ("used_at", "revoked_at")),
        _number("version"),
        sa.CheckConstraint("purpose IN ('reset', 'code')", name=op.f("ck_identity_grant_purpose")),
        _of_user("identity_grant"),
        key=("key",),
        unique=(("organization_id", "purpose", "digest"),),
        indexes=(("organization_id", "user_id"), ("organization_id", "expires_at")),
    )


def _audit() -> None:
    _table(
        "identity_audit",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        _key(),
        _moment("at"),
        _text("action", 64),
        _text("actor", 128),
        _text("target", 256),
        _text("outcome", 16),
        _text("address", 64),
        _text("request_id", 128),
        _json("detail"),
        _text("previous", 64),
        _text("digest", 64),
        sa.CheckConstraint("outcome IN ('success', 'failure', 'denied')", name=op.f("ck_identity_audit_outcome")),
        key=("sequence",),
        unique=(("organization_id", "key"),),
        indexes=(("organization_id", "actor", "sequence"), ("organization_id", "action", "sequence")),
    )
    _table("identity_audit_head", _number("sequence"), _text("digest", 64))


def _table(
    name: str,
    *parts: Any,
    key: tuple[str, ...] = (),
    unique: tuple[tuple[str, ...], ...] = (),
    indexes: tuple[tuple[str, ...], ...] = (),
) -> None:
    op.create_table(
        name,
        _text("organization_id", 128),
        *parts,
        sa.PrimaryKeyConstraint("organization_id", *key, name=f"pk_{name}"),
        *(sa.UniqueConstraint(*columns, name=f"uq_{name}_{'_'.join(columns)}") for columns in unique),
    )
    for columns in indexes:
        op.create_index(f"ix_{name}_{'_'.join(columns)}", name, list(columns))


def _of_organization(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id"], ["identity_organization.organization_id"], name=f"fk_{table}_identity_organization"
    )


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", "user_id"],
        ["identity_user.organization_id", "identity_user.id"],
        name=f"fk_{table}_identity_user",
    )


def _text(name: str, length: int | None = None) -> sa.Column[str]:
    kind = sa.String if length else sa.Text
    column = kind(length).with_variant(kind(length, collation="C"), "postgresql")
    return sa.Column(name, column, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _key(name: str = "key") -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=False)


def _json(name: str) -> sa.Column[Any]:
    return sa.Column(name, _JSON, nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
