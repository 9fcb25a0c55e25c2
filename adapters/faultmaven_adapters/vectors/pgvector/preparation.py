"""What a database needs before vectors can be kept in it; made once by a role that owns tables, and safe to repeat.

Collections come and go while the product runs, and its own role makes no tables. So the owner leaves two functions that do
this one thing with the owner's rights: a table per collection, with its index, and with row-level security that holds for
everyone who is no superuser.
"""

from __future__ import annotations

from typing import Any

import asyncpg

from faultmaven_adapters._support.backoff import wait_until_up
from faultmaven_adapters._support.postgres_place import PostgresPlace
from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.vectors.pgvector.errors import PGVECTOR_ERRORS
from faultmaven_core.shared.errors import MisconfiguredError
from faultmaven_core.shared.secret import Secret

_CONNECT = 5.0
_LOCK = 0x666D_7665_6374_6F72
"""The advisory lock of preparations: any number that nobody else uses."""

MOST_INDEXED = 2000
"""Numbers of a vector that the index takes as they are; beyond it takes halves of them, and twice as many."""

_EXTENSION = "CREATE EXTENSION IF NOT EXISTS vector"
_TABLES = """
CREATE TABLE IF NOT EXISTS vectors_collections (name varchar(45) COLLATE "C" PRIMARY KEY, spec text NOT NULL);
"""

_FUNCTIONS = """
CREATE OR REPLACE FUNCTION vectors_make(wanted text, dimension int, told text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {path} AS $body$
DECLARE target text := 'vectors_of_' || wanted;
BEGIN
  IF wanted !~ '^[a-z][a-z0-9_]{{2,44}}$' OR dimension NOT BETWEEN 2 AND 4000 THEN
    RAISE EXCEPTION 'not allowed' USING ERRCODE = '22023';
  END IF;
  PERFORM pg_advisory_xact_lock({lock});
  IF NOT EXISTS (SELECT FROM vectors_collections WHERE name = wanted) THEN
    EXECUTE format('CREATE TABLE %I (organization_id varchar(128) COLLATE "C" NOT NULL, id varchar(256) COLLATE "C" NOT NULL,'
      ' embedding vector(%s) NOT NULL, fields jsonb NOT NULL, PRIMARY KEY (organization_id, id))', target, dimension);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY organization ON %I USING (organization_id = current_setting(''app.organization'', true))'
      ' WITH CHECK (organization_id = current_setting(''app.organization'', true))', target);
    -- None on fields: where row-level security holds, conditions on JSON may not be asked of an index.
    IF dimension <= {most} THEN
      EXECUTE format('CREATE INDEX ON %I USING hnsw (embedding vector_cosine_ops)', target);
    ELSE
      EXECUTE format('CREATE INDEX ON %I USING hnsw ((embedding::halfvec(%s)) halfvec_cosine_ops)', target, dimension);
    END IF;
    INSERT INTO vectors_collections VALUES (wanted, told);
  END IF;
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO %I', target, session_user);
END $body$;

CREATE OR REPLACE FUNCTION vectors_drop(unwanted text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {path} AS $body$
BEGIN
  PERFORM pg_advisory_xact_lock({lock});
  DELETE FROM vectors_collections WHERE name = unwanted;
  IF FOUND THEN
    EXECUTE format('DROP TABLE IF EXISTS %I', 'vectors_of_' || unwanted);
  END IF;
END $body$;

REVOKE EXECUTE ON FUNCTION vectors_make(text, int, text), vectors_drop(text) FROM PUBLIC;
"""

_PATH = """
SELECT string_agg(DISTINCT quote_ident(name), ', ') || ', pg_temp' FROM (
  SELECT current_schema() AS name UNION SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
  WHERE extname = 'vector') AS schemas
"""


async def prepare(url: str, *, password: Secret | None = None, app_role: str = "", startup_wait: float = 60.0) -> None:
    """Prepare the database as the role of the URL, who owns what is made; `app_role` is who uses it. For `fm migrate`.

    Raises MisconfiguredError where the server has no pgvector, the role may not make tables, or `app_role` is not there.
    """
    place = PostgresPlace.parse(url, password)

    async def attempt() -> None:
        with translation(PGVECTOR_ERRORS, str(place)):
            connection = await asyncpg.connect(**place.arguments(_CONNECT), statement_cache_size=0)
            try:
                await prepare_with(connection, app_role, str(place))
            finally:
                await connection.close(timeout=_CONNECT)

    await wait_until_up(attempt, patience=startup_wait)


async def prepare_with(connection: Any, app_role: str, place: str) -> None:
    """The same on an open connection, in one transaction."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if app_role and not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", app_role):
            raise MisconfiguredError(
                f"{place} has no role {app_role} for the services: create it (CREATE ROLE ... LOGIN), then run `fm migrate` again."
            )
        try:
            await connection.execute(_EXTENSION)
        except asyncpg.InsufficientPrivilegeError as error:
            raise MisconfiguredError(
                f"{place} lacks the extension vector, and this user may not make it: let an administrator run "
                "CREATE EXTENSION vector in this database, then try again: `fm migrate` where FM_VECTORS_URL is `pgvector:`, "
                "else whatever used it."
            ) from error
        await connection.execute(_TABLES)
        path = await connection.fetchval(_PATH)
        await connection.execute(_FUNCTIONS.format(path=path, lock=_LOCK, most=MOST_INDEXED))
        if app_role:
            role = await connection.fetchval("SELECT quote_ident($1)", app_role)
            await connection.execute(
                f"GRANT SELECT ON vectors_collections TO {role}; "
                f"GRANT EXECUTE ON FUNCTION vectors_make(text, int, text), vectors_drop(text) TO {role}"
            )
