"""Sessions of clients: what a browser's panel or a bot keeps open while its user works; signing in is identity's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from faultmaven_core import codec
from faultmaven_core.sessions import commands as c
from faultmaven_core.sessions.expiry import LONGEST, SessionLimits
from faultmaven_core.sessions.model import CLIENT, Session, SessionId, SessionToken, SignIn, user_tag
from faultmaven_core.sessions.ports import SessionStore
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, UnauthenticatedError
from faultmaven_core.shared.page import limited
from faultmaven_core.shared.text import checked

SHORTEST_IDLE, LONGEST_IDLE = 60, 480
"""Minutes. A client says that it is there every ten of them, so it may miss some."""

MOST_METADATA = 8 * 1024
"""Bytes of a client's own data, as JSON."""


class SessionExpiredError(UnauthenticatedError):
    """The client's session is over, or never was the caller's: begin another. The user stays signed in."""

    code = "session_expired"


@dataclass(frozen=True, slots=True)
class _Client:
    """What is kept with the session."""

    client_id: str
    session_type: str
    metadata: Mapping[str, object] = field(default_factory=dict)


class SessionService:
    """Begins, resumes, keeps and ends the caller's sessions. Another's look like ones that are over."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    async def open(self, command: c.OpenSession, caller: Caller) -> c.SessionView:
        """The live session of this client, or a new one. Raises InvalidInputError where a text cannot be kept."""
        client = _checked(command)
        if found := await self._of_client(client.client_id, caller):
            await self._store.get(found.id)
            return replace(_view(found), session_resumed=True)
        sid = SessionToken.new(caller).id
        limits = SessionLimits(timedelta(minutes=command.timeout_minutes), LONGEST)
        begun = await self._store.create(SignIn(sid, caller.organization, caller.user, CLIENT), limits=limits)
        await self._store.update(replace(begun, data=codec.encode(client)), change=uuid4())
        return _view(replace(begun, data=codec.encode(client)))

    async def keep(self, command: c.KeepSession, caller: Caller) -> c.SessionView:
        """The session, its idle time begun anew. Raises SessionExpiredError where it is over."""
        return _view(await self._require(command.session_id, caller))

    async def list(self, command: c.ListSessions, caller: Caller) -> c.SessionList:
        """The caller's live sessions, of which nobody has more than the installation allows."""
        limit, after = limited(command.limit), _place(command.cursor)
        every = [_view(session) async for session in self._store.list(caller) if session.sign_in.method == CLIENT]
        found = sorted((view for view in every if _at(view) > after), key=_at)
        part = tuple(found[:limit])
        return c.SessionList(part, len(every), _text(part[-1]) if len(found) > limit else None)

    async def end(self, command: c.EndSession, caller: Caller) -> c.SessionEnded:
        """End it."""
        try:
            session = await self._require(command.session_id, caller)
        except SessionExpiredError:
            return c.SessionEnded(command.session_id)
        await self._store.end(session.id)
        return c.SessionEnded(command.session_id)

    async def _of_client(self, client_id: str, caller: Caller) -> Session | None:
        async for session in self._store.list(caller):
            if session.sign_in.method == CLIENT and session.data and _client(session).client_id == client_id:
                return session
        return None

    async def _require(self, session_id: str, caller: Caller) -> Session:
        try:
            sid = SessionId.of(session_id)
        except InvalidInputError as error:
            raise SessionExpiredError(_OVER) from error
        # Whose it is stands in its id: a foreign one is not even looked for.
        found = await self._store.get(sid) if sid.tag == user_tag(caller) else None
        if found is None or found.sign_in.method != CLIENT or not found.data:
            raise SessionExpiredError(_OVER)
        return found


_Place = tuple[datetime, str]
"""Where a session stands in the list: when it began, and its id in short, which says nothing to whoever finds it in a log."""

_FIRST: _Place = (datetime.min.replace(tzinfo=UTC), "")


def _at(view: c.SessionView) -> _Place:
    return view.created_at, hashlib.sha256(view.session_id.encode()).hexdigest()[:16]


def _text(view: c.SessionView) -> str:
    moment, short = _at(view)
    return f"{moment.isoformat()}/{short}"


def _place(cursor: str) -> _Place:
    moment, _, short = cursor.partition("/")
    try:
        began = datetime.fromisoformat(moment) if cursor else _FIRST[0]
    except ValueError as error:
        raise InvalidInputError("This is not the cursor of an earlier page.", fields={"cursor": "unknown"}) from error
    if began.tzinfo is None:
        raise InvalidInputError("This is not the cursor of an earlier page.", fields={"cursor": "unknown"})
    return began, short


_OVER = "Session expired: begin a new one."


def _checked(command: c.OpenSession) -> _Client:
    if not SHORTEST_IDLE <= command.timeout_minutes <= LONGEST_IDLE:
        raise InvalidInputError(
            f"A session ends after {SHORTEST_IDLE} to {LONGEST_IDLE} minutes without use.",
            fields={"timeout_minutes": "out of range"},
        )
    if len(codec.encode(command.metadata)) > MOST_METADATA:
        raise InvalidInputError(f"`metadata` is over {MOST_METADATA} bytes.", fields={"metadata": "too large"})
    return _Client(
        checked("client_id", command.client_id, least=1, most=128),
        checked("session_type", command.session_type, least=1, most=64),
        command.metadata,
    )


def _client(session: Session) -> _Client:
    return codec.restore(_Client, session.data)


def _view(session: Session) -> c.SessionView:
    client = _client(session)
    return c.SessionView(
        str(session.id),
        client.client_id,
        session.sign_in.user,
        client.session_type,
        client.metadata,
        session.created_at,
        session.seen_at,
        session.expires_at,
    )
