"""Port for work that happens after a commit: the job row, written in the same transaction, is the outbox."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from faultmaven_core import codec
from faultmaven_core.ports.health import Pingable
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.capability import Capability
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError
from faultmaven_core.shared.text import checked
from faultmaven_core.shared.trace import TRACE

MOST_PAYLOAD = 64 << 10
MOST_ATTEMPTS = 100
LONGEST_LIMIT = timedelta(days=1)
"""What a job may ask for; its runner has a limit of its own, which the installation sets."""

DEFAULT_QUEUE = "default"

_QUEUE = re.compile(r"[a-z][a-z0-9_.-]{0,62}")


@dataclass(frozen=True, slots=True)
class JobRequest:
    """An operation to run later on a caller's behalf. `payload` is its command as JSON, at most 64 KiB.

    While a job with the same `dedupe_key` is open in the organization, asking again changes nothing. A given `id` is used
    once and never again, also after its job ended. An attempt that takes longer than `time_limit`, or than its runner
    allows, has failed; after `max_attempts` of them the job is given up. `trace`, the running work's traceparent, goes along to
    whoever runs it.
    """

    operation: str
    payload: bytes
    caller: Caller
    dedupe_key: str = ""
    run_at: datetime | None = None
    queue: str = DEFAULT_QUEUE
    max_attempts: int = 5
    time_limit: timedelta = LONGEST_LIMIT
    trace: str = attribute(default_factory=TRACE.get)
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job that waits for a runner, as transports name it."""

    id: UUID
    queue: str
    trace: str = ""


Notify = Callable[[Sequence[QueuedJob]], None]
"""Is told which job rows were committed."""


def require_storable(request: JobRequest) -> None:
    """Raises InvalidInputError or TooLargeError where a job cannot be kept as it is asked for; called by every outbox."""
    if len(request.payload) > MOST_PAYLOAD:
        raise TooLargeError(f"The payload of {request.operation} has {len(request.payload)} bytes, 65536 are allowed.")
    codec.decode(object, request.payload)
    checked("operation", request.operation, most=64, least=1)
    checked("dedupe_key", request.dedupe_key, most=512)
    checked("trace", request.trace, most=128)
    wrong = {
        "queue": "1 to 63 of a-z, 0-9 and . _ -, a letter first" if not _QUEUE.fullmatch(request.queue) else "",
        "max_attempts": "1 to 100" if not 1 <= request.max_attempts <= MOST_ATTEMPTS else "",
        "time_limit": "from a millisecond to a day"
        if not timedelta(milliseconds=1) <= request.time_limit <= LONGEST_LIMIT
        else "",
        "run_at": "a moment with a time zone" if request.run_at and request.run_at.tzinfo is None else "",
    }
    wrong = {field: words for field, words in wrong.items() if words}
    for field, words in wrong.items():
        raise InvalidInputError(f"The {field} of a job of {request.operation} must be {words}.", fields=wrong)


class JobOutbox(Protocol):
    """Part of a unit of work."""

    @abstractmethod
    async def add(self, request: JobRequest) -> UUID:
        """Ask for a job; it exists if and only if the unit commits. Returns its id, or that of the open twin.

        Of units that ask at the same time with one key or one id, exactly one makes the job. Raises TooLargeError where the
        payload is over 64 KiB, InvalidInputError where it is not JSON or another field cannot be kept.
        """


class JobCapability(Capability):
    """What transports may offer beyond running jobs."""

    SURVIVES_RESTART = "survives_restart"
    """Open jobs are there after everything was ended and started again."""

    MULTI_PROCESS = "multi_process"
    """Runners in several processes or on several machines are told."""


class JobTransport(Pingable, Protocol):
    """Tells runners that there is work. May be lost or repeated: the rows are the truth, `relay` repeats what was lost."""

    capabilities: frozenset[JobCapability]

    @abstractmethod
    def notify(self, jobs: Sequence[QueuedJob]) -> None:
        """Say that these rows wait for a runner. Never blocks, never fails."""

    @abstractmethod
    async def aclose(self) -> None:
        """Stop telling; a transport that runs jobs itself finishes or hands back what is running."""
