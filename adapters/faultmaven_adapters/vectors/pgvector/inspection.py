"""What a PostgreSQL with pgvector says of itself, and which of its settings will hurt later."""

from __future__ import annotations

from typing import Any

from faultmaven_core.ports.health import Inspection

_QUESTION = """
SELECT current_setting('server_version') AS server, clock_timestamp() AS clock,
  (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS extension,
  (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS unbound
"""


async def inspection(connection: Any) -> Inspection:
    """Asked on an open connection of the service's own role."""
    row = await connection.fetchrow(_QUESTION)
    found = (
        ("The service's role bypasses row-level security: use one with NOSUPERUSER and NOBYPASSRLS.",)
        if row["unbound"]
        else ()
    )
    version = f"{row['extension']} on PostgreSQL {row['server'].split()[0]}"
    return Inspection("pgvector", version, row["clock"], found)
