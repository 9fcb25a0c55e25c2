"""Ending sessions: what was issued for them is good for nothing from then on."""

from __future__ import annotations

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.audit_chain import Happening
from faultmaven_core.identity.credentials import Purpose
from faultmaven_core.identity.model import Principal
from faultmaven_core.identity.opening import seen, session_id
from faultmaven_core.identity.parts import Parts
from faultmaven_core.identity.ports import IdentityUnitOfWork
from faultmaven_core.identity.rights import is_program, require_person
from faultmaven_core.sessions.model import CLIENT, SessionId, user_tag
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError


class Ending:
    """Ends sessions.

    The refresh tokens go first and the sessions after them: a refresh that is under way either committed before, then its
    session is ended too, or it finds its family revoked.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def logout(self, command: c.LogOut, principal: Principal) -> v.LoggedOut:
        """End the caller's session, or all of his; a program ends its own alone.

        Raises PermissionDeniedError for one that has none: an API key.
        """
        caller = principal.caller
        if not principal.sid:
            require_person(principal)
        everywhere = not is_program(principal) and (command.everywhere or not principal.sid)
        happening = Happening("user.signed_out", caller.user, caller.user, detail={"everywhere": str(everywhere)})
        if everywhere:
            revoked = await self._revoke(principal, happening)
            await self.sessions(caller)
        else:
            revoked = await self._revoke(principal, happening, only=principal.sid)
            await self._parts.sessions.end(session_id(principal.sid))
        return v.LoggedOut(revoked, everywhere)

    async def list(self, principal: Principal) -> v.SessionList:
        """The caller's live sessions, oldest first."""
        live = [session async for session in self._parts.sessions.list(principal.caller)]
        shown = [seen(session, principal.sid) for session in live if session.sign_in.method != CLIENT]
        return v.SessionList(tuple(shown))

    async def end(self, command: c.EndSession, principal: Principal) -> v.SessionsEnded:
        """End one of the caller's sessions.

        Raises NotFoundError, for another user's too; PermissionDeniedError where a program ends any but its own.
        """
        if command.session_id != principal.sid:
            require_person(principal)
        sid = _own(command.session_id, principal.caller)
        if await self._parts.sessions.get(sid, slide=False) is None:
            raise _unknown()
        happening = Happening("session.ended", principal.caller.user, principal.caller.user)
        await self._revoke(principal, happening, only=command.session_id)
        await self._parts.sessions.end(sid)
        return v.SessionsEnded(1)

    async def end_others(self, principal: Principal) -> v.SessionsEnded:
        """End all of the caller's sessions but the one that asks. Raises PermissionDeniedError for programs."""
        require_person(principal)
        happening = Happening("session.others_ended", principal.caller.user, principal.caller.user)
        await self._revoke(principal, happening, keep=principal.sid)
        return v.SessionsEnded(await self.sessions(principal.caller, keep=principal.sid))

    async def sessions(self, owner: Caller, *, keep: str = "") -> int:
        """End a user's sessions, after what he holds was revoked; how many."""
        self._parts.standings.forget()
        return await self._parts.sessions.end_all(owner, keep=session_id(keep) if keep else None)

    async def _revoke(self, principal: Principal, happening: Happening, *, only: str = "", keep: str = "") -> int:
        parts, caller = self._parts, principal.caller

        async def work(unit: IdentityUnitOfWork) -> int:
            await parts.audit.note(unit, caller.organization, happening, principal.client)
            now = parts.clock.now()
            if only:
                return await unit.refresh_tokens.revoke_session(only, now)
            # A code is no session yet, and would become one.
            await unit.grants.revoke_user(Purpose.CODE, caller.user, now)
            return await unit.refresh_tokens.revoke_user(caller.user, now, keep_session=keep)

        return await parts.write(None, Caller(caller.organization, caller.user), int, work)


def _own(text: str, caller: Caller) -> SessionId:
    try:
        sid = SessionId.of(text)
    except InvalidInputError as error:
        raise _unknown() from error
    if sid.tag != user_tag(caller):
        raise _unknown()
    return sid


def _unknown() -> NotFoundError:
    return NotFoundError("You have no such sign-in.")
