"""Sessions of one process: for a single small installation, and for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from faultmaven_core.sessions.expiry import SessionLimits, expires_at
from faultmaven_core.sessions.model import Session, SessionId, SignIn, user_tag
from faultmaven_core.sessions.ports import SessionStore
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock, SystemClock
from faultmaven_core.shared.errors import AlreadyExistsError, NotFoundError, StaleVersionError

_REMEMBERED = timedelta(minutes=1)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(slots=True)
class _Entry:
    session: Session
    idle: timedelta
    ends_at: datetime
    change: UUID | None = None


class MemorySessionStore(SessionStore):
    """See the port. What has expired is dropped when somebody signs in."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._users: dict[str, dict[SessionId, _Entry]] = {}
        self._ended: dict[SessionId, datetime] = {}

    async def create(self, sign_in: SignIn, *, limits: SessionLimits) -> Session:
        now = self._sweep()
        sid = sign_in.id
        known = self._find(sid)
        if known and known.session.sign_in == sign_in:
            return known.session
        if known or sid in self._ended:
            raise AlreadyExistsError("This id was used for a session before: make another one.")
        ends_at = now + limits.absolute
        session = Session(sign_in, now, now, expires_at(now, limits.idle, ends_at))
        mine = self._users.setdefault(sid.tag, {})
        for first in sorted(mine.values(), key=_expiry)[: max(0, len(mine) + 1 - limits.most)]:
            del mine[first.session.id]
        mine[sid] = _Entry(session, limits.idle, ends_at)
        return session

    async def get(self, sid: SessionId, *, slide: bool = True) -> Session | None:
        entry = self._find(sid)
        if entry is None:
            return None
        if slide:
            now = self._now()
            expiry = expires_at(now, entry.idle, entry.ends_at)
            entry.session = replace(entry.session, seen_at=now, expires_at=expiry)
        return entry.session

    async def update(self, session: Session, *, change: UUID) -> None:
        entry = self._find(session.id)
        if entry is None:
            raise NotFoundError("The session is over: sign in again.")
        if entry.change == change:
            return
        if entry.session.version != session.version:
            raise StaleVersionError("Somebody else changed the session first: read it again.")
        entry.session = replace(entry.session, data=session.data, version=session.version + 1)
        entry.change = change

    async def end(self, sid: SessionId) -> None:
        self._users.get(sid.tag, {}).pop(sid, None)
        self._ended[sid] = self._now()

    async def end_all(self, owner: Caller, *, keep: SessionId | None = None) -> int:
        going = [session.id async for session in self.list(owner) if session.id != keep]
        for sid in going:
            await self.end(sid)
        return len(going)

    async def list(self, owner: Caller) -> AsyncIterator[Session]:
        known = [self._find(sid) for sid in self._users.get(user_tag(owner), {})]
        sessions = [entry.session for entry in known if entry]
        for session in sorted(sessions, key=lambda session: (session.created_at, session.id.digest)):
            yield session

    async def ping(self) -> None:
        self._clock.now()

    def _now(self) -> datetime:
        # Whole milliseconds, as every store keeps them.
        now = self._clock.now()
        return now - timedelta(microseconds=now.microsecond % 1000)

    def _find(self, sid: SessionId) -> _Entry | None:
        entry = self._users.get(sid.tag, {}).get(sid)
        return entry if entry and entry.session.expires_at > self._now() else None

    def _sweep(self) -> datetime:
        now = self._now()
        self._ended = {sid: at for sid, at in self._ended.items() if at > now - _REMEMBERED}
        for tag, mine in list(self._users.items()):
            live = {sid: entry for sid, entry in mine.items() if entry.session.expires_at > now}
            if live:
                self._users[tag] = live
            else:
                del self._users[tag]
        return now


def _expiry(entry: _Entry) -> tuple[datetime, str]:
    return entry.session.expires_at, entry.session.id.digest
