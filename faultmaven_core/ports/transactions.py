"""Port for units of work: what a service changes, it changes whole or not at all."""

from __future__ import annotations

from abc import abstractmethod
from types import TracebackType
from typing import Protocol, Self, TypeVar

from faultmaven_core.ports.job_queue import JobOutbox
from faultmaven_core.shared.ids import OrganizationId

Unit_co = TypeVar("Unit_co", covariant=True)


class UnitOfWork(Protocol):
    """A transaction of one organization: sees its own rows only, nothing is visible before `commit`.

    Leaving without `commit`, by an error or by cancellation rolls back. A unit is used once; afterwards every use
    raises ConflictError. No network call other than the database belongs inside.
    """

    outbox: JobOutbox

    @abstractmethod
    async def __aenter__(self) -> Self:
        """Begin. A writing unit waits for the other writers; raises BackendUnavailableError after 5 s."""

    @abstractmethod
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; roll back what was not committed."""

    @abstractmethod
    async def commit(self) -> None:
        """Make all changes durable and visible, and tell the job transport which jobs were asked for."""


class UnitOfWorkFactory(Protocol[Unit_co]):
    """Makes units."""

    @abstractmethod
    def __call__(self, organization: OrganizationId, *, read_only: bool = False) -> Unit_co:
        """A unit for one organization. A read-only unit sees one consistent state and never waits for writers."""
