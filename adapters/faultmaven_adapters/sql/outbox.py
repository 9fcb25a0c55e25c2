"""What units of work, whatever they are stored in, need of an outbox."""

from __future__ import annotations

from typing import Protocol

from faultmaven_core.ports.job_queue import JobOutbox, QueuedJob


class CollectingOutbox(JobOutbox, Protocol):
    """An outbox that knows which jobs its unit asked for, to tell the transport of after the commit."""

    asked: list[QueuedJob]
