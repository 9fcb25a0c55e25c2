"""Rows of one kind that are kept, found and changed by version: what all tables of identity have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, Table, bindparam, insert, select, update

from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_core.shared.errors import NotFoundError, StaleVersionError

Item = TypeVar("Item")


class Entities(Generic[Item]):
    """The statements of a table, built once: to build one costs more than to run it. `name` is what errors call a row."""

    def __init__(
        self, name: str, table: Table, row: Callable[[Item], dict[str, Any]], of: Callable[[Any], Item]
    ) -> None:
        self._name, self._row, self._of = name, row, of
        self._add = insert(table)
        self.own: ColumnElement[bool] = table.c.organization_id == bindparam("own")
        self.all = select(table).where(self.own)

    async def add(self, run: SqlTransaction, item: Item) -> None:
        """Keep a new one."""
        row = self._row(item)
        run.own(row["organization_id"])
        await run.run(self._add, row)

    async def one(self, run: SqlTransaction, statement: Select[Any], values: Mapping[str, Any]) -> Item:
        """The one that a statement finds. Raises NotFoundError."""
        row = await run.first(statement, {"own": run.organization, **values})
        if row is None:
            raise NotFoundError(f"There is no such {self._name}.")
        return self._of(row)

    async def many(
        self, run: SqlTransaction, statement: Select[Any], values: Mapping[str, Any] | None = None
    ) -> list[Item]:
        """All that a statement finds."""
        found = await run.run(statement, {"own": run.organization, **(values or {})})
        return [self._of(row) for row in found]


class VersionedEntities(Entities[Item]):
    """Those that change: each by whoever knows its newest version."""

    def __init__(
        self, name: str, table: Table, row: Callable[[Item], dict[str, Any]], of: Callable[[Any], Item]
    ) -> None:
        super().__init__(name, table, row, of)
        self._at = [*(column.name for column in table.primary_key), "version"]
        self._save = update(table).where(*(table.c[column] == bindparam(f"is_{column}") for column in self._at))

    async def save(self, run: SqlTransaction, item: Item) -> None:
        """Keep a changed one; the stored version grows by one. Raises StaleVersionError."""
        row = self._row(item)
        run.own(row["organization_id"])
        at = {f"is_{column}": row[column] for column in self._at}
        done = await run.run(self._save, row | {"version": row["version"] + 1} | at)
        if done.rowcount != 1:
            raise StaleVersionError(f"The {self._name} was changed or removed by somebody else; read it again.")
