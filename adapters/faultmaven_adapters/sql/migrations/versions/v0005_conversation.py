"""Conversations: messages, what cases say of themselves, deleted cases; and what brought a piece of evidence."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_OWN = "organization_id = current_setting('app.organization', true)"
_PRIORITIES = "'low', 'medium', 'high', 'critical'"
_SILENCE = '{"statement":"","agreed":false,"gate":"","judged":[],"idle":0}'

_OF_CASES: tuple[tuple[str, sa.types.TypeEngine[Any], str], ...] = (
    ("description", sa.Text(), "''"),
    ("priority", sa.String(16), "'medium'"),
    ("source", sa.String(32), "''"),
    ("metadata", _JSON, "'{}'"),
    ("turns", sa.BigInteger(), "0"),
    ("messages", sa.BigInteger(), "0"),
    ("dialogue", _JSON, f"'{_SILENCE}'"),
)
_OF_EVIDENCE: tuple[tuple[str, sa.types.TypeEngine[Any], str], ...] = (
    ("turn", sa.BigInteger(), "0"),
    ("origin", sa.String(32), "''"),
    ("details", _JSON, "'{}'"),
)
"""Column, type, and what rows of the time before have there."""


def upgrade() -> None:
    """Add the columns and the table."""
    _add("cases_case", _OF_CASES)
    op.add_column("cases_case", sa.Column("deleted_at", sa.DateTime(timezone=True)))
    with op.batch_alter_table("cases_case") as table:
        table.create_check_constraint(op.f("ck_cases_case_priority"), f"priority IN ({_PRIORITIES})")
    op.create_index("ix_cases_case_organization_id_updated_at", "cases_case", ["organization_id", "updated_at"])
    _add("evidence_item", _OF_EVIDENCE)
    _messages()


def downgrade() -> None:
    """Remove them; deleted cases go for good, with the evidence of theirs: its copies, which nothing names then, are swept."""
    op.drop_table("cases_message")
    _forget_deleted()
    op.drop_index("ix_cases_case_organization_id_updated_at", "cases_case")
    with op.batch_alter_table("cases_case") as table:
        table.drop_constraint(op.f("ck_cases_case_priority"), type_="check")
        for name in (*(name for name, _, _ in _OF_CASES), "deleted_at"):
            table.drop_column(name)
    with op.batch_alter_table("evidence_item") as table:
        for name, _, _ in _OF_EVIDENCE:
            table.drop_column(name)


def _forget_deleted() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    tables = ("cases_record", "cases_journal", "evidence_item", "cases_case")
    if postgresql:  # the owner, whom the policies bind too, would see no row
        for table in tables:
            op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    # One by one, because SQLite's foreign keys are off here.
    for table in tables[:-1]:
        op.execute(
            f"DELETE FROM {table} WHERE (organization_id, case_id) IN "  # noqa: S608 - names of our own
            "(SELECT organization_id, id FROM cases_case WHERE deleted_at IS NOT NULL)"
        )
    op.execute("DELETE FROM cases_case WHERE deleted_at IS NOT NULL")
    if postgresql:
        for table in tables:
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _add(table: str, columns: tuple[tuple[str, sa.types.TypeEngine[Any], str], ...]) -> None:
    for name, kind, old in columns:
        # As bound text, because a colon in JSON is no parameter.
        default = sa.text(old.replace(":", "\\:"))
        op.add_column(table, sa.Column(name, _collated(kind), nullable=False, server_default=default))
    with op.batch_alter_table(table) as batch:
        for name, _, _ in columns:
            batch.alter_column(name, server_default=None)


def _messages() -> None:
    op.create_table(
        "cases_message",
        sa.Column("organization_id", _collated(sa.String(128)), nullable=False),
        sa.Column("case_id", _collated(sa.String(32)), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("id", _collated(sa.String(32)), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("role", _collated(sa.String(16)), nullable=False),
        sa.Column("author", _collated(sa.String(128)), nullable=False),
        sa.Column("text", _collated(sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("metadata", _JSON, nullable=False),
        sa.CheckConstraint("role IN ('user', 'assistant', 'system')", name=op.f("ck_cases_message_role")),
        sa.PrimaryKeyConstraint("organization_id", "case_id", "sequence", name="pk_cases_message"),
        sa.UniqueConstraint("organization_id", "case_id", "id", name="uq_cases_message_organization_id_case_id_id"),
        sa.ForeignKeyConstraint(
            ["organization_id", "case_id"],
            ["cases_case.organization_id", "cases_case.id"],
            name="fk_cases_message_cases_case",
            ondelete="CASCADE",
        ),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE cases_message ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE cases_message FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY organization ON cases_message USING ({_OWN}) WITH CHECK ({_OWN})")


def _collated(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    if isinstance(kind, sa.String):
        return kind.with_variant(type(kind)(kind.length, collation="C"), "postgresql")
    return kind
