"""Refresh tokens: each is used once and followed by the next; one that comes again has been copied."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.audit_chain import Happening, Outcome
from faultmaven_core.identity.credentials import RefreshToken, as_text, digest
from faultmaven_core.identity.model import ClientInfo
from faultmaven_core.identity.opening import REFRESH_PREFIX, Opening, ended, session_id
from faultmaven_core.identity.parts import Parts
from faultmaven_core.identity.ports import IdentityUnitOfWork
from faultmaven_core.identity.standing import Standing, standing
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import NotFoundError

GRACE = timedelta(seconds=10)
"""How long a used token gives the same successor again: for calls at the same time, and answers that were lost."""

_FORM = re.compile(rf"{REFRESH_PREFIX}[A-Za-z0-9_-]{{43}}")


@dataclass(frozen=True, slots=True)
class _Step:
    """What became of a presented token: its successor, or (None) it came again too late."""

    known: Standing
    successor: RefreshToken | None


class Refreshing:
    """Turns a refresh token into the next one.

    The successor's text is computed from the token by a secret of the installation, so that whoever presents the same
    token at the same time gets the same successor, though only digests are stored.
    """

    def __init__(self, parts: Parts, opening: Opening) -> None:
        self._parts, self._opening = parts, opening

    async def refresh(self, command: c.Refresh, client: ClientInfo) -> v.TokenPair:
        """The next pair of tokens.

        Raises UnauthenticatedError where the token is unknown, over, revoked, another client's, or was used before; the
        last ends its whole family and session, and is told to the user.
        """
        token = await self._read(command.refresh_token)
        if token.client_id and not hmac.compare_digest(token.client_id.encode(), command.client_id.encode()):
            raise ended()
        if token.revoked_at is not None or token.ends_at <= self._parts.clock.now():
            raise ended()
        if token.used_at is None:
            await self._resume(token, client)
        step = await self._step(command.refresh_token, token, client)
        if step.successor is None:
            await self._betrayed(step.known, token)
            raise ended()
        return await self._opening.pair(step.known, step.successor, self._next(command.refresh_token))

    async def find(self, text: str) -> RefreshToken | None:
        """The stored side of a refresh token; None where it is none of ours."""
        if not _FORM.fullmatch(text):
            return None
        name = digest(text)
        found = await self._parts.directory.by_refresh_digest(name)
        if found is None:
            return None
        async with self._parts.units(found.organization, read_only=True) as unit:
            try:
                return await unit.refresh_tokens.by_digest(name)
            except NotFoundError:
                return None

    async def _read(self, text: str) -> RefreshToken:
        token = await self.find(text)
        if token is None:
            raise ended()
        return token

    async def _resume(self, token: RefreshToken, client: ClientInfo) -> None:
        async with self._parts.units(token.organization, read_only=True) as unit:
            organization = await unit.organizations.get()
        await self._opening.resume(token, organization, client)

    async def _step(self, text: str, before: RefreshToken, client: ClientInfo) -> _Step:
        parts = self._parts

        async def work(unit: IdentityUnitOfWork) -> _Step:
            now = parts.clock.now()
            token = await unit.refresh_tokens.by_digest(before.digest)
            known = await standing(unit, token.user)
            if token.revoked_at is not None or not known.active:
                raise ended()
            if token.used_at is None:
                return _Step(known, await self._use(unit, text, token, now))
            if now - token.used_at <= GRACE:
                return _Step(known, await unit.refresh_tokens.by_digest(digest(self._next(text))))
            if not await unit.refresh_tokens.revoke_family(token.family, now):
                raise ended()  # somebody else, at the same time, was told already
            detail = {"family": str(token.family), "session": token.session}
            happening = Happening("refresh_token.reused", "", token.user, Outcome.DENIED, detail=detail)
            await parts.audit.note(unit, token.organization, happening, client)
            return _Step(known, None)

        return await parts.write(None, Caller(before.organization, before.user), _Step, work)

    async def _use(self, unit: IdentityUnitOfWork, text: str, token: RefreshToken, now: datetime) -> RefreshToken:
        if token.expires_at <= now:
            raise ended()
        successor = replace(
            token,
            key=self._parts.ids.new(),
            digest=digest(self._next(text)),
            created_at=now,
            expires_at=min(now + self._parts.policy.refresh_idle, token.ends_at),
            version=1,
        )
        await unit.refresh_tokens.save(replace(token, used_at=now))
        await unit.refresh_tokens.add(successor)
        return successor

    async def _betrayed(self, known: Standing, token: RefreshToken) -> None:
        await self._parts.sessions.end(session_id(token.session))
        if await self._parts.guard.letter("reused", known.user.email):
            self._parts.letters.reused(known.user.email)

    def _next(self, text: str) -> str:
        pepper = self._parts.tokens.pepper("refresh")
        return REFRESH_PREFIX + as_text(hmac.new(pepper, digest(text).encode(), hashlib.sha256).digest())
