"""What jobs need of a database: rows for runners, who serve all organizations, and rows for people, who see their own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from faultmaven_core.jobs.model import Claim, Ending, Job, JobState, Lease, Progress
from faultmaven_core.ports.job_queue import QueuedJob
from faultmaven_core.ports.transactions import UnitOfWork, UnitOfWorkFactory
from faultmaven_core.shared.page import Page


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many jobs of a queue are in a state, and since when the oldest is due (or, given up, has ended)."""

    queue: str
    state: JobState
    jobs: int
    oldest: datetime


class JobStore(Protocol):
    """The job rows of all organizations; a job runs as the caller who asked for it. Each call is a transaction."""

    @abstractmethod
    async def claim(self, claim: Claim) -> Job | None:
        """Take a job that is due, or whose runner's lease ended; its attempts grow by one.

        Of several runners exactly one gets a job, and none waits for another. None where nothing fits.
        """

    @abstractmethod
    async def renew(self, job: Job, until: datetime, progress: Progress) -> Lease:
        """Move the lease's end and keep the progress; nothing is written where the lease is lost."""

    @abstractmethod
    async def finish(self, job: Job, ending: Ending) -> bool:
        """Write an attempt's end. False, and nothing is written, where `job.token` is not the current one any more."""

    @abstractmethod
    async def unclaimed(self, now: datetime, patience: timedelta, limit: int) -> Sequence[QueuedJob]:
        """Due jobs that runners were not told of since they became due, or that nobody took for `patience` since then.

        They count as told of with this call, so of two callers at once one gets each.
        """

    @abstractmethod
    async def depths(self) -> Sequence[QueueDepth]:
        """Open and dead jobs by queue and state, in that order."""

    @abstractmethod
    async def sweep(self, before: datetime) -> int:
        """Remove jobs that ended before a moment; how many."""


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs: in some state, of one operation, of one queue; empty means all."""

    states: tuple[JobState, ...] = tuple(JobState)
    operation: str = ""
    queue: str = ""


class JobRepository(Protocol):
    """The jobs of the unit's organization."""

    @abstractmethod
    async def get(self, job_id: UUID) -> Job:
        """The job. Raises NotFoundError, for another organization's too."""

    @abstractmethod
    async def page(self, query: JobQuery, *, after: UUID | None, limit: int) -> Page[Job]:
        """Matching jobs, newest first, that were asked for before the one with the id `after`."""

    @abstractmethod
    async def save(self, before: Job, after: Job) -> None:
        """Keep a changed state, error, due time and attempts.

        Raises StaleVersionError where a runner or a person changed the job since it was read as `before`.
        """


class JobUnitOfWork(UnitOfWork, Protocol):
    """A transaction over the jobs of an organization."""

    jobs: JobRepository


JobUnits = UnitOfWorkFactory[JobUnitOfWork]
