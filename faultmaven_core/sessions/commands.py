"""What clients ask of their sessions, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Begin a client's session, or go on with the one that a client of this id has.

    A client's id is its own invention, the same for as long as it is installed. After `timeout_minutes` (60 to 480)
    without use the session ends.
    """

    client_id: str
    session_type: str = "troubleshooting"
    timeout_minutes: int = 180
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeepSession:
    """Say that the client is still there; nothing but its idle time changes."""

    session_id: str


@dataclass(frozen=True, slots=True)
class ListSessions:
    """The caller's sessions of clients, oldest first, from the one behind `cursor`, an earlier list's `next`, on."""

    cursor: str = ""
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class EndSession:
    """End a session of a client; one that is over already is no error."""

    session_id: str


@dataclass(frozen=True, slots=True)
class SessionView:
    """A live session of a client. `session_resumed` is whether it was there before it was asked for."""

    session_id: str
    client_id: str
    user_id: str
    session_type: str
    metadata: Mapping[str, object]
    created_at: datetime
    last_activity: datetime
    expires_at: datetime
    session_resumed: bool = False


@dataclass(frozen=True, slots=True)
class SessionList:
    """Some of the caller's, and how many there are; `next` continues, None at the end."""

    sessions: tuple[SessionView, ...]
    total: int
    next: str | None = None


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session that is over."""

    session_id: str
