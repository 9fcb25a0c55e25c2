"""Uploads: what is kept free for files on their way in, and how much of each has come; and what is said of documents."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_OWN = "organization_id = current_setting('app.organization', true)"


def upgrade() -> None:
    """Add the table and the column."""
    op.create_table(
        "evidence_upload",
        sa.Column("organization_id", _text(128), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("id", _text(32), nullable=False),
        sa.Column("case_id", _text(32), nullable=False),
        sa.Column("owner", _text(128), nullable=False),
        sa.Column("name", _text(), nullable=False),
        sa.Column("role", _text(16), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resumable", sa.Boolean(), nullable=False),
        sa.Column("sha256", _text(64), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("parts", _JSON, nullable=False),
        sa.Column("details", _JSON, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN ('incident', 'baseline')", name=op.f("ck_evidence_upload_role")),
        sa.PrimaryKeyConstraint("organization_id", "key", name="pk_evidence_upload"),
        sa.UniqueConstraint("organization_id", "id", name="uq_evidence_upload_organization_id_id"),
    )
    op.create_index(
        "ix_evidence_upload_organization_id_created_at", "evidence_upload", ["organization_id", "created_at"]
    )
    op.add_column("knowledge_document", sa.Column("details", _JSON, nullable=False, server_default=sa.text("'{}'")))
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("knowledge_document", "details", server_default=None)
        op.execute("ALTER TABLE evidence_upload ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE evidence_upload FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY organization ON evidence_upload USING ({_OWN}) WITH CHECK ({_OWN})")


def downgrade() -> None:
    """Remove them."""
    op.drop_column("knowledge_document", "details")
    op.drop_table("evidence_upload")


def _text(length: int | None = None) -> sa.types.TypeEngine[Any]:
    kind = sa.String if length else sa.Text
    return kind(length).with_variant(kind(length, collation="C"), "postgresql")
