"""Sessions in memory: for tests, and for a program that is one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from faultmaven_core.ports.health import Inspection
from faultmaven_core.sessions.expiry import SessionLimits, expires_at
from faultmaven_core.sessions.model import Session, SessionId, SignIn, user_tag
from faultmaven_core.sessions.ports import SessionStore
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import AlreadyExistsError, ConflictError, NotFoundError, StaleVersionError

SWEEP_EVERY = 1000
"""New sessions after which what expired is forgotten."""

_REMEMBERED = timedelta(minutes=1)


@dataclass(slots=True)
class _Entry:
    session: Session
    idle: timedelta
    ends_at: datetime
    change: UUID | None = None


class MemorySessionStore(SessionStore):
    """See the port. Nothing awaits between a look and a change, so every method is one step."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stored: dict[str, dict[SessionId, _Entry]] = {}
        self._ended: dict[SessionId, datetime] = {}
        self._created = 0
        self._closed = False

    async def create(self, sign_in: SignIn, *, limits: SessionLimits) -> Session:
        now, sid = self._now(), sign_in.id
        mine = self._live(sid.tag)
        if sid in mine and mine[sid].session.sign_in == sign_in:
            return mine[sid].session
        if sid in mine or self._ended.get(sid, now - _REMEMBERED) > now - _REMEMBERED:
            raise AlreadyExistsError("This id was used for a session before: make another one.")
        self._sweep(now)
        for first in sorted(mine.values(), key=_expiry)[: max(0, len(mine) + 1 - limits.most)]:
            del mine[first.session.id]
        ends_at = now + limits.absolute
        session = Session(sign_in, now, now, expires_at(now, limits.idle, ends_at))
        self._stored[sid.tag] = {**mine, sid: _Entry(session, limits.idle, ends_at)}
        return session

    async def get(self, sid: SessionId, *, slide: bool = True) -> Session | None:
        now, entry = self._now(), self._live(sid.tag).get(sid)
        if entry is None:
            return None
        if slide:
            expiry = expires_at(now, entry.idle, entry.ends_at)
            entry.session = replace(entry.session, seen_at=now, expires_at=expiry)
        return entry.session

    async def update(self, session: Session, *, change: UUID) -> None:
        entry = self._live(session.id.tag).get(session.id)
        if entry is None:
            raise NotFoundError("The session is over: sign in again.")
        if entry.change == change:
            return
        if entry.session.version != session.version:
            raise StaleVersionError("Somebody else changed the session first: read it again.")
        entry.session = replace(entry.session, data=session.data, version=session.version + 1)
        entry.change = change

    async def end(self, sid: SessionId) -> None:
        self._ended[sid] = self._now()
        self._stored.get(sid.tag, {}).pop(sid, None)

    async def end_all(self, owner: Caller, *, keep: SessionId | None = None) -> int:
        going = [sid for sid in self._live(user_tag(owner)) if sid != keep]
        for sid in going:
            await self.end(sid)
        return len(going)

    async def list(self, owner: Caller) -> AsyncIterator[Session]:
        sessions = [entry.session for entry in self._live(user_tag(owner)).values()]
        for session in sorted(sessions, key=lambda session: (session.created_at, session.id.digest)):
            yield session

    async def ping(self) -> None:
        self._now()

    async def inspect(self) -> Inspection:
        self._now()
        return Inspection("memory", "", self._clock.now())

    async def aclose(self) -> None:
        self._closed = True

    def _now(self) -> datetime:
        if self._closed:
            raise ConflictError("The session store was closed.")
        # Whole milliseconds, as servers keep them.
        now = self._clock.now()
        return now - timedelta(microseconds=now.microsecond % 1000)

    def _live(self, tag: str) -> dict[SessionId, _Entry]:
        now = self._now()
        return {sid: entry for sid, entry in self._stored.get(tag, {}).items() if entry.session.expires_at > now}

    def _sweep(self, now: datetime) -> None:
        self._created += 1
        if self._created % SWEEP_EVERY == 0:
            self._ended = {sid: at for sid, at in self._ended.items() if at > now - _REMEMBERED}
            self._stored = {tag: live for tag in self._stored if (live := self._live(tag))}


def _expiry(entry: _Entry) -> tuple[datetime, str]:
    return entry.session.expires_at, entry.session.id.digest
