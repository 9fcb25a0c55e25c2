"""How SQLAlchemy's driver is to connect to a PostgreSQL."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from faultmaven_adapters._support.postgres_place import PostgresPlace
from faultmaven_adapters.sql.options import SqlOptions


def connect_arguments(place: PostgresPlace, options: SqlOptions) -> dict[str, Any]:
    """Where, as whom, and how with prepared statements."""
    found = place.arguments(options.connect_timeout)
    if options.transaction_pooler:
        # A prepared statement stays on the server's connection, and the next transaction may have another one.
        found |= {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
        found["prepared_statement_name_func"] = lambda: f"fm_{uuid4().hex}"
    return found
