"""What the rest of this package asks of a database, whichever it is. All differences stand in the modules that serve this."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from sqlalchemy import CursorResult, Executable, Row, text

from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_core.ports.health import Inspectable, Pingable
from faultmaven_core.shared.ids import OrganizationId

Values: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None

_SOMETHING = text("SELECT 1")


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a transaction sees and what it may do. `may_lag`: see UnitOfWorkFactory.

    `runner`: every organization's jobs. `directory`: every organization's entries in the directory, to be read.
    """

    organization: OrganizationId
    read_only: bool = False
    may_lag: bool = False
    runner: bool = False
    directory: bool = False


LOOK = Scope(OrganizationId(""), read_only=True)
"""Sees no rows: for asking the database about itself."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a statement gave; everything was fetched already."""

    found: Sequence[Row[Any]]
    rowcount: int

    @classmethod
    def of(cls, result: CursorResult[Any]) -> Rows:
        """All of a result."""
        return cls(result.all(), -1) if result.returns_rows else cls((), result.rowcount)

    def __iter__(self) -> Iterator[Row[Any]]:
        return iter(self.found)

    def first(self) -> Row[Any] | None:
        """The first row; None where there is none."""
        return self.found[0] if self.found else None


class SqlConnection(Protocol):
    """A connection in its transaction. Raises what the table of errors says."""

    @abstractmethod
    async def run(self, statement: Executable, values: Values = None) -> Rows:
        """Run one statement, with the values of its parameters or of many rows."""

    @abstractmethod
    async def lock(self, name: str) -> None:
        """Wait until no other writing transaction holds this name; it is held until this one ends."""

    @abstractmethod
    async def commit(self) -> None:
        """Make it durable. Raises AmbiguousError where the connection broke on the way."""

    @abstractmethod
    async def close(self) -> None:
        """Give the connection back; what was not committed is rolled back by that.

        A broken connection is no error here: its server rolls back by itself, and what broke it was raised before.
        """


class SqlDatabase(Pingable, Inspectable, Protocol):
    """The connections to one database; every repository of the installation shares them."""

    @abstractmethod
    async def start(self) -> None:
        """Wait until it is there, and bring its schema up to date or see that it is."""

    @abstractmethod
    async def begin(self, scope: Scope) -> SqlConnection:
        """A connection with its transaction begun, seeing the scope's rows only."""

    @abstractmethod
    def pool(self) -> str:
        """How many connections there are and how many are in use, in words."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close all connections. Used again, also on another event loop, it opens new ones."""

    async def ping(self) -> None:
        """See Pingable."""
        connection = await self.begin(LOOK)
        try:
            await connection.run(_SOMETHING)
        finally:
            await connection.close()


def open_database(place: str, options: SqlOptions) -> SqlDatabase:
    """The database at a path (SQLite) or at a `postgresql:` URL. Opens nothing yet."""
    if place.startswith(("postgresql:", "postgres:")):
        from faultmaven_adapters.sql.postgres import PostgresDatabase

        return PostgresDatabase(place, options)
    from faultmaven_adapters.sql.sqlite import SqliteDatabase

    return SqliteDatabase(place, options)
