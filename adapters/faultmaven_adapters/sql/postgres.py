"""PostgreSQL 15 to 18 over asyncpg, directly or through a pooler that gives each transaction another connection."""

from __future__ import annotations

import asyncio
import hashlib
import re
from contextlib import suppress
from typing import Any

import asyncpg
from sqlalchemy import Executable, exc, text

from faultmaven_adapters._support.backoff import wait_until_up
from faultmaven_adapters._support.postgres_place import PostgresPlace
from faultmaven_adapters._support.translate import Table, translation
from faultmaven_adapters.sql.engine import LOOK, Rows, Scope, SqlConnection, SqlDatabase, Values
from faultmaven_adapters.sql.errors import FULL, READ_ONLY, TABLE, broken, of_postgres
from faultmaven_adapters.sql.migrations.head import HEAD
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.postgres_inspection import inspection
from faultmaven_adapters.sql.postgres_pool import PostgresPool, Taken
from faultmaven_core.ports.health import Inspection
from faultmaven_core.shared.errors import (
    AmbiguousError,
    BackendError,
    BackendUnavailableError,
    ConflictError,
    FaultMavenError,
    InvalidInputError,
    MisconfiguredError,
)

_GRACE = 1.0
"""Seconds that the server's own time-out has before ours: its leaves the connection usable."""


def _of_sqlalchemy(error: Any, place: str) -> FaultMavenError:
    # The driver got the server's last word while nobody asked, and has not yet seen the end of the connection.
    lost = isinstance(getattr(error.orig, "__cause__", None), asyncpg.InternalClientError)
    return (broken if lost else TABLE[exc.StatementError])(error, place)


_TABLE: Table = {
    **TABLE,
    asyncpg.PostgresError: of_postgres,
    asyncpg.InterfaceError: broken,
    asyncpg.InternalClientError: broken,
    exc.StatementError: _of_sqlalchemy,
}
"""Also for what the driver raises where we ask it past SQLAlchemy."""

_REVISION = text("SELECT version_num FROM alembic_version")
_LOCK = text("SELECT pg_advisory_xact_lock(:key)")


class PostgresConnection(SqlConnection):
    """See SqlConnection. Transactions begin and end in one message each, past SQLAlchemy, which needs several."""

    def __init__(self, taken: Taken, pool: PostgresPool, place: str, options: SqlOptions) -> None:
        self._taken, self._connection, self._raw = taken, taken.opened.connection, taken.opened.raw
        self._pool, self._place, self._options = pool, place, options
        self._patience = options.statement_timeout + _GRACE
        self._ended = self._demoted = False

    @property
    def died(self) -> bool:
        """Whether the driver found it broken."""
        return bool(self._raw.is_closed())

    async def enter(self, scope: Scope) -> None:
        """Begin, and say whose rows are to be seen."""
        await self._say(_beginning(scope, self._options), self._options.connect_timeout)

    async def run(self, statement: Executable, values: Values = None) -> Rows:
        with translation(_TABLE, self._place):
            try:
                async with asyncio.timeout(self._patience):
                    return Rows.of(await self._connection.execute(statement, values))
            except exc.DBAPIError as error:
                # What was the primary and is a replica now refuses on this connection for ever; a new one finds the new primary.
                self._demoted = getattr(error.orig, "sqlstate", "") == READ_ONLY
                raise

    async def lock(self, name: str) -> None:
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        await self.run(_LOCK, {"key": key})

    async def commit(self) -> None:
        if self.died:
            raise BackendUnavailableError(f"{self._place} ended the connection before the commit; nothing is kept.")
        try:
            said = await self._say("COMMIT", self._patience)
        except BackendError as error:
            raise AmbiguousError(
                f"{self._place} broke off in the middle of a commit: the change may or may not have happened."
            ) from error
        self._ended = True
        if said != "COMMIT":
            raise ConflictError("This unit of work has failed; nothing of it is kept.")

    async def close(self) -> None:
        # Whoever is cancelled on the way out gives the connection back all the same.
        try:
            with suppress(BackendError):
                gone = self.died or self._demoted or self._connection.invalidated
                if not (self._ended or gone):
                    await self._say("ROLLBACK", self._options.connect_timeout)
                    self._ended = True
        finally:
            with suppress(BackendError), translation(_TABLE, self._place):
                try:
                    if not self._ended:
                        # In what state it is nobody knows, so nobody may get it from the pool.
                        await self._connection.invalidate()
                finally:
                    await self._pool.give_back(self._taken)

    async def _say(self, sql: str, seconds: float) -> str:
        with translation(_TABLE, self._place):
            async with asyncio.timeout(seconds):
                return str(await self._raw.execute(sql))


class PostgresDatabase(SqlDatabase):
    """See SqlDatabase. Writers run at the same time; who loses a race is told so and begins again."""

    def __init__(self, url: str, options: SqlOptions) -> None:
        place = PostgresPlace.parse(url, options.password)
        self.place = str(place)
        self._options = options
        self._primary = self._replica = PostgresPool(place, options)
        if options.read_url:
            self._replica = PostgresPool(PostgresPlace.parse(options.read_url, options.password), options)

    async def start(self) -> None:
        await wait_until_up(self._look, patience=self._options.startup_wait)

    async def begin(self, scope: Scope) -> PostgresConnection:
        pool = self._replica if scope.may_lag else self._primary
        # This costs a live connection no round trip, as a ping before every use would.
        most = self._options.pool_size + self._options.max_overflow if self._options.pre_ping else 0
        for left in range(most, -1, -1):
            connection = await self._taken(pool)
            try:
                await connection.enter(scope)
            except BaseException as error:
                await connection.close()
                if not (left and isinstance(error, BackendUnavailableError)):
                    raise
            else:
                return connection
        raise AssertionError  # the loop's last turn returns or raises

    async def ping(self) -> None:
        # A database that is busy is not away: where every connection is in use, one more says which of the two it is.
        if not self._primary.busy:
            await super().ping()
            return
        async with self._primary.beside() as more:
            try:
                connection = await self._taken(more)
            except BackendUnavailableError as error:
                if getattr(getattr(error.__cause__, "orig", None), "sqlstate", "") == FULL:
                    return  # it has said so itself
                raise
            try:
                await connection.enter(LOOK)
            finally:
                await connection.close()

    async def inspect(self) -> Inspection:
        connection = await self.begin(LOOK)
        try:
            return await inspection(connection, self._options)
        finally:
            await connection.close()

    def pool(self) -> str:
        return self._primary.status()

    async def aclose(self) -> None:
        await self._primary.aclose()
        await self._replica.aclose()

    async def _taken(self, pool: PostgresPool) -> PostgresConnection:
        with translation(_TABLE, self.place):
            return PostgresConnection(await pool.take(), pool, self.place, self._options)

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


def _beginning(scope: Scope, options: SqlOptions) -> str:
    """Everything is set for this transaction only: what is set for the session goes on to the pool's next user."""
    if re.search(r"[\\\0]", scope.organization):
        raise InvalidInputError("This is no name of an organization.")
    organization = scope.organization.replace("'", "''")
    mode = " ISOLATION LEVEL REPEATABLE READ READ ONLY" if scope.read_only else ""
    return (
        f"BEGIN{mode}; SET LOCAL app.organization = '{organization}'; SET LOCAL app.runner = '{_switch(scope.runner)}'; "
        f"SET LOCAL app.directory = '{_switch(scope.directory)}'; "
        f"SET LOCAL statement_timeout = {_milliseconds(options.statement_timeout)}; "
        f"SET LOCAL lock_timeout = {_milliseconds(options.lock_timeout)}; "
        f"SET LOCAL idle_in_transaction_session_timeout = {_milliseconds(options.idle_timeout)}"
    )


def _switch(on: bool) -> str:
    return "on" if on else ""


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
