"""Tables as rows to be carried to another database, by the metadata alone: what they mean is nobody's business here."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    Insert,
    LargeBinary,
    Select,
    Table,
    Uuid,
    func,
    literal,
    select,
    text,
    tuple_,
)

from faultmaven_adapters.sql.engine import LOOK, Scope, SqlConnection, open_database
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.tables import DOCUMENT, METADATA
from faultmaven_core.knowledge.model import Tier
from faultmaven_core.knowledge.vectors import collection
from faultmaven_core.ports.vectors import CollectionName
from faultmaven_core.shared.errors import CorruptDataError, PermissionDeniedError
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.transfer.ports import Page, Row, Tables

ROWS = 500
LARGE_ROWS = 20
"""Rows of a page where one may have megabytes."""

_SEES_ALL = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")


class SqlTables(Tables):
    """See the port. `place` is a path or a `postgresql:` URL."""

    def __init__(self, place: str, options: SqlOptions) -> None:
        self._database = open_database(place, options)
        self._postgres = place.startswith("postgres")
        self._tables = {table.name: table for table in METADATA.sorted_tables}
        self.names = tuple(self._tables)

    async def start(self) -> None:
        await self._database.start()

    async def organizations(self) -> Sequence[OrganizationId]:
        found: set[OrganizationId] = set()
        async with self._reading(LOOK) as connection:
            if self._postgres:
                row = (await connection.run(_SEES_ALL)).first()
                if row is None or not row[0]:
                    raise PermissionDeniedError(
                        "This user of the database sees one organization at a time. Name them with --organization, or use "
                        "a user with BYPASSRLS."
                    )
            for table in self._tables.values():
                rows = await connection.run(select(table.c.organization_id).distinct())
                found.update(OrganizationId(row[0]) for row in rows)
        return sorted(found)

    async def count(self, organization: OrganizationId, table: str) -> int:
        wanted = self._tables[table]
        asked = select(func.count()).select_from(wanted).where(wanted.c.organization_id == organization)
        async with self._reading(Scope(organization, read_only=True)) as connection:
            row = (await connection.run(asked)).first()
        return int(row[0]) if row else 0

    async def page(self, organization: OrganizationId, table: str, after: str) -> Page:
        wanted = self._tables[table]
        async with self._reading(Scope(organization, read_only=True)) as connection:
            rows = [row._asdict() for row in await connection.run(_next(wanted, organization, after))]
        return Page(rows, _position(wanted, rows[-1]) if rows else after)

    async def add(self, organization: OrganizationId, table: str, rows: Sequence[Row]) -> None:
        connection = await self._database.begin(Scope(organization))
        try:
            await connection.run(self._insert(self._tables[table]), [dict(row) for row in rows])
            await connection.commit()
        finally:
            await connection.close()

    async def collections(self, organization: OrganizationId) -> Sequence[CollectionName]:
        asked = (
            select(DOCUMENT.c.scope, DOCUMENT.c.embedded)
            .where(DOCUMENT.c.organization_id == organization, DOCUMENT.c.embedded != "")
            .distinct()
        )
        async with self._reading(Scope(organization, read_only=True)) as connection:
            found = [(str(row.scope).partition(":")[0], str(row.embedded)) for row in await connection.run(asked)]
        return sorted({collection(Tier(tier), fingerprint) for tier, fingerprint in found})

    async def aclose(self) -> None:
        await self._database.aclose()

    def _insert(self, table: Table) -> Insert:
        if self._postgres:
            from sqlalchemy.dialects import postgresql

            return postgresql.insert(table).on_conflict_do_nothing()
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table).on_conflict_do_nothing()

    @asynccontextmanager
    async def _reading(self, scope: Scope) -> AsyncIterator[SqlConnection]:
        connection = await self._database.begin(scope)
        try:
            yield connection
        finally:
            await connection.close()


def _key(table: Table) -> list[Column[Any]]:
    """What tells an organization's rows apart; where it has one, the organization."""
    return [column for column in table.primary_key if column.name != "organization_id"] or list(table.primary_key)


def _next(table: Table, organization: OrganizationId, after: str) -> Select[Any]:
    key = _key(table)
    asked = select(table).where(table.c.organization_id == organization).order_by(*key)
    if after:
        values = [
            literal(_restored(column, value), column.type) for column, value in zip(key, _told(after), strict=True)
        ]
        asked = asked.where(tuple_(*key) > tuple_(*values))
    large = any(isinstance(column.type, LargeBinary) for column in table.columns)
    return asked.limit(LARGE_ROWS if large else ROWS)


def _position(table: Table, row: Row) -> str:
    values = [row[column.name] for column in _key(table)]
    return json.dumps([value.hex if isinstance(value, UUID) else value for value in values])


def _told(position: str) -> list[Any]:
    try:
        found: list[Any] = json.loads(position)
    except ValueError as error:
        raise CorruptDataError("The journal names a place in a table that there is not.") from error
    return found


def _restored(column: Column[Any], value: Any) -> Any:
    return UUID(hex=value) if isinstance(column.type, Uuid) else value
