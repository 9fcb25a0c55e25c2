"""What a transfer needs of what it moves, of a database, and of the disk."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from faultmaven_core.ports.vectors import CollectionName
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.transfer.model import Batch, Confirmed, Digest, Kind, Part

Row: TypeAlias = Mapping[str, Any]
"""Column to value: plain values, UUIDs, aware moments, bytes, and JSON as builtins. Equal rows are equal on every database."""

Told: TypeAlias = Callable[[int, int], None]
"""Takes how many items and bytes more were looked at."""


class Cargo(Protocol):
    """One kind of thing on its way from a source to a target. Everything may be repeated and ends the same."""

    kind: Kind
    source: str
    """The place, as people may see it."""
    target: str

    @abstractmethod
    async def start(self) -> None:
        """Connect to both sides. Raises what they raise, and PreconditionFailedError where they do not fit each other."""

    @abstractmethod
    async def parts(self) -> Sequence[Part]:
        """What there is at the source, in the order in which it must be copied."""

    @abstractmethod
    async def found(self) -> str:
        """What of this kind is at the target already, in words; empty for nothing."""

    @abstractmethod
    def copy(self, part: Part, after: str) -> AsyncIterator[Batch]:
        """Copy what comes after the position, from the beginning where that is empty; each batch once it is stored."""

    @abstractmethod
    async def digests(self, part: Part, told: Told) -> tuple[Digest, Digest]:
        """What the part is at the source and at the target, both read anew."""


class Journal(Protocol):
    """What of one transfer is confirmed; it outlives the program, whatever ends that."""

    @abstractmethod
    async def open(self) -> Mapping[str, Confirmed] | None:
        """What is confirmed, by the part's text; None where the transfer was not begun.

        Raises ConflictError where another program runs this transfer, CorruptDataError where the journal cannot be read.
        """

    @abstractmethod
    async def begin(self) -> None:
        """The target is this transfer's from now on."""

    @abstractmethod
    async def confirm(self, part: Part, confirmed: Confirmed) -> None:
        """Durable when this returns."""

    @abstractmethod
    async def aclose(self) -> None:
        """Another program may go on with it."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order of their keys, and the position of the last one; no rows after the last page."""

    rows: Sequence[Row]
    position: str


class Tables(Protocol):
    """A database as rows by table and organization, whatever they mean."""

    names: Sequence[str]
    """The tables; what others refer to comes before them."""

    @abstractmethod
    async def start(self) -> None:
        """Connect, and see to it that the schema is that of this version."""

    @abstractmethod
    async def organizations(self) -> Sequence[OrganizationId]:
        """All that have a row. Raises PermissionDeniedError where the database does not let its user see that."""

    @abstractmethod
    async def count(self, organization: OrganizationId, table: str) -> int:
        """How many rows the organization has."""

    @abstractmethod
    async def page(self, organization: OrganizationId, table: str, after: str) -> Page:
        """The next rows after a position, the first ones where that is empty."""

    @abstractmethod
    async def add(self, organization: OrganizationId, table: str, rows: Sequence[Row]) -> None:
        """Store rows, all or none. Those whose key is there already stay as they are."""

    @abstractmethod
    async def collections(self, organization: OrganizationId) -> Sequence[CollectionName]:
        """The collections that the organization's documents have vectors in."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close all connections."""
