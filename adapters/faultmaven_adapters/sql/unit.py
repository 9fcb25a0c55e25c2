"""Units of work on SQL: one connection, one transaction, one organization."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from sqlalchemy import CursorResult, Executable, Row
from sqlalchemy.ext.asyncio import AsyncConnection

from faultmaven_adapters.sql.engine import READ_ONLY, SqlDatabase
from faultmaven_adapters.sql.errors import translated
from faultmaven_adapters.sql.outbox import CollectingOutbox
from faultmaven_core.ports.job_queue import Notify
from faultmaven_core.ports.transactions import UnitOfWork
from faultmaven_core.shared.errors import ConflictError
from faultmaven_core.shared.ids import OrganizationId


class SqlTransaction:
    """What repositories run their statements on; refuses to after the unit ended."""

    def __init__(self, database: SqlDatabase, organization: OrganizationId, *, read_only: bool) -> None:
        self.organization = organization
        self.read_only = read_only
        self._database = database
        self._connection: AsyncConnection | None = None
        self._used = False

    async def begin(self) -> None:
        """Open the connection and the transaction. Raises ConflictError the second time."""
        if self._used:
            raise ConflictError("A unit of work is used once; make a new one.")
        self._used = True
        with translated(self._database.place):
            connection = await self._database.engine.connect()
            try:
                await connection.execution_options(**{READ_ONLY: self.read_only})
                await connection.begin()
            except BaseException:
                await connection.close()
                raise
        self._connection = connection

    async def run(self, statement: Executable, rows: Sequence[dict[str, Any]] | None = None) -> CursorResult[Any]:
        """Run one statement, or one for many rows."""
        with translated(self._database.place):
            return await self._open().execute(statement, rows)

    async def first(self, statement: Executable) -> Row[Any] | None:
        """The first row of a query."""
        return (await self.run(statement)).first()

    async def commit(self) -> None:
        """Make it durable; nothing can be run afterwards."""
        connection = self._open()
        with translated(self._database.place):
            await connection.commit()
        await self.end()

    async def end(self) -> None:
        """Give the connection back; what was not committed is rolled back by that."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with translated(self._database.place):
                await connection.close()

    def _open(self) -> AsyncConnection:
        if self._connection is None:
            raise ConflictError("This unit of work has ended.")
        return self._connection


class SqlUnitOfWork(UnitOfWork):
    """The shape that all contexts' units share; `notify` is told after a commit which jobs it asked for."""

    def __init__(self, transaction: SqlTransaction, outbox: CollectingOutbox, notify: Notify) -> None:
        self.transaction = transaction
        self.outbox: CollectingOutbox = outbox
        self._notify = notify

    async def __aenter__(self) -> Self:
        await self.transaction.begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.transaction.end()

    async def commit(self) -> None:
        await self.transaction.commit()
        if self.outbox.asked:
            self._notify(self.outbox.asked)
