"""Beginning a signed-in session: the session, its family of refresh tokens and the first access token."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from faultmaven_core.identity import views as v
from faultmaven_core.identity.audit_chain import Happening
from faultmaven_core.identity.credentials import RefreshToken, digest, new_secret
from faultmaven_core.identity.model import ClientInfo, Organization, OrganizationState, User, UserState
from faultmaven_core.identity.parts import Parts
from faultmaven_core.identity.people import user_view
from faultmaven_core.identity.ports import IdentityUnitOfWork
from faultmaven_core.identity.standing import Standing, standing
from faultmaven_core.ports.tokens import TokenKind
from faultmaven_core.sessions.expiry import SessionLimits
from faultmaven_core.sessions.model import Session, SessionId, SessionToken, SignIn
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import AlreadyExistsError, FaultMavenError, InvalidInputError, UnauthenticatedError

REFRESH_PREFIX = "fmr_"
DEV = "dev"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """How somebody came in. `client_id` and `scope` are an OAuth client's; "" for the installation's own sign-in."""

    method: str
    client: ClientInfo
    client_id: str = ""
    scope: str = ""
    rehashed: str = ""


class Opening:
    """Opens sessions and issues their tokens."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def open(self, user: User, organization: Organization, entry: Entry) -> v.TokenPair:
        """Sign a user in whose proof was just checked against `user`.

        Raises UnauthenticatedError where the user changed since so that the proof is none any more.
        """
        parts, now = self._parts, self._parts.clock.now()
        owner = Caller(user.organization, user.id)
        sid = SessionToken.new(owner).id
        await parts.sessions.create(self._sign_in(sid, owner, entry), limits=self.limits(organization))
        secret = REFRESH_PREFIX + new_secret()
        try:
            known, token = await self._enter(user, self._ends_at(organization, now), sid, secret, entry, now)
            return await self.pair(known, token, secret)
        except BaseException:
            await self._abandon(sid)
            raise

    async def pair(self, known: Standing, token: RefreshToken, secret: str) -> v.TokenPair:
        """The tokens of a session, for its client."""
        parts, now = self._parts, self._parts.clock.now()
        ttl = parts.policy.dev_access_ttl if token.method == DEV else parts.policy.access_ttl
        expires_at = now + ttl
        access = await parts.tokens.issue(TokenKind.ACCESS, self._claims(known, token), expires_at)
        left = int((token.expires_at - now) / timedelta(seconds=1))
        view = user_view(known.user, known.organization, known.permissions)
        return v.TokenPair(
            access, int(ttl.total_seconds()), expires_at, secret, max(left, 1), token.session, token.scope, view
        )

    async def resume(self, token: RefreshToken, organization: Organization, client: ClientInfo) -> None:
        """Have the family's session again, if nobody used it for long.

        Raises UnauthenticatedError where it was ended, or is over by the idle time that its organization chose.
        """
        sessions, now = self._parts.sessions, self._parts.clock.now()
        sid = session_id(token.session)
        if await sessions.get(sid) is not None:
            return
        if not resumable(organization):
            raise ended()
        owner = Caller(token.organization, token.user)
        limits = self.limits(organization, most=max(token.ends_at - now, timedelta(seconds=1)))
        sign_in = self._sign_in(sid, owner, Entry(token.method, client, token.client_id))
        try:
            await sessions.create(sign_in, limits=limits)
        except AlreadyExistsError as error:
            # Another refresh may have made it, from another address; else it was ended a moment ago.
            if await sessions.get(sid) is None:
                raise ended() from error

    def limits(self, organization: Organization, *, most: timedelta | None = None) -> SessionLimits:
        """How long the organization's sessions live: as it says, but not longer than the installation allows.

        Unused, that is as long as a refresh token: until then a session of the installation's idle time is resumed, one of
        the organization's own is not.
        """
        own, usual = organization.settings, self._parts.policy.session
        absolute = min(usual.absolute, timedelta(seconds=own.session_absolute_seconds) or usual.absolute)
        if most is not None:
            absolute = min(absolute, most)
        chosen = min(self._parts.policy.refresh_idle, timedelta(seconds=own.session_idle_seconds))
        return SessionLimits(min(chosen or usual.idle, absolute), absolute, own.most_sessions or usual.most)

    def _ends_at(self, organization: Organization, now: datetime) -> datetime:
        """When a family ends that begins now: with its session, which a refresh could begin again otherwise."""
        return now + min(self._parts.policy.refresh_absolute, self.limits(organization).absolute)

    async def _enter(
        self, checked: User, ends_at: datetime, sid: SessionId, secret: str, entry: Entry, now: datetime
    ) -> tuple[Standing, RefreshToken]:
        parts, policy = self._parts, self._parts.policy
        token = RefreshToken(
            parts.ids.new(),
            checked.organization,
            digest(secret),
            parts.ids.new(),
            checked.id,
            str(sid),
            entry.client_id,
            entry.scope,
            entry.method,
            now,
            now,
            min(now + policy.refresh_idle, ends_at),
            ends_at,
        )
        happening = Happening("user.signed_in", checked.id, checked.id, detail={"method": entry.method})

        async def work(unit: IdentityUnitOfWork) -> Standing:
            await parts.audit.note(unit, checked.organization, happening, entry.client)
            known = await standing(unit, checked.id)
            if not known.active or not same_password(known.user, checked):
                raise ended()
            password = entry.rehashed or known.user.password
            remembered = parts.guard.remembered(known.user, entry.client)
            user = replace(known.user, last_login_at=now, password=password, remembered=remembered)
            await unit.users.save(user)
            await unit.refresh_tokens.add(token)
            await unit.refresh_tokens.sweep(now)
            return replace(known, user=replace(user, version=user.version + 1))

        return await parts.write(None, Caller(checked.organization, checked.id), Standing, work), token

    def _claims(self, known: Standing, token: RefreshToken) -> Mapping[str, object]:
        return {
            "aud": self._parts.policy.audience,
            "sub": known.user.id,
            "org": known.user.organization,
            "sid": token.session,
            "roles": list(known.user.roles),
            "scope": token.scope,
            "auth_time": int(token.signed_in_at.timestamp()),
            "amr": [token.method],
            "acr": "aal0" if token.method == DEV else "aal1",
            "client_id": token.client_id or self._parts.policy.audience,
        }

    def _sign_in(self, sid: SessionId, owner: Caller, entry: Entry) -> SignIn:
        device, address = (
            "".join(char for char in text if char.isprintable()) for text in (entry.client.device, entry.client.address)
        )
        return SignIn(sid, owner.organization, owner.user, entry.method, device=device[:512], address=address[:64])

    async def _abandon(self, sid: SessionId) -> None:
        try:
            await self._parts.sessions.end(sid)
        except FaultMavenError as error:
            # Nobody holds a token of it; it expires by itself.
            _log.warning("A session that nobody uses could not be ended: %s", error)


def session_id(text: str) -> SessionId:
    """The session that a claim or row names. Raises UnauthenticatedError where it names none."""
    try:
        return SessionId.of(text)
    except InvalidInputError as error:
        raise ended() from error


def same_password(now: User, then: User) -> bool:
    """Whether what is stored of the password is what it was: a proof made against it holds still."""
    return hmac.compare_digest(now.password, then.password)


def may_enter(user: User, organization: Organization) -> bool:
    """Whether a user may sign in at all."""
    return user.state is UserState.ACTIVE and organization.state is OrganizationState.ACTIVE


def resumable(organization: Organization) -> bool:
    """Whether a refresh begins a session again that idled out: only where the idle time is the installation's own."""
    return not organization.settings.session_idle_seconds


def ended() -> UnauthenticatedError:
    """What is said to whoever comes with something that was good once."""
    return UnauthenticatedError("This sign-in has ended: sign in again.")


def seen(session: Session, current: str) -> v.SessionView:
    """A session as its user sees it."""
    told = session.sign_in
    return v.SessionView(
        str(session.id),
        told.method,
        told.device,
        told.address,
        session.created_at,
        session.seen_at,
        session.expires_at,
        str(session.id) == current,
    )
