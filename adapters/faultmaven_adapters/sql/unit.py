"""Units of work on SQL: one connection, one transaction, one organization."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from sqlalchemy import Executable, Row

from faultmaven_adapters.sql.answers import SqlAnswerRepository
from faultmaven_adapters.sql.engine import Rows, Scope, SqlConnection, SqlDatabase, Values
from faultmaven_adapters.sql.outbox import CollectingOutbox
from faultmaven_core.ports.job_queue import Notify
from faultmaven_core.ports.transactions import UnitOfWork, own
from faultmaven_core.shared.errors import ConflictError
from faultmaven_core.shared.ids import OrganizationId


class SqlTransaction:
    """What repositories run their statements on; refuses to after a statement failed, and after the unit ended."""

    def __init__(
        self,
        database: SqlDatabase,
        organization: OrganizationId,
        *,
        read_only: bool = False,
        may_lag: bool = False,
        runner: bool = False,
        directory: bool = False,
    ) -> None:
        self.organization = organization
        self._scope = Scope(organization, read_only=read_only, may_lag=may_lag, runner=runner, directory=directory)
        self._database = database
        self._connection: SqlConnection | None = None
        self._used = self._failed = False

    async def begin(self) -> None:
        """Open the connection and the transaction. Raises ConflictError the second time."""
        if self._used:
            raise ConflictError("A unit of work is used once; make a new one.")
        self._used = True
        self._connection = await self._database.begin(self._scope)

    async def run(self, statement: Executable, values: Values = None) -> Rows:
        """Run one statement, with the values of its parameters or of many rows."""
        connection = self._open()
        # PostgreSQL takes no more statements then, and would answer a commit with a silent rollback.
        self._failed = True
        rows = await connection.run(statement, values)
        self._failed = False
        return rows

    async def first(self, statement: Executable, values: Values = None) -> Row[Any] | None:
        """The first row of a query."""
        return (await self.run(statement, values)).first()

    async def lock(self, *names: str) -> None:
        """Wait until no other writing unit of the organization holds this name; it is held until this one ends."""
        if not self._scope.read_only:
            await self._open().lock("\n".join((self.organization, *names)))

    def own(self, organization: str) -> None:
        """Raises PermissionDeniedError where something of another organization is to be written."""
        own(self.organization, organization)

    async def commit(self) -> None:
        """Make it durable; nothing can be run afterwards."""
        connection = self._open()
        if self._scope.read_only:
            raise ConflictError("A read-only unit of work has nothing to commit.")
        try:
            await connection.commit()
        finally:
            await self.end()

    async def end(self) -> None:
        """Give the connection back; what was not committed is rolled back by that."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _open(self) -> SqlConnection:
        if self._connection is None:
            raise ConflictError("This unit of work has ended.")
        if self._failed:
            raise ConflictError("This unit of work has failed; nothing of it is kept.")
        return self._connection


class SqlUnitOfWork(UnitOfWork):
    """The shape that all contexts' units share; `notify` is told after a commit which jobs it asked for."""

    def __init__(self, transaction: SqlTransaction, outbox: CollectingOutbox, notify: Notify) -> None:
        self.transaction = transaction
        self.answers = SqlAnswerRepository(transaction)
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
