"""A job: an operation to run after the commit that asked for it. The only place that says how its state may change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from uuid import UUID

from faultmaven_core.ports.job_queue import JobRequest
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import PreconditionFailedError

MOST_RESULT = 64 << 10
"""Bytes of a result that is kept with its job; what is larger belongs to the context that made it."""

MOST_WORDS = 2000
"""Characters of an error or of a sentence about the progress."""


class JobState(StrEnum):
    """QUEUED -> RUNNING -> SUCCEEDED | WAITING (for another attempt) | CANCELLED | DEAD (given up)."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    CANCELLED = "cancelled"
    DEAD = "dead"


OPEN = (JobState.QUEUED, JobState.RUNNING, JobState.WAITING)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work has come, and what it is at."""

    done: int = 0
    total: int = 0
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A stored job.

    `due_at` says when a runner may take it: while one runs it, that is the end of the lease; None once it has ended.
    `token` is the current attempt's: what its holder writes is taken, what others write is not. `result` is JSON, empty
    before the end; `error` is the last attempt's.
    """

    id: UUID
    caller: Caller
    operation: str
    payload: bytes
    created_at: datetime
    due_at: datetime | None
    queue: str
    max_attempts: int
    time_limit: timedelta
    trace: str = ""
    state: JobState = JobState.QUEUED
    attempts: int = 0
    token: UUID | None = None
    worker: str = ""
    progress: Progress = Progress()
    cancel_requested: bool = False
    error: str = ""
    result: bytes = b""
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A runner's wish: the oldest due job of these queues (of all where none is named), or one by id."""

    now: datetime
    until: datetime
    token: UUID
    worker: str = ""
    queues: tuple[str, ...] = ()
    job_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended. `due_at` is when the next one may begin; an attempt that is not `counted` was handed back."""

    state: JobState
    error: str = ""
    result: bytes = b""
    due_at: datetime | None = None
    progress: Progress = Progress()
    counted: bool = True


class Lease(Enum):
    """What a runner learns when it renews its lease."""

    HELD = "held"
    CANCELLED = "cancelled"
    """Held, but somebody wants the job to end."""

    LOST = "lost"
    """The job is another runner's now, or has ended."""


def asked(request: JobRequest, job_id: UUID, now: datetime) -> Job:
    """The job of a request."""
    return Job(
        job_id,
        request.caller,
        request.operation,
        request.payload,
        now,
        request.run_at or now,
        request.queue,
        request.max_attempts,
        request.time_limit,
        request.trace,
    )


def claimed(job: Job, claim: Claim) -> Job:
    """The job in a runner's hands. Its attempt counts before the work begins: one that kills its runner counts too."""
    return replace(
        job,
        state=JobState.RUNNING,
        attempts=job.attempts + 1,
        token=claim.token,
        due_at=claim.until,
        worker=claim.worker,
        started_at=claim.now,
        progress=Progress(),
    )


def ended(job: Job, ending: Ending, now: datetime) -> Job:
    """The job after an attempt."""
    return replace(
        job,
        state=ending.state,
        attempts=job.attempts if ending.counted else job.attempts - 1,
        token=None,
        due_at=ending.due_at,
        error=ending.error,
        result=ending.result,
        progress=ending.progress,
        finished_at=None if ending.state in OPEN else now,
    )


def cancelled(job: Job, now: datetime) -> Job:
    """The job after somebody wanted it to end: at once, or as soon as its runner looks.

    Raises PreconditionFailedError where it ended otherwise.
    """
    if job.state is JobState.CANCELLED:
        return job
    if job.state is JobState.RUNNING:
        return replace(job, cancel_requested=True)
    if job.state not in OPEN:
        raise PreconditionFailedError(f"The job {job.id} has ended ({job.state}); it cannot be cancelled any more.")
    return replace(job, state=JobState.CANCELLED, cancel_requested=True, due_at=None, finished_at=now)


def retried(job: Job, now: datetime) -> Job:
    """A job that was given up or cancelled, with all its attempts before it again. Raises PreconditionFailedError."""
    if job.state not in (JobState.DEAD, JobState.CANCELLED):
        raise PreconditionFailedError(f"The job {job.id} is {job.state}; only dead and cancelled jobs can be retried.")
    return replace(job, state=JobState.QUEUED, attempts=0, due_at=now, cancel_requested=False, finished_at=None)
