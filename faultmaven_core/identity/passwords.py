"""Setting passwords: by their owner, with the text of a letter, by somebody who manages users."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import names
from faultmaven_core.identity import views as v
from faultmaven_core.identity.audit_chain import Happening, Outcome
from faultmaven_core.identity.credentials import Grant, Purpose, digest, new_secret
from faultmaven_core.identity.ending import Ending
from faultmaven_core.identity.model import ClientInfo, Organization, Principal, User, UserState
from faultmaven_core.identity.opening import same_password
from faultmaven_core.identity.parts import Parts
from faultmaven_core.identity.password_rules import checked_password
from faultmaven_core.identity.ports import FoundUser, IdentityUnitOfWork
from faultmaven_core.identity.rights import require_person
from faultmaven_core.identity.signing_in import SYSTEM, SigningIn
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError, StaleVersionError, UnauthenticatedError

RESET_PREFIX = "fmp_"
RESET_LIFE = timedelta(minutes=15)


class Passwords:
    """Changes passwords. Each change ends the user's other sessions and makes older reset letters worthless."""

    def __init__(self, parts: Parts, signing_in: SigningIn, ending: Ending) -> None:
        self._parts, self._signing_in, self._ending = parts, signing_in, ending

    async def hashed(self, password: str, user_names: tuple[str, ...], organization: Organization) -> str:
        """What to store. Raises InvalidInputError where this password is not taken."""
        forbidden = (*user_names, organization.name, organization.id, self._parts.policy.product)
        return await self._parts.hasher.hash(checked_password(password, self._parts.common, forbidden))

    async def change(self, command: c.ChangePassword, principal: Principal) -> v.Done:
        """Change one's own. Raises UnauthenticatedError where the current one is wrong, PermissionDeniedError for programs."""
        require_person(principal)
        caller = principal.caller
        user, organization = await self._read(caller)
        if not await self._signing_in.check(user, command.current, principal.client):
            raise UnauthenticatedError("The current password is wrong.")
        stored = await self.hashed(command.password, _names(user), organization)
        await self._store(user, stored, Happening("password.changed", user.id, user.id), principal)
        await self._ending.sessions(caller, keep=principal.sid)
        self._parts.letters.password_changed(user.email)
        return v.Done()

    async def set_for(self, user: User, organization: Organization, password: str, principal: Principal) -> None:
        """Set somebody else's; whether the caller may is asked before."""
        stored = await self.hashed(password, _names(user), organization)
        await self._store(user, stored, Happening("password.set", principal.caller.user, user.id), principal)
        await self._ending.sessions(Caller(user.organization, user.id))
        self._parts.letters.password_changed(user.email)

    async def request_reset(self, command: c.RequestReset, client: ClientInfo) -> v.Done:
        """Send a letter, if there is such a user. The answer tells nothing; all that differs is done beside it."""
        parts = self._parts
        await parts.guard.admit(client)
        address = names.folded(command.email)[:512]
        address = address if address.isprintable() else ""
        found = await parts.directory.by_email(address) if address else None
        allowed = await parts.guard.letter("reset", address)
        parts.letters.beside(self._offer_reset(found, client, allowed=allowed))
        return v.Done()

    async def _offer_reset(self, found: FoundUser | None, client: ClientInfo, *, allowed: bool) -> None:
        parts = self._parts
        organization = found.organization if found else parts.policy.home
        token, now = RESET_PREFIX + new_secret(), parts.clock.now()
        target = found.user if found else ""
        outcome = Outcome.SUCCESS if found and allowed else Outcome.FAILURE
        happening = Happening("password.reset_requested", "", target, outcome)

        async def work(unit: IdentityUnitOfWork) -> str:
            await parts.audit.note(unit, organization, happening, client)
            if found is None or not allowed:
                return ""
            user = await unit.users.get(found.user)
            if user.state is not UserState.ACTIVE:
                return ""
            await unit.grants.revoke_user(Purpose.RESET, user.id, now)
            grant = Grant(parts.ids.new(), organization, Purpose.RESET, digest(token), user.id, now, now + RESET_LIFE)
            await unit.grants.add(grant)
            await unit.grants.sweep(now - timedelta(days=1))
            return user.email

        email = await parts.write(None, Caller(organization, SYSTEM), str, work)
        parts.letters.reset(email, token, int(RESET_LIFE.total_seconds() // 60))

    async def complete_reset(self, command: c.CompleteReset, client: ClientInfo) -> v.Done:
        """Set the password with a letter's text; all sessions end, and API keys too: who made them may be why it was lost.

        Raises InvalidInputError where the text is unknown, used or too old, or the password is not taken.
        """
        parts = self._parts
        await parts.guard.admit(client)
        name = digest(command.token)
        found = await parts.directory.by_grant_digest(Purpose.RESET, name)
        if found is None:
            raise _worthless()
        async with parts.units(found.organization, read_only=True) as unit:
            grant = await self._grant(unit, name)
            user, organization = await unit.users.get(grant.user), await unit.organizations.get()
        stored = await self.hashed(command.password, _names(user), organization)
        owner = Caller(user.organization, user.id)

        async def work(unit: IdentityUnitOfWork) -> None:
            happening = Happening("password.reset", user.id, user.id)
            await parts.audit.note(unit, user.organization, happening, client)
            used = await self._grant(unit, name)
            now = parts.clock.now()
            await unit.grants.save(replace(used, used_at=now))
            fresh = await unit.users.get(user.id)
            if fresh.state is not UserState.ACTIVE:
                raise _worthless()
            await unit.users.save(replace(fresh, password=stored, remembered=()))
            await _withdraw(unit, user, now)
            await unit.api_keys.revoke_user(user.id, now)

        await parts.write(None, owner, type(None), work)
        await self._ending.sessions(owner)
        parts.letters.password_changed(user.email)
        return v.Done()

    async def _grant(self, unit: IdentityUnitOfWork, name: str) -> Grant:
        try:
            grant = await unit.grants.by_digest(Purpose.RESET, name)
        except NotFoundError as error:
            raise _worthless() from error
        if grant.used_at or grant.revoked_at or grant.expires_at <= self._parts.clock.now():
            raise _worthless()
        return grant

    async def _read(self, caller: Caller) -> tuple[User, Organization]:
        async with self._parts.units(caller.organization, read_only=True) as unit:
            return await unit.users.get(caller.user), await unit.organizations.get()

    async def _store(self, user: User, stored: str, happening: Happening, principal: Principal) -> None:
        async def work(unit: IdentityUnitOfWork) -> None:
            await self._parts.audit.note(unit, user.organization, happening, principal.client)
            fresh, now = await unit.users.get(user.id), self._parts.clock.now()
            if not same_password(fresh, user) or fresh.state is UserState.DELETED:
                raise StaleVersionError("The user was changed by somebody else; try again.")
            await unit.users.save(replace(fresh, password=stored, remembered=()))
            await _withdraw(unit, user, now, keep=principal.sid if principal.caller.user == user.id else "")

        await self._parts.write(None, Caller(user.organization, user.id), type(None), work)


async def _withdraw(unit: IdentityUnitOfWork, user: User, now: datetime, *, keep: str = "") -> None:
    """Make reset letters, codes that no client has exchanged yet and refresh tokens worthless."""
    for purpose in Purpose:
        await unit.grants.revoke_user(purpose, user.id, now)
    await unit.refresh_tokens.revoke_user(user.id, now, keep_session=keep)


def _names(user: User) -> tuple[str, ...]:
    return user.username, user.email.partition("@")[0], user.email, user.display_name


def _worthless() -> InvalidInputError:
    return InvalidInputError(
        "This text is unknown, was used before or is too old: ask for another one.", fields={"token": "not good"}
    )
