"""Migrates a PostgreSQL as the role that owns its tables, and grants the services' role what it needs."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from faultmaven_adapters._support.backoff import wait_until_up
from faultmaven_adapters._support.postgres_place import PostgresPlace
from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.sql.errors import TABLE
from faultmaven_adapters.sql.migrate import LOCK_SECONDS, to_head
from faultmaven_adapters.sql.migrations.head import HEAD
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.postgres_url import connect_arguments
from faultmaven_adapters.sql.tables import DERIVED, METADATA
from faultmaven_core.shared.errors import MisconfiguredError
from faultmaven_core.shared.secret import Secret

_LOCK = 0x666D_6D69_6772_6174
"""The advisory lock of migrations: any number that nobody else uses."""

_ALL = "SELECT, INSERT, UPDATE, DELETE"
_APPEND_ONLY = dict.fromkeys(("cases_journal", "cases_record", "cases_message", "identity_audit"), "SELECT, INSERT")
"""What happened stays: a service that somebody took over cannot rewrite it."""


class PostgresMigration:
    """One run. Everything happens in one transaction, which also holds the lock: a killed run leaves nothing."""

    def __init__(self, url: str, password: Secret | None, app_role: str) -> None:
        self._place = PostgresPlace.parse(url, password)
        self._app_role = app_role

    async def run(self, startup_wait: float) -> str:
        """See `migrate_postgres`."""
        found: list[str] = []

        async def attempt() -> None:
            found[:] = [await self._migrate()]

        await wait_until_up(attempt, patience=startup_wait)
        return found[0]

    async def _migrate(self) -> str:
        arguments = connect_arguments(self._place, SqlOptions(transaction_pooler=True))
        engine = create_async_engine("postgresql+asyncpg://", connect_args=arguments, poolclass=NullPool)
        try:
            with translation(TABLE, str(self._place)):
                async with engine.begin() as connection:
                    await connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                    found = await connection.run_sync(_revision)
                    self._refuse_newer(found)
                    if found < HEAD:
                        await connection.run_sync(to_head)
                    if self._app_role:
                        await self._grant(connection)
                    return found
        finally:
            await engine.dispose()

    def _refuse_newer(self, found: str) -> None:
        if found > HEAD:
            raise MisconfiguredError(
                f"{self._place} was migrated by a newer FaultMaven (revision {found}, this one knows {HEAD}): upgrade this one."
            )

    async def _grant(self, connection: AsyncConnection) -> None:
        known = await connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": self._app_role})
        if known.first() is None:
            raise MisconfiguredError(
                f"{self._place} has no role {self._app_role} for the services: create it (CREATE ROLE ... LOGIN), then run "
                "`fm migrate` again."
            )
        quote = connection.dialect.identifier_preparer.quote_identifier
        role = quote(self._app_role)
        schema = quote((await connection.execute(text("SELECT current_schema()"))).scalar_one())
        tables = [*METADATA.tables, *DERIVED.tables]
        rights = {table: _APPEND_ONLY.get(table, _ALL) for table in tables} | {"alembic_version": "SELECT"}
        await connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {role}"))
        for table, granted in rights.items():
            await connection.execute(text(f"REVOKE ALL ON {table} FROM {role}"))
            await connection.execute(text(f"GRANT {granted} ON {table} TO {role}"))


def _revision(connection: Connection) -> str:
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar_one() is None:
        return ""
    row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    return str(row[0]) if row else ""
