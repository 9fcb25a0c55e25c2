"""Signing in with a password, or by name alone where the installation allows that."""

from __future__ import annotations

from contextlib import suppress

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import names
from faultmaven_core.identity import views as v
from faultmaven_core.identity.audit_chain import Happening, Outcome
from faultmaven_core.identity.credentials import digest
from faultmaven_core.identity.model import ClientInfo, Organization, User, user_id
from faultmaven_core.identity.opening import DEV, Entry, Opening, may_enter
from faultmaven_core.identity.parts import Parts
from faultmaven_core.identity.password_rules import LONGEST, normal
from faultmaven_core.identity.permissions import OWNER
from faultmaven_core.identity.ports import FoundUser, IdentityUnitOfWork
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import NotFoundError, UnauthenticatedError
from faultmaven_core.shared.ids import UserId

BY_PASSWORD = "pwd"  # noqa: S105 - the name of a method in `amr`

SYSTEM = UserId("system")
"""Who writes where nobody is signed in."""

_NOBODY = UserId("usr_nobody")


class SigningIn:
    """Lets users in. Whatever is wrong, the answer and the work are the same: neither tells who has an account."""

    def __init__(self, parts: Parts, opening: Opening) -> None:
        self._parts, self._opening = parts, opening

    async def login(self, command: c.Login, client: ClientInfo) -> v.TokenPair:
        """Sign in with a password.

        Raises UnauthenticatedError for a wrong name or password, a user who may not come in and an account at which too
        many tried; RateLimitedError where too many tries come from this address or network.
        """
        user, organization, rehashed = await self._prove(command, client)
        fresh = not self._known(user, client)
        pair = await self._opening.open(user, organization, Entry(BY_PASSWORD, client, rehashed=rehashed))
        if fresh and user.last_login_at is not None:
            self._parts.letters.new_device(user.email, client.device[:200], client.address[:64])
        return pair

    async def dev_login(self, command: c.DevLogin, client: ClientInfo) -> v.TokenPair:
        """Sign in by name alone; a new name becomes a user of the installation's own organization, the first its owner.

        Raises NotFoundError where the installation does not allow it, UnauthenticatedError where the user has a password
        or may not come in.
        """
        parts = self._parts
        if not parts.policy.dev_login:
            raise NotFoundError("Signing in without a password is switched off here.")
        await parts.guard.admit(client)
        name = names.username(command.username)
        found = await parts.directory.by_username(name) or await self._make(name, command.username, client)
        user, organization = await self._read(found)
        if user is None or user.password or not may_enter(user, organization):
            raise UnauthenticatedError("This user cannot sign in without a password.")
        return await self._opening.open(user, organization, Entry(DEV, client))

    async def check(self, user: User, password: str, client: ClientInfo) -> bool:
        """Whether this is the password of a user who is signed in; counts as a try to sign in."""
        allowed = await self._parts.guard.account(user.id, user, client)
        check = await self._parts.hasher.verify(user.password or self._parts.hasher.dummy(), normal(password[:LONGEST]))
        return allowed and check.right and bool(user.password) and len(password) <= LONGEST

    async def _prove(self, command: c.Login, client: ClientInfo) -> tuple[User, Organization, str]:
        parts = self._parts
        await parts.guard.admit(client)
        name = names.folded(command.username)[:512]
        user, organization = await self._read(await self._find(name))
        allowed = await parts.guard.account(user.id if user else digest(name), user, client)
        stored = user.password if user and user.password else parts.hasher.dummy()
        # The whole password counts up to a length that nobody types; beyond it, nothing matches.
        check = await parts.hasher.verify(stored, normal(command.password[:LONGEST]))
        right = check.right and len(command.password) <= LONGEST
        if user is None or not (allowed and right and user.password and may_enter(user, organization)):
            await self._failed(user, client, allowed=allowed)
            raise UnauthenticatedError("The user name or the password is wrong.")
        rehashed = await parts.hasher.hash(normal(command.password)) if check.outdated else ""
        return user, organization, rehashed

    async def _find(self, name: str) -> FoundUser | None:
        if not name.isprintable():
            name = ""  # what no database takes is nobody's name
        # Both are asked, whatever the first one answers.
        by_name = await self._parts.directory.by_username(name)
        by_email = await self._parts.directory.by_email(name) if "@" in name else None
        return by_name or by_email

    async def _read(self, found: FoundUser | None) -> tuple[User | None, Organization]:
        """The user with his organization; without one, as much work for nothing."""
        if found is None:
            return None, await self._home(as_if=_NOBODY)
        async with self._parts.units(found.organization, read_only=True) as unit:
            return await unit.users.get(found.user), await unit.organizations.get()

    async def _home(self, *, as_if: UserId) -> Organization:
        """The installation's own organization, after as many questions as where there is a user."""
        policy = self._parts.policy
        async with self._parts.units(policy.home, read_only=True) as unit:
            with suppress(NotFoundError):
                await unit.users.get(as_if)
            with suppress(NotFoundError):
                return await unit.organizations.get()
        return Organization(policy.home, policy.home, self._parts.clock.now())

    async def _failed(self, user: User | None, client: ClientInfo, *, allowed: bool) -> None:
        parts = self._parts
        organization = user.organization if user else parts.policy.home
        reason = "refused" if allowed else "too many tries"
        target = user.id if user else ""
        happening = Happening("user.sign_in_failed", "", target, Outcome.FAILURE, detail={"reason": reason})

        async def work(unit: IdentityUnitOfWork) -> None:
            await parts.audit.note(unit, organization, happening, client)

        await parts.write(None, Caller(organization, SYSTEM), type(None), work)
        if not allowed:
            address = user.email if user else ""
            if await parts.guard.letter("locked", address or target):
                parts.letters.locked(address)

    def _known(self, user: User, client: ClientInfo) -> bool:
        return self._parts.guard.device(user, client) in user.remembered

    async def _make(self, name: str, shown: str, client: ClientInfo) -> FoundUser:
        parts, home = self._parts, self._parts.policy.home
        now = parts.clock.now()

        async def work(unit: IdentityUnitOfWork) -> FoundUser:
            await ensure_organization(unit, Organization(home, home, now))
            roles = ("member",) if await unit.users.with_role(OWNER) else (OWNER, "admin")
            key = parts.ids.new()
            user = User(key, user_id(key), home, name, "", names.display_name(shown, name), roles, now)
            await unit.users.add(user)
            happening = Happening("user.created", user.id, user.id, detail={"method": DEV})
            await parts.audit.note(unit, home, happening, client)
            return FoundUser(home, user.id)

        return await parts.write(None, Caller(home, SYSTEM), FoundUser, work)


async def ensure_organization(unit: IdentityUnitOfWork, organization: Organization) -> Organization:
    """The unit's organization; made, if there is none."""
    try:
        return await unit.organizations.get()
    except NotFoundError:
        await unit.organizations.add(organization)
        return organization
