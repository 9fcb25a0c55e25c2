"""Runs revisions on the connection that the caller opened; called by alembic."""

from __future__ import annotations

from alembic import context

from faultmaven_adapters.sql.tables import METADATA

connection = context.config.attributes["connection"]
# The transaction is the caller's: on SQLite too all steps happen or none.
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True, transactional_ddl=True)
context.run_migrations()
