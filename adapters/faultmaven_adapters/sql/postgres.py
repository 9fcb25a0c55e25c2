"""PostgreSQL 15 to 18 over asyncpg, directly or through a pooler that gives each transaction another connection."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress

from sqlalchemy import Executable, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from faultmaven_adapters._support.backoff import wait_until_up
from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.sql.engine import LOOK, Rows, Scope, SqlConnection, SqlDatabase, Values
from faultmaven_adapters.sql.errors import TABLE
from faultmaven_adapters.sql.migrations.head import HEAD
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.postgres_inspection import inspection
from faultmaven_adapters.sql.postgres_url import PostgresPlace
from faultmaven_core.ports.health import Inspection
from faultmaven_core.shared.errors import (
    AmbiguousError,
    BackendError,
    BackendUnavailableError,
    MisconfiguredError,
)

_GRACE = 1.0
"""Seconds that the server's own time-out has before ours: its leaves the connection usable."""

_SCOPE = text(
    "SELECT set_config('app.organization', :organization, true), set_config('app.runner', :runner, true), "
    "set_config('statement_timeout', :statement, true), set_config('lock_timeout', :lock, true), "
    "set_config('idle_in_transaction_session_timeout', :idle, true)"
)
"""For this transaction only: set for the session, it would go on to the pool's next user."""

_REVISION = text("SELECT version_num FROM alembic_version")
_LOCK = text("SELECT pg_advisory_xact_lock(:key)")


class PostgresConnection(SqlConnection):
    """See SqlConnection."""

    def __init__(self, connection: AsyncConnection, place: str, options: SqlOptions) -> None:
        self._connection, self._place, self._options = connection, place, options
        self._patience = options.statement_timeout + _GRACE

    @property
    def dead(self) -> bool:
        """Whether the driver found it broken."""
        return self._connection.invalidated

    async def enter(self, scope: Scope) -> None:
        """Begin, and say whose rows are to be seen."""
        options = self._options
        values = {
            "organization": scope.organization,
            "runner": "on" if scope.runner else "off",
            "statement": _milliseconds(options.statement_timeout),
            "lock": _milliseconds(options.lock_timeout),
            "idle": _milliseconds(options.idle_timeout),
        }
        with translation(TABLE, self._place):
            async with asyncio.timeout(options.connect_timeout):
                await self._connection.execute(_SCOPE, values)

    async def run(self, statement: Executable, values: Values = None) -> Rows:
        with translation(TABLE, self._place):
            async with asyncio.timeout(self._patience):
                return Rows.of(await self._connection.execute(statement, values))

    async def lock(self, name: str) -> None:
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        await self.run(_LOCK, {"key": key})

    async def commit(self) -> None:
        raw = (await self._connection.get_raw_connection()).driver_connection
        if raw is None or raw.is_closed():
            raise BackendUnavailableError(f"{self._place} ended the connection before the commit; nothing is kept.")
        try:
            with translation(TABLE, self._place):
                async with asyncio.timeout(self._patience):
                    await self._connection.commit()
        except BackendError as error:
            raise AmbiguousError(
                f"{self._place} broke off in the middle of a commit: the change may or may not have happened."
            ) from error

    async def close(self) -> None:
        with suppress(BackendError), translation(TABLE, self._place):
            await self._connection.close()


class PostgresDatabase(SqlDatabase):
    """See SqlDatabase. Writers run at the same time; who loses a race is told so and begins again."""

    def __init__(self, url: str, options: SqlOptions) -> None:
        place = PostgresPlace.parse(url, options.password)
        self.place = str(place)
        self._options = options
        self._writer = _engine(place, options)
        self._reader = _reading(self._writer)
        self._replica = self._reader
        if options.read_url:
            self._replica = _reading(_engine(PostgresPlace.parse(options.read_url, options.password), options))

    async def start(self) -> None:
        await wait_until_up(self._look, patience=self._options.startup_wait)

    async def begin(self, scope: Scope) -> PostgresConnection:
        engine = self._replica if scope.may_lag else self._reader if scope.read_only else self._writer
        # This costs a live connection no round trip, as a ping before every use would.
        for last in (not self._options.pre_ping, True):
            connection = PostgresConnection(await self._connected(engine), self.place, self._options)
            try:
                await connection.enter(scope)
            except BaseException as error:
                died = connection.dead and isinstance(error, BackendUnavailableError)
                await connection.close()
                if last or not died:
                    raise
            else:
                return connection
        raise AssertionError  # the loop's last turn returns or raises

    async def inspect(self) -> Inspection:
        connection = await self.begin(LOOK)
        try:
            return await inspection(connection, self._options)
        finally:
            await connection.close()

    def pool(self) -> str:
        return self._writer.pool.status()

    async def aclose(self) -> None:
        await self._writer.dispose()
        await self._replica.dispose()

    async def _connected(self, engine: AsyncEngine) -> AsyncConnection:
        with translation(TABLE, self.place):
            async with asyncio.timeout(self._options.pool_timeout + self._options.connect_timeout):
                return await engine.connect()

    async def _look(self) -> None:
        connection = await self.begin(LOOK)
        try:
            row = (await connection.run(_REVISION)).first()
        finally:
            await connection.close()
        found = str(row[0]) if row else ""
        if found < HEAD:
            raise MisconfiguredError(
                f"{self.place} is at revision {found}, this release needs {HEAD}: run `fm migrate`."
            )
        if found > HEAD:
            raise MisconfiguredError(
                f"{self.place} was migrated by a newer FaultMaven (revision {found}, this one knows {HEAD}): upgrade this one."
            )


def _engine(place: PostgresPlace, options: SqlOptions) -> AsyncEngine:
    return create_async_engine(
        "postgresql+asyncpg://",
        connect_args=place.arguments(options),
        pool_size=options.pool_size,
        max_overflow=options.max_overflow,
        pool_timeout=options.pool_timeout,
        pool_recycle=options.pool_recycle,
    )


def _reading(engine: AsyncEngine) -> AsyncEngine:
    """The same pool for transactions that see one state from their first statement to their last, and change nothing."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))
