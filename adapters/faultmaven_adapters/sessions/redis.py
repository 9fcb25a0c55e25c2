"""Sessions that all processes share, in Redis: on a single server, behind Sentinel, in a cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from faultmaven_adapters._support.redis_clients import RedisClients, Script
from faultmaven_adapters._support.redis_share import RedisShare
from faultmaven_adapters.sessions.replication import replicated
from faultmaven_adapters.sessions.scripts import CREATE, END, END_OTHERS, GET, UPDATE
from faultmaven_core.codec import encode, restore
from faultmaven_core.sessions.expiry import SessionLimits
from faultmaven_core.sessions.model import Session, SessionId, SignIn, user_tag
from faultmaven_core.sessions.ports import SessionStore
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import (
    AlreadyExistsError,
    BackendUnavailableError,
    NotFoundError,
    StaleVersionError,
)

_MILLISECOND = timedelta(milliseconds=1)


class RedisSessionStore(RedisShare, SessionStore):
    """See the port.

    `replicas` is how many of them must know of an end before it counts, unless fewer are alive. By default none of a
    single server, and one where there is failover: what is promoted is the replica furthest ahead, so the one that knows.
    """

    _closed_sentence = "The session store was closed."

    def __init__(self, clients: RedisClients, *, replicas: int | None = None) -> None:
        super().__init__(clients)
        self._replicas = replicas if replicas is not None else int(clients.topology != "single")

    async def create(self, sign_in: SignIn, *, limits: SessionLimits) -> Session:
        sid = sign_in.id
        row = await self._redis.script(
            CREATE,
            self._keys(sid, "ended"),
            (sid.digest, encode(sign_in), limits.idle // _MILLISECOND, limits.absolute // _MILLISECOND, limits.most),
        )
        if row is None:
            raise AlreadyExistsError("This id was used for a session before: make another one.")
        await self._forget(sid.tag, row[5:])
        return _session(row, sign_in)

    async def get(self, sid: SessionId, *, slide: bool = True) -> Session | None:
        row = await self._redis.script(GET, self._keys(sid), (sid.digest, "1" if slide else "0"))
        return _session(row, _sign_in(row[5])) if row else None

    async def update(self, session: Session, *, change: UUID) -> None:
        sid = session.id
        given = (sid.digest, session.version, session.data, change.bytes)
        answer = await self._redis.script(UPDATE, self._keys(sid), given)
        if answer == b"over":
            raise NotFoundError("The session is over: sign in again.")
        if answer == b"stale":
            raise StaleVersionError("Somebody else changed the session first: read it again.")

    async def end(self, sid: SessionId) -> None:
        await self._end(END, self._keys(sid, "ended"), sid.digest)

    async def end_all(self, owner: Caller, *, keep: SessionId | None = None) -> int:
        tag = user_tag(owner)
        keys = [self._redis.key(tag, "sessions"), self._redis.key(tag, "ended")]
        gone = await self._end(END_OTHERS, keys, keep.digest if keep and keep.tag == tag else "")
        await self._forget(tag, gone)
        return len(gone)

    async def list(self, owner: Caller) -> AsyncIterator[Session]:
        tag = user_tag(owner)
        index = self._redis.key(tag, "sessions")
        digests = await self._redis.run(lambda client: client.execute_command("ZRANGE", index, 0, -1))
        sessions = [await self.get(SessionId(tag, digest.decode()), slide=False) for digest in digests]
        live = [session for session in sessions if session]
        for session in sorted(live, key=lambda session: (session.created_at, session.id.digest)):
            yield session

    def _keys(self, sid: SessionId, *more: str) -> Sequence[str]:
        return [self._redis.key(sid.tag, name) for name in (f"s:{sid.digest}", "sessions", *more)]

    async def _end(self, script: Script, keys: Sequence[str], digest: str) -> Sequence[bytes]:
        gone: Sequence[bytes]
        gone, safe = await self._redis.run(partial(replicated, script, keys, (digest,), self._replicas))
        if not safe:
            raise BackendUnavailableError("Sessions ended, but too few replicas know of it yet: repeat the call.")
        return gone

    async def _forget(self, tag: str, digests: Sequence[bytes]) -> None:
        """Remove what is left of sessions that live no more; where this fails, it goes at their expiry."""
        if digests:
            keys = [self._redis.key(tag, f"s:{digest.decode()}") for digest in digests]
            await self._redis.run(lambda client: client.execute_command("UNLINK", *keys))


def _session(row: Sequence[Any], sign_in: SignIn) -> Session:
    created, seen, expires, data, version, *_ = row
    return Session(sign_in, _moment(created), _moment(seen), _moment(expires), data, int(version))


@lru_cache(4096)
def _sign_in(stored: bytes) -> SignIn:
    # It never changes, and reading it costs more than everything else that is done here for a touch.
    return restore(SignIn, stored)


def _moment(milliseconds: bytes | int) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
