"""Connections to a PostgreSQL with pgvector, and transactions that see one organization's vectors."""

from __future__ import annotations

import asyncio
import re
import struct
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from sys import byteorder
from typing import Any

import asyncpg

from faultmaven_adapters._support.postgres_place import PostgresPlace
from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.vectors.pgvector.errors import PGVECTOR_ERRORS
from faultmaven_adapters.vectors.pgvector.preparation import prepare_with
from faultmaven_core.ports.vectors import Embedding
from faultmaven_core.shared.errors import CorruptDataError, InvalidInputError
from faultmaven_core.shared.ids import OrganizationId

_GRACE = 1.0
"""Seconds that the server's own time-out has before ours: its leaves the connection usable."""

_CLOSING = 5.0
_HEAD = struct.Struct(">HH")
_READY = "SELECT to_regtype('vector') IS NOT NULL AND to_regprocedure('vectors_make(text, int, text)') IS NOT NULL"
_SCHEMA = (
    "SELECT nspname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = to_regtype('vector')"
)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for a connection, for one from the pool, for a statement, for a lock."""

    connect: float
    pool: float
    statement: float
    lock: float


class Connections:
    """A pool that opens when it is first needed, and prepares the database where nobody did and it may."""

    def __init__(self, place: PostgresPlace, size: int, patience: Patience, *, transaction_pooler: bool) -> None:
        self.place = str(place)
        self._arguments = place.arguments(patience.connect)
        if transaction_pooler:
            # A prepared statement stays on the server's connection, and the next transaction may have another one.
            self._arguments["statement_cache_size"] = 0
        self._size, self._patience = size, patience
        self._opening = asyncio.Lock()
        self._pool: Any = None
        self._schema = ""

    @asynccontextmanager
    async def transaction(self, organization: OrganizationId | None, *settings: str) -> AsyncIterator[Any]:
        """A connection in a transaction, which is kept where the block ends well. Raises what the table of errors says."""
        with translation(PGVECTOR_ERRORS, self.place):
            pool = self._pool or await self._open()
            connection = await pool.acquire(timeout=self._patience.pool)
            try:
                await connection.execute(_beginning(organization, self._patience, settings))
                yield connection
                await connection.execute("COMMIT")
            except asyncpg.PostgresError:
                with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    await connection.execute("ROLLBACK", timeout=self._patience.connect)
                raise
            except BaseException:
                # In what state it is nobody knows, so nobody may get it from the pool.
                connection.terminate()
                raise
            finally:
                await pool.release(connection, timeout=self._patience.connect)

    async def close(self) -> None:
        """Wait a little for what still runs, then end it."""
        if self._pool is not None:
            try:
                async with asyncio.timeout(_CLOSING):
                    await self._pool.close()
            except TimeoutError:
                self._pool.terminate()

    async def _open(self) -> Any:
        async with self._opening:
            if self._pool is None:
                await self._look()
                self._pool = asyncpg.create_pool(
                    **self._arguments,
                    min_size=0,
                    max_size=self._size,
                    command_timeout=self._patience.statement + _GRACE,
                    init=self._introduce,
                    reset=_kept,
                )
                await self._pool
            return self._pool

    async def _look(self) -> None:
        connection = await asyncpg.connect(**self._arguments, command_timeout=self._patience.statement + _GRACE)
        try:
            if not await connection.fetchval(_READY):
                await prepare_with(connection, "", self.place)
            self._schema = await connection.fetchval(_SCHEMA)
            await connection.close(timeout=self._patience.connect)
        finally:
            connection.terminate()

    async def _introduce(self, connection: Any) -> None:
        """The driver does not know the type."""
        await connection.set_type_codec(
            "vector", schema=self._schema, encoder=_encoded, decoder=_decoded, format="binary"
        )


async def _kept(_connection: Any) -> None:
    """Nothing is to be put back: all that is set is set for a transaction."""


def _beginning(organization: OrganizationId | None, patience: Patience, settings: tuple[str, ...]) -> str:
    if re.search(r"[\\\0]", organization or ""):
        raise InvalidInputError("This is no name of an organization.")
    quoted = (organization or "").replace("'", "''")
    told = (
        f"app.organization = '{quoted}'",
        f"statement_timeout = {_milliseconds(patience.statement)}",
        f"lock_timeout = {_milliseconds(patience.lock)}",
        *settings,
    )
    return "; ".join(["BEGIN", *(f"SET LOCAL {setting}" for setting in told)])


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _encoded(vector: Embedding) -> bytes:
    return _HEAD.pack(len(vector), 0) + _network(vector.values)


def _decoded(content: bytes) -> Embedding:
    values = array("f", content[_HEAD.size :])
    try:
        return Embedding.of(array("f", _network(values)))
    except InvalidInputError as error:
        raise CorruptDataError("A stored vector has no direction: somebody changed the table of vectors.") from error


def _network(values: array[float]) -> bytes:
    """Between this machine's order of bytes and the network's."""
    if byteorder == "little":
        values = array("f", values)
        values.byteswap()
    return values.tobytes()
