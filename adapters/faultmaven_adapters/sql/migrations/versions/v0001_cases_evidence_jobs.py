"""Cases with records and journals, evidence, jobs.

Written out, not taken from the code's tables: those will move on, this must not.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Make the first tables."""
    _cases()
    _of_cases()
    _evidence()
    _jobs()


def downgrade() -> None:
    """Remove everything."""
    for table in ("cases_record", "cases_journal", "jobs_job", "evidence_item", "cases_case"):
        op.drop_table(table)


def _cases() -> None:
    op.create_table(
        "cases_case",
        _text("organization_id", 128),
        sa.Column("key", sa.Uuid(), nullable=False),
        _text("id", 32),
        _text("owner", 128),
        _text("title"),
        _text("question"),
        _text("status", 16),
        _text("verdict", 32),
        _text("cause"),
        _text("mechanism"),
        _text("judgement", 16),
        _text("actual_cause"),
        _text("closure_reason", 32),
        sa.Column("history", _JSON, nullable=False),
        _number("records"),
        _text("search_text"),
        _moment("created_at"),
        _moment("updated_at"),
        _moment("closed_at", nullable=True),
        _number("version"),
        sa.CheckConstraint("judgement IN ('', 'confirmed', 'rejected')", name=op.f("ck_cases_case_judgement")),
        sa.CheckConstraint(
            "status IN ('inquiry', 'investigating', 'resolved', 'closed')", name=op.f("ck_cases_case_status")
        ),
        sa.PrimaryKeyConstraint("organization_id", "key", name="pk_cases_case"),
        sa.UniqueConstraint("organization_id", "id", name="uq_cases_case_organization_id_id"),
    )
    _index("cases_case", "organization_id", "status", "updated_at")


def _of_cases() -> None:
    op.create_table(
        "cases_record",
        *_within_case("cases_record"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        _text("sha256", 64),
        sa.Column("exhibits", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "cases_journal",
        *_within_case("cases_journal"),
        sa.Column("key", sa.Uuid(), nullable=False),
        _moment("at"),
        _text("actor", 128),
        _text("kind", 64),
        sa.Column("detail", _JSON, nullable=False),
        _text("previous", 64),
        _text("digest", 64),
        sa.UniqueConstraint("organization_id", "case_id", "key", name="uq_cases_journal_organization_id_case_id_key"),
    )


def _evidence() -> None:
    op.create_table(
        "evidence_item",
        _text("organization_id", 128),
        sa.Column("key", sa.Uuid(), nullable=False),
        _text("id", 32),
        _text("case_id", 32),
        _text("name"),
        _text("role", 16),
        _text("custody", 16),
        _text("location"),
        _text("blob", 512),
        _number("size"),
        _number("modified_ns"),
        _text("sha256", 64),
        _text("kind", 64),
        _text("problem"),
        sa.Column("sources", _JSON, nullable=False),
        _moment("added_at"),
        _text("added_by", 128),
        _number("version"),
        sa.CheckConstraint("custody IN ('reference', 'copy')", name=op.f("ck_evidence_item_custody")),
        sa.CheckConstraint("role IN ('incident', 'baseline')", name=op.f("ck_evidence_item_role")),
        sa.PrimaryKeyConstraint("organization_id", "key", name="pk_evidence_item"),
        sa.UniqueConstraint("organization_id", "id", name="uq_evidence_item_organization_id_id"),
    )
    _index("evidence_item", "organization_id", "case_id", "key")


def _jobs() -> None:
    op.create_table(
        "jobs_job",
        _text("organization_id", 128),
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("user_id", 128),
        _text("operation", 64),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        _text("dedupe_key"),
        _text("state", 16),
        _number("attempts"),
        _moment("run_at"),
        _moment("lease_until", nullable=True),
        sa.Column("token", sa.Uuid(), nullable=True),
        _text("error"),
        _moment("finished_at", nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'waiting', 'succeeded', 'dead')", name=op.f("ck_jobs_job_state")
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name="pk_jobs_job"),
    )
    _index("jobs_job", "state", "run_at")


def _within_case(table: str) -> list[Any]:
    return [
        _text("organization_id", 128),
        _text("case_id", 32),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "case_id", "sequence", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["organization_id", "case_id"],
            ["cases_case.organization_id", "cases_case.id"],
            name=f"fk_{table}_cases_case",
            ondelete="CASCADE",
        ),
    ]


def _text(name: str, length: int | None = None) -> sa.Column[str]:
    kind = sa.String if length else sa.Text
    column = kind(length).with_variant(kind(length, collation="C"), "postgresql")
    return sa.Column(name, column, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
