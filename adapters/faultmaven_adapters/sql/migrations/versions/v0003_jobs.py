"""Jobs in queues: progress, results, cancelling, limits; one column says when a runner may take a job."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_STATES = "'queued', 'running', 'waiting', 'succeeded', 'dead'"
_OPEN_KEY = "dedupe_key <> '' AND due_at IS NOT NULL"

_NEW: tuple[tuple[str, sa.types.TypeEngine[Any], str | None], ...] = (
    ("queue", sa.String(63), "'default'"),
    ("max_attempts", sa.BigInteger(), "5"),
    ("time_limit_ms", sa.BigInteger(), "1800000"),
    ("trace", sa.String(128), "''"),
    ("worker", sa.Text(), "''"),
    ("progress_done", sa.BigInteger(), "0"),
    ("progress_total", sa.BigInteger(), "0"),
    ("progress_sentence", sa.Text(), "''"),
    ("cancel_requested", sa.Boolean(), "false"),
    ("result", sa.LargeBinary(), "''"),
    ("created_at", sa.DateTime(timezone=True), "'2000-01-01 00:00:00'"),
    ("notified_at", sa.DateTime(timezone=True), "'2000-01-01 00:00:00'"),
    ("started_at", sa.DateTime(timezone=True), None),
)
"""Column, type, and what jobs of the time before have there."""


def upgrade() -> None:
    """Add the columns; `due_at` takes the place of two."""
    op.drop_index("ix_jobs_job_state_run_at", "jobs_job")
    op.add_column("jobs_job", sa.Column("due_at", sa.DateTime(timezone=True)))
    for name, kind, old in _NEW:
        default = None if old is None else sa.text(old)
        op.add_column("jobs_job", sa.Column(name, _collated(kind), nullable=old is None, server_default=default))
    op.execute("UPDATE jobs_job SET due_at = run_at WHERE state IN ('queued', 'waiting')")
    op.execute("UPDATE jobs_job SET due_at = lease_until WHERE state = 'running'")
    op.execute("UPDATE jobs_job SET created_at = run_at")
    with op.batch_alter_table("jobs_job") as table:
        for name, _, old in _NEW:
            if old is not None:
                table.alter_column(name, server_default=None)
        table.drop_column("run_at")
        table.drop_column("lease_until")
        table.drop_constraint(op.f("ck_jobs_job_state"), type_="check")
        table.create_check_constraint(op.f("ck_jobs_job_state"), f"state IN ({_STATES}, 'cancelled')")
    op.create_index("ix_jobs_job_due_at", "jobs_job", ["due_at"])
    op.create_index("uq_jobs_job_id", "jobs_job", ["id"], unique=True)
    where = sa.text(_OPEN_KEY)
    op.create_index(
        "uq_jobs_job_open_dedupe_key",
        "jobs_job",
        ["organization_id", "dedupe_key"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )


def downgrade() -> None:
    """Back to two columns of time; cancelled jobs count as dead."""
    for name in ("ix_jobs_job_due_at", "uq_jobs_job_id", "uq_jobs_job_open_dedupe_key"):
        op.drop_index(name, "jobs_job")
    op.add_column("jobs_job", sa.Column("run_at", sa.DateTime(timezone=True)))
    op.add_column("jobs_job", sa.Column("lease_until", sa.DateTime(timezone=True)))
    op.execute("UPDATE jobs_job SET run_at = CASE WHEN state IN ('queued', 'waiting') THEN due_at ELSE created_at END")
    op.execute("UPDATE jobs_job SET lease_until = due_at WHERE state = 'running'")
    op.execute("UPDATE jobs_job SET state = 'dead' WHERE state = 'cancelled'")
    with op.batch_alter_table("jobs_job") as table:
        table.alter_column("run_at", nullable=False)
        for name in (*(name for name, _, _ in _NEW), "due_at"):
            table.drop_column(name)
        table.drop_constraint(op.f("ck_jobs_job_state"), type_="check")
        table.create_check_constraint(op.f("ck_jobs_job_state"), f"state IN ({_STATES})")
    op.create_index("ix_jobs_job_state_run_at", "jobs_job", ["state", "run_at"])


def _collated(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    if isinstance(kind, sa.String):
        return kind.with_variant(type(kind)(kind.length, collation="C"), "postgresql")
    return kind
