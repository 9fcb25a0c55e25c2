"""Rows of identity in memory as repositories use them: kept, found, changed by version, unique, and belonging to others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from typing import Any, Generic

from faultmaven_adapters.sql.memory_identity_tables import Kind, Row
from faultmaven_adapters.sql.memory_tables import MemoryTransaction
from faultmaven_core.ports.transactions import own
from faultmaven_core.shared.errors import AlreadyExistsError, NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import OrganizationId


class Rows(Generic[Row]):
    """The rows of a table, as one organization sees and changes them."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId, kind: Kind[Row]) -> None:
        self._run, self._organization, self._kind = transaction, organization, kind

    @property
    def stored(self) -> dict[tuple[str, Any], Row]:
        """Everybody's."""
        rows: dict[tuple[str, Any], Row] = getattr(self._run.tables.identity, self._kind.table)
        return rows

    def add(self, row: Row) -> None:
        """Keep a new one."""
        own(self._organization, row.organization)
        place = (self._organization, self._kind.name(row))
        if place in self.stored:
            raise self._run.refused(AlreadyExistsError(f"There is such a {self._kind.what} already."))
        self._require_unique(row, place)
        self.require_parents(row)
        self.stored[place] = row

    def get(self, name: Hashable) -> Row:
        """The one of this name."""
        return self.first(lambda row: self._kind.name(row) == name)

    def first(self, matches: Callable[[Row], bool]) -> Row:
        """The one that matches."""
        for row in self.mine(matches):
            return row
        raise NotFoundError(f"There is no such {self._kind.what}.")

    def mine(self, matches: Callable[[Row], bool] = lambda _: True) -> list[Row]:
        """The organization's that match."""
        return [row for (owner, _), row in self.stored.items() if owner == self._organization and matches(row)]

    def save(self, row: Row) -> None:
        """Keep a changed one; the stored version grows by one."""
        own(self._organization, row.organization)
        name = self._kind.name(row)
        self._at_version(name, row.version)
        self._require_unique(row, (self._organization, name))
        self.stored[self._organization, name] = replace(row, version=row.version + 1)

    def change(self, rows: Iterable[Row], **changed: object) -> int:
        """Change all of these; how many."""
        count = 0
        for row in rows:
            self.stored[self._organization, self._kind.name(row)] = replace(row, version=row.version + 1, **changed)
            count += 1
        return count

    def remove(self, name: Hashable, version: int) -> None:
        """Remove one of this version."""
        self._at_version(name, version)
        self.drop(name)

    def drop(self, name: Hashable) -> None:
        """Remove one, if it is there."""
        self.stored.pop((self._organization, name), None)

    def require_parents(self, row: Row) -> None:
        """Refuse a row of what does not exist."""
        for table, name in self._kind.parents:
            if (self._organization, name(row)) not in getattr(self._run.tables.identity, table):
                raise self._run.refused(NotFoundError("What this belongs to does not exist."))

    def _at_version(self, name: Hashable, version: int) -> None:
        found = self.stored.get((self._organization, name))
        if found is None or found.version != version:
            raise StaleVersionError(f"The {self._kind.what} was changed or removed by somebody else; read it again.")

    def _require_unique(self, row: Row, place: tuple[str, Any]) -> None:
        for rule in self._kind.unique:
            value = rule.value(row)
            for other_place, other in self.stored.items():
                near = rule.everywhere or other_place[0] == self._organization
                if value is not None and near and other_place != place and rule.value(other) == value:
                    raise self._run.refused(AlreadyExistsError(f"There is a row with the same {rule.name} already."))
