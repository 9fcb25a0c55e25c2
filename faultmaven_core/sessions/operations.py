"""The operations over sessions of clients."""

from __future__ import annotations

from typing import Any

from faultmaven_core.sessions import commands as c
from faultmaven_core.sessions.service import SessionService
from faultmaven_core.shared.operation import Operation

Service = SessionService

OPERATIONS: tuple[Operation[SessionService, Any, Any], ...] = (
    Operation(
        "session.open",
        c.OpenSession,
        c.SessionView,
        Service.open,
        "Begin or resume a session",
        permission="account:write",
    ),
    Operation("session.keep", c.KeepSession, c.SessionView, Service.keep, "Keep a session", permission="account:write"),
    Operation("session.list", c.ListSessions, c.SessionList, Service.list, "List sessions", permission="account:read"),
    Operation("session.end", c.EndSession, c.SessionEnded, Service.end, "End a session", permission="account:write"),
)
