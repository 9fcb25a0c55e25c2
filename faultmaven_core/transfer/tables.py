"""Rows from one database to another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from faultmaven_core.codec import canonical
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.transfer.model import Batch, Digest, Digester, Kind, Part
from faultmaven_core.transfer.ports import Cargo, Row, Tables, Told


class TableCargo(Cargo):
    """Rows of some organizations, of all where none is named: table by table, in the order of their keys."""

    kind = Kind.DATABASE

    def __init__(
        self,
        tables: tuple[Tables, Tables],
        places: tuple[str, str],
        organizations: Callable[[], Awaitable[Sequence[OrganizationId]]],
    ) -> None:
        self._from, self._to = tables
        self.source, self.target = places
        self._organizations = organizations

    async def start(self) -> None:
        """See Cargo."""
        await self._from.start()
        await self._to.start()

    async def parts(self) -> Sequence[Part]:
        """See Cargo."""
        found = []
        for organization in await self._organizations():
            for table in self._from.names:
                items = await self._from.count(organization, table)
                found.append(Part(self.kind, f"{organization}/{table}", items))
        return found

    async def found(self) -> str:
        """See Cargo."""
        for organization in await self._organizations():
            for table in self._to.names:
                if items := await self._to.count(organization, table):
                    return f"{items} rows of {organization} in {table}"
        return ""

    async def copy(self, part: Part, after: str) -> AsyncIterator[Batch]:
        """See Cargo."""
        organization, table = _place(part)
        async for rows, position in _pages(self._from, organization, table, after):
            await self._to.add(organization, table, rows)
            yield Batch(position, len(rows))

    async def digests(self, part: Part, told: Told) -> tuple[Digest, Digest]:
        """See Cargo."""
        organization, table = _place(part)
        source = await _digest(self._from, organization, table, told)
        return source, await _digest(self._to, organization, table, lambda _items, _size: None)


async def _pages(
    tables: Tables, organization: OrganizationId, table: str, after: str = ""
) -> AsyncIterator[tuple[Sequence[Row], str]]:
    while (page := await tables.page(organization, table, after)).rows:
        yield page.rows, page.position
        after = page.position


async def _digest(tables: Tables, organization: OrganizationId, table: str, told: Told) -> Digest:
    digester = Digester()
    async for rows, _ in _pages(tables, organization, table):
        for row in rows:
            digester.take(canonical({column: _comparable(value) for column, value in row.items()}))
        told(len(rows), 0)
    return digester.digest()


def _comparable(value: Any) -> Any:
    """Databases tell a whole number in JSON from the same one with a decimal point, or do not."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _comparable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_comparable(inner) for inner in value]
    return value


def _place(part: Part) -> tuple[OrganizationId, str]:
    organization, _, table = part.name.partition("/")
    return OrganizationId(organization), table
