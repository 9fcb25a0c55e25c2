"""The session service: what a client's panel keeps open while its user works."""

from __future__ import annotations

from collections.abc import Sequence

from faultmaven_core.sessions import commands as c
from faultmaven_http.endpoint import Answer, Asked, Endpoint, bound
from faultmaven_http.paging import following
from faultmaven_http.shapes import sessions as s

MANY = "/api/v1/sessions"
ONE = f"{MANY}/{{session_id}}"


def _open(asked: Asked) -> c.OpenSession:
    body: s.NewSession = asked.body
    return c.OpenSession(body.client_id, body.session_type, body.timeout_minutes, body.metadata or {})


def _keep(asked: Asked) -> c.KeepSession:
    return c.KeepSession(asked.path["session_id"])


def _list(asked: Asked) -> c.ListSessions:
    return c.ListSessions(asked.query.cursor, asked.query.limit)


def _end(asked: Asked) -> c.EndSession:
    return c.EndSession(asked.path["session_id"])


def _row(view: c.SessionView, _: Asked) -> s.SessionRow:
    return s.SessionRow(
        view.session_id,
        view.session_resumed,
        view.client_id,
        view.user_id,
        "active",
        view.created_at,
        view.last_activity,
        view.expires_at,
        view.session_type,
        dict(view.metadata),
        "Session resumed" if view.session_resumed else "Session created",
    )


def _rows(found: c.SessionList, asked: Asked) -> Answer:
    rows = tuple(_row(view, asked) for view in found.sessions)
    listed = s.SessionRows(rows, found.total, found.total, found.next)
    return Answer(listed, headers=following(asked, found.next))


def _ended(_: c.SessionEnded, __: Asked) -> None:
    return None


ENDPOINTS: Sequence[Endpoint] = (
    bound(
        "POST",
        MANY,
        "session.open",
        _open,
        _row,
        s.SessionRow,
        body=s.NewSession,
        status=201,
        sessionless=True,
        keyed=False,
    ),
    bound("GET", MANY, "session.list", _list, _rows, s.SessionRows, query=s.SessionFilter),
    bound(
        "POST",
        f"{ONE}/heartbeat",
        "session.keep",
        _keep,
        _row,
        s.SessionRow,
        sessionless=True,
        failures=(401,),
        keyed=False,
    ),
    bound("DELETE", ONE, "session.end", _end, _ended, None, status=204, sessionless=True),
)
