"""What a PostgreSQL says of itself, and which of its settings will hurt later."""

from __future__ import annotations

from sqlalchemy import Row, text

from faultmaven_adapters.sql.engine import SqlConnection
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.tables import DERIVED, METADATA
from faultmaven_core.ports.health import Inspection

_OLDEST = 150000
_SHARE = 0.8

_QUESTION = text(
    "SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number, "
    "clock_timestamp() AS clock, current_setting('max_connections')::int AS connections, "
    "current_setting('superuser_reserved_connections')::int AS reserved, current_setting('fsync') AS fsync, "
    "pg_is_in_recovery() AS replica, (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS unbound, "
    "(SELECT count(*) FROM pg_class WHERE relname = ANY(:tables) AND relkind = 'r' "
    "AND pg_has_role(current_user, relowner, 'USAGE')) AS owned, "
    "(SELECT count(*) FROM pg_class WHERE relname = ANY(:tables) AND relkind = 'r' AND NOT relforcerowsecurity) AS open"
)


async def inspection(connection: SqlConnection, options: SqlOptions) -> Inspection:
    """Asked on an open connection of the service's own role."""
    (row,) = await connection.run(_QUESTION, {"tables": [*METADATA.tables, *DERIVED.tables]})
    return Inspection("PostgreSQL", str(row.version).split()[0], row.clock, tuple(_warnings(row, options)))


def _warnings(row: Row[tuple[object, ...]], options: SqlOptions) -> list[str]:
    most = options.pool_size + options.max_overflow
    allowed = int((row.connections - row.reserved) * _SHARE)
    found = {
        f"This PostgreSQL is {row.version}; 15 is the oldest that is supported: upgrade it.": row.number < _OLDEST,
        "The service's role bypasses row-level security: use one with NOSUPERUSER and NOBYPASSRLS.": row.unbound,
        "The service's role owns the tables: let another role own them, and name it in FM_DATABASE_MIGRATION_URL.": row.owned,
        "Some tables do not force row-level security: run `fm migrate`.": row.open,
        f"One process may open {most} connections, and the server's {row.connections} leave room for {allowed}: "
        "lower FM_DATABASE_POOL_SIZE, or raise max_connections.": most > allowed,
        "fsync is off: a crash of the machine loses or damages data; turn it on.": row.fsync != "on",
        "This is a replica and takes no changes: name the primary in FM_DATABASE_URL.": row.replica,
    }
    return [sentence for sentence, holds in found.items() if holds]
