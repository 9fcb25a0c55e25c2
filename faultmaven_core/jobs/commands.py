"""What can be asked of jobs, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ListJobs:
    """Jobs, newest first. `after` is a page's `next`."""

    state: str | None = None
    operation: str = ""
    queue: str = ""
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class ListDeadJobs:
    """Jobs that were given up, newest first. `after` is a page's `next`."""

    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class ShowJob:
    """One job, and its result once it has one."""

    job_id: str


@dataclass(frozen=True, slots=True)
class RetryJob:
    """Begin a job anew that was given up or cancelled."""

    job_id: str


@dataclass(frozen=True, slots=True)
class CancelJob:
    """End a job: at once where none of its attempts runs, else as soon as the running one notices."""

    job_id: str


@dataclass(frozen=True, slots=True)
class SweepJobs:
    """Remove jobs that ended more than a week ago."""


@dataclass(frozen=True, slots=True)
class JobView:
    """A job. state: queued | running | waiting | succeeded | cancelled | dead; `error` is the last attempt's."""

    job_id: str
    operation: str
    state: str
    queue: str
    attempts: int
    max_attempts: int
    done: int
    total: int
    doing: str
    error: str
    cancel_requested: bool
    asked_by: str
    created_at: datetime
    due_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobDetail:
    """A job, who works or worked on it, and the operation's answer (None before the end, or where it is too large)."""

    job: JobView
    worker: str
    trace: str
    result: Any


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs; `next` continues after them, None at the end."""

    jobs: tuple[JobView, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class JobsSwept:
    """How many are gone."""

    jobs: int
