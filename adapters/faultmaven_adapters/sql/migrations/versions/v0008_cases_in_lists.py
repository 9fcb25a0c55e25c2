"""Cases in lists: those that are left out, the teams that they are shared with, and the last record in short."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns. A record of the time before is told in short once there is another one."""
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    json = sa.JSON().with_variant(JSONB(), "postgresql")
    op.add_column("cases_case", sa.Column("archived_at", sa.DateTime(timezone=True)))
    op.add_column("cases_case", sa.Column("teams", text, nullable=False, server_default=sa.text("''")))
    op.add_column("cases_case", sa.Column("figures", json, nullable=False, server_default=sa.text("'{}'")))
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("cases_case", "teams", server_default=None)
        op.alter_column("cases_case", "figures", server_default=None)


def downgrade() -> None:
    """Remove them."""
    for name in ("figures", "teams", "archived_at"):
        op.drop_column("cases_case", name)
