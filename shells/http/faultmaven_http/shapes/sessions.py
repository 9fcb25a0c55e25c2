"""Sessions of clients as these read and write them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class NewSession:
    """What begins a session, or resumes the one of this client."""

    client_id: str
    session_type: str = "troubleshooting"
    timeout_minutes: int = 180
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session; `status` is always active, for others are not shown."""

    session_id: str
    session_resumed: bool
    client_id: str
    user_id: str
    status: str
    created_at: datetime
    last_activity: datetime
    expires_at: datetime
    session_type: str
    metadata: dict[str, Any] = field(default_factory=dict)
    message: str = ""
    schema_version: str = "2.0.0"


@dataclass(frozen=True, slots=True)
class SessionRows:
    """Some of the caller's sessions, oldest first. With `next_cursor` as `cursor` the list goes on."""

    sessions: tuple[SessionRow, ...]
    total_count: int
    total: int
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which part of the list: behind `cursor`, the `next_cursor` of the page before."""

    limit: int = 100
    cursor: str = ""
