"""Port for work that happens after a commit: the job row, written in the same transaction, is the outbox."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import TooLargeError

MOST_PAYLOAD = 64 << 10

DEFAULT_QUEUE = "default"


@dataclass(frozen=True, slots=True)
class JobRequest:
    """An operation to run later on a caller's behalf. `payload` is its command as JSON, at most 64 KiB.

    While a job with the same `dedupe_key` is open in the organization, asking again changes nothing.
    """

    operation: str
    payload: bytes
    caller: Caller
    dedupe_key: str = ""
    run_at: datetime | None = None
    queue: str = DEFAULT_QUEUE


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job that waits for a runner, as transports name it."""

    id: UUID
    queue: str


Notify = Callable[[Sequence[QueuedJob]], None]
"""Is told which job rows were committed."""


def checked_payload(request: JobRequest) -> bytes:
    """The request's payload. Raises TooLargeError where it is over 64 KiB: what is larger belongs into a blob."""
    if len(request.payload) > MOST_PAYLOAD:
        raise TooLargeError(f"The payload of {request.operation} has {len(request.payload)} bytes, 65536 are allowed.")
    return request.payload


class JobOutbox(Protocol):
    """Part of a unit of work."""

    @abstractmethod
    async def add(self, request: JobRequest) -> UUID:
        """Ask for a job; it exists if and only if the unit commits. Returns its id, or that of the open twin.

        Raises TooLargeError where the payload is over 64 KiB.
        """


class JobTransport(Protocol):
    """Tells runners that there is work. May be lost or repeated: the rows are the truth."""

    @abstractmethod
    def notify(self, jobs: Sequence[QueuedJob]) -> None:
        """Say that these rows were committed. Never blocks, never fails."""

    @abstractmethod
    async def aclose(self) -> None:
        """Finish what is running and stop; open rows stay for the next start."""
