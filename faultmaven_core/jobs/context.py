"""What an operation learns about the job that it runs in, and what it may say."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any
from uuid import UUID

from faultmaven_core.jobs.model import MOST_WORDS, Job, Progress
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import PreconditionFailedError


class JobCancelledError(PreconditionFailedError):
    """Somebody cancelled the job, or it is another runner's now; raised inside of the work, which ends by it."""

    code = "job_cancelled"


class JobContext:
    """Given to handlers. By the caller's request key a command takes effect once, however often its job is attempted.

    Side effects outside of the database carry `job_id` as their idempotency key.
    """

    def __init__(self, job: Job) -> None:
        self.job_id: UUID = job.id
        self.caller: Caller = replace(job.caller, request_key=f"job-{job.id}")
        self.attempt = job.attempts
        self.trace = job.trace
        self.latest = Progress()
        self.stopped = False

    def progress(self, done: int, total: int, sentence: str = "") -> None:
        """Say how far the work has come; it is stored with the next heartbeat. Raises as `check` does."""
        self.latest = Progress(done, total, kept(sentence))
        self.check()

    def check(self) -> None:
        """Raises JobCancelledError once the work should end."""
        if self.stopped:
            raise JobCancelledError(f"The job {self.job_id} was cancelled.")


Handler = Callable[[bytes, JobContext], Coroutine[Any, Any, object]]
"""Runs one operation, given its command as JSON, and returns its view. Idempotent by the context's `job_id`."""


def kept(text: str) -> str:
    """Text as every database holds it, cut to 2,000 characters: words about a failure must not fail to be stored."""
    return text[:MOST_WORDS].replace("\0", " ").encode(errors="replace").decode()
