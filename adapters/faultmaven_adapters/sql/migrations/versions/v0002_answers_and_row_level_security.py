"""Answers of commands that carried a request key; on PostgreSQL every row is visible to its own organization only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TABLES = ("cases_case", "cases_record", "cases_journal", "evidence_item", "jobs_job", "commands_answer")

# Where nothing was set, or only in an earlier transaction, this is NULL or empty: no organization, so no rows.
_OWN = "organization_id = current_setting('app.organization', true)"
_RUNNER = "current_setting('app.runner', true) = 'on'"


def upgrade() -> None:
    """Make the table, then the policies."""
    op.create_table(
        "commands_answer",
        _text("organization_id", 128),
        _text("user_id", 128),
        _text("request_key", 256),
        _text("command", 64),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "user_id", "request_key", name="pk_commands_answer"),
    )
    op.create_index("ix_commands_answer_organization_id_at", "commands_answer", ["organization_id", "at"])
    if op.get_bind().dialect.name == "postgresql":
        for table in _TABLES:
            allowed = f"{_OWN} OR {_RUNNER}" if table == "jobs_job" else _OWN
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY organization ON {table} USING ({allowed}) WITH CHECK ({allowed})")


def downgrade() -> None:
    """Remove the policies, then the table."""
    if op.get_bind().dialect.name == "postgresql":
        for table in _TABLES:
            op.execute(f"DROP POLICY organization ON {table}")
            op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.drop_table("commands_answer")


def _text(name: str, length: int) -> sa.Column[str]:
    column = sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")
    return sa.Column(name, column, nullable=False)
