"""What the rest of this package asks of a database, whichever it is. All differences stand in the modules that serve this."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.sql.errors import TABLE
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_core.ports.health import Inspectable, Pingable
from faultmaven_core.shared.errors import BackendError
from faultmaven_core.shared.ids import OrganizationId


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a transaction sees and what it may do. `runner`: every organization's jobs. `may_lag`: see UnitOfWorkFactory."""

    organization: OrganizationId
    read_only: bool = False
    may_lag: bool = False
    runner: bool = False


class SqlDatabase(Pingable, Inspectable, Protocol):
    """The connections to one database; every repository of the installation shares them.

    `place` names it in sentences. `patience` is how long one statement may take before it is given up, None for ever.
    """

    place: str
    patience: float | None

    @abstractmethod
    async def start(self) -> None:
        """Wait until it is there, and bring its schema up to date or see that it is."""

    @abstractmethod
    async def begin(self, scope: Scope) -> AsyncConnection:
        """A connection with its transaction begun, seeing the scope's rows only."""

    @abstractmethod
    async def lock(self, connection: AsyncConnection, name: str) -> None:
        """Wait until no other writing transaction holds this name; it is held until this one ends."""

    @abstractmethod
    async def commit(self, connection: AsyncConnection) -> None:
        """Make it durable. Raises AmbiguousError where the connection broke on the way."""

    @abstractmethod
    def pool(self) -> str:
        """How many connections there are and how many are in use, in words."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close all connections. Used again, it opens new ones."""

    async def ping(self) -> None:
        """See Pingable."""
        connection = await self.begin(Scope(OrganizationId(""), read_only=True))
        await close(connection, self.place)


async def close(connection: AsyncConnection, place: str) -> None:
    """Give a connection back; what was not committed is rolled back by that.

    A broken connection is no error here: its server rolls back by itself, and what broke it was raised where it mattered.
    """
    with suppress(BackendError), translation(TABLE, place):
        await connection.close()


def open_database(place: str, options: SqlOptions) -> SqlDatabase:
    """The database at a path (SQLite) or at a `postgresql:` URL. Opens nothing yet."""
    if place.startswith(("postgresql:", "postgres:")):
        from faultmaven_adapters.sql.postgres import PostgresDatabase

        return PostgresDatabase(place, options)
    from faultmaven_adapters.sql.sqlite import SqliteDatabase

    return SqliteDatabase(place, options)
