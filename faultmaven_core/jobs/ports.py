"""What running jobs needs of a database. Each call is a transaction of its own."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import Protocol
from uuid import UUID

from faultmaven_core.jobs.model import Job, JobState


class JobStore(Protocol):
    """The job rows of all organizations; a job runs as the caller who asked for it."""

    @abstractmethod
    async def claim(self, now: datetime, lease_until: datetime, token: UUID) -> Job | None:
        """Take the oldest job that is due, or whose runner's lease ended; its attempts grow by one.

        Of several runners exactly one gets a job. None where nothing is due.
        """

    @abstractmethod
    async def finish(self, job: Job, state: JobState, *, error: str = "", run_at: datetime | None = None) -> bool:
        """Write an attempt's end. False, and nothing is written, where `job.token` is not the current one any more."""

    @abstractmethod
    async def get(self, job_id: UUID) -> Job:
        """One job. Raises NotFoundError."""

    @abstractmethod
    async def sweep(self, before: datetime) -> int:
        """Remove jobs that ended before a moment; how many."""
