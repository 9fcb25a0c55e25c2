"""Port for units of work: what a service changes, it changes whole or not at all."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self, TypeVar

from faultmaven_core.ports.job_queue import JobOutbox
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import PermissionDeniedError
from faultmaven_core.shared.ids import OrganizationId

Unit_co = TypeVar("Unit_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command with a request key answered: `command` is the command's digest, `view` the answer as JSON."""

    command: str
    view: bytes
    at: datetime


class AnswerRepository(Protocol):
    """The answers that were given under request keys; a key is one user's of the unit's organization."""

    @abstractmethod
    async def find(self, caller: Caller) -> Answer | None:
        """What was answered under the caller's request key; None before."""

    @abstractmethod
    async def add(self, caller: Caller, answer: Answer) -> None:
        """Keep an answer under the caller's request key. Raises AlreadyExistsError where there is one."""

    @abstractmethod
    async def sweep(self, before: datetime) -> int:
        """Remove answers that were given before a moment, a hundred at most; how many."""


class UnitOfWork(Protocol):
    """A transaction of one organization: sees its own rows only, nothing is visible before `commit`.

    Leaving without `commit`, by an error or by cancellation rolls back. A unit is used once; afterwards every use
    raises ConflictError, as it does after a row was refused (AlreadyExistsError, NotFoundError of what a row belongs to):
    such a unit can only be left. Rows of another organization are refused with PermissionDeniedError. No network call other
    than the database belongs inside.
    """

    outbox: JobOutbox
    answers: AnswerRepository

    @abstractmethod
    async def __aenter__(self) -> Self:
        """Begin. Writing units may wait for each other.

        Raises BackendUnavailableError where there is no connection, or the wait was too long.
        """

    @abstractmethod
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; roll back what was not committed."""

    @abstractmethod
    async def commit(self) -> None:
        """Make all changes durable and visible, and tell the transport which jobs were asked for.

        Raises AmbiguousError where the connection broke on the way: whether it happened only the stored rows can tell.
        Raises ConflictError in a read-only unit.
        """


class UnitOfWorkFactory(Protocol[Unit_co]):
    """Makes units."""

    @abstractmethod
    def __call__(self, organization: OrganizationId, *, read_only: bool = False, may_lag: bool = False) -> Unit_co:
        """A unit for one organization. A read-only unit sees one consistent state and never waits for writers.

        One that `may_lag` is read-only too, and may see the state of some seconds ago: good for lists and reports.
        """


def own(organization: OrganizationId, of_item: str) -> None:
    """Raises PermissionDeniedError where a unit is to write what is another organization's."""
    if of_item != organization:
        raise PermissionDeniedError("This belongs to another organization.")
