"""A job: an operation to run after the commit that asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from faultmaven_core.shared.caller import Caller


class JobState(StrEnum):
    """QUEUED -> RUNNING -> SUCCEEDED | WAITING (for another attempt) -> ... | DEAD (given up)."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed or stored job. `token` is the current attempt's: results are taken from its holder only."""

    id: UUID
    caller: Caller
    operation: str
    payload: bytes
    state: JobState
    attempts: int
    run_at: datetime
    token: UUID | None = None
    lease_until: datetime | None = None
    error: str = ""
