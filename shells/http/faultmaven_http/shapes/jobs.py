"""Jobs as clients see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job. `status` is queued, running, completed, failed or cancelled; `progress` is 0 to 1 where it can be told.

    `result` is the operation's answer once it has one; where it is too large for that, the case has it.
    """

    job_id: str
    operation: str
    status: str
    done: int
    total: int
    progress: float | None
    doing: str
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    requested_by: str
    cancel_requested: bool = False
    error: str | None = None
    result: Any = None


@dataclass(frozen=True, slots=True)
class JobList:
    """Some jobs, newest first. With `next_cursor` as `cursor` the list goes on; `next` is its older name."""

    jobs: Sequence[JobRow]
    next: str | None
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs: those behind `cursor`, the `next_cursor` of the page before; so says `after`, by its older name."""

    state: str | None = None
    operation: str = ""
    cursor: str = ""
    after: str | None = None
    limit: int = 50
