"""Managing the users of an organization."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.audit_chain import Happening
from faultmaven_core.identity.credentials import Purpose
from faultmaven_core.identity.ending import Ending
from faultmaven_core.identity.model import Organization, Principal, User, UserState, granted
from faultmaven_core.identity.parts import Parts
from faultmaven_core.identity.passwords import Passwords
from faultmaven_core.identity.people import user_view
from faultmaven_core.identity.permissions import OWNER
from faultmaven_core.identity.ports import IdentityUnitOfWork
from faultmaven_core.identity.registering import Registering
from faultmaven_core.identity.rights import require_other_owner, require_power, require_roles
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError, PreconditionFailedError
from faultmaven_core.shared.ids import UserId
from faultmaven_core.shared.page import cursor, limited
from faultmaven_core.shared.text import checked

Change = Callable[[IdentityUnitOfWork, User], Awaitable[User]]
ChangeRoles = Callable[[tuple[str, ...]], tuple[str, ...]]

MOST_PASSED = 1_000_000
MOST_TOLD = 1100
"""Characters of roles in an event of the audit log: twenty of the longest names."""


@dataclass(frozen=True, slots=True)
class _Seen:
    user: User
    organization: Organization
    permissions: frozenset[str]

    def view(self) -> v.UserView:
        return user_view(self.user, self.organization, self.permissions)


class UserAdministration:
    """Lists, makes, changes and removes users. Every change is checked against what the caller himself may do."""

    def __init__(self, parts: Parts, registering: Registering, passwords: Passwords, ending: Ending) -> None:
        self._parts, self._registering, self._passwords, self._ending = parts, registering, passwords, ending

    async def list(self, command: c.ListUsers, principal: Principal) -> v.UserPage:
        """A page of users, oldest first."""
        text = checked("text", command.text, most=200)
        if not 0 <= command.offset <= MOST_PASSED:
            raise InvalidInputError(f"`offset` must be 0 to {MOST_PASSED}.", fields={"offset": "out of range"})
        async with self._parts.units(principal.caller.organization, read_only=True) as unit:
            page = await unit.users.page(
                after=cursor(command.after), limit=limited(command.limit), text=text, offset=command.offset
            )
            organization, custom = await unit.organizations.get(), await unit.roles.all()
        views = tuple(user_view(user, organization, granted(user.roles, custom)) for user in page.items)
        return v.UserPage(views, page.next.hex if page.next else None)

    async def show(self, command: c.ShowUser, principal: Principal) -> v.UserView:
        """One user. Raises NotFoundError, for deleted ones too."""
        async with self._parts.units(principal.caller.organization, read_only=True) as unit:
            return (await self._seen(unit, await _present(unit, command.user_id))).view()

    async def create(self, command: c.CreateUser, principal: Principal) -> v.UserView:
        """Make a user. Raises ConflictError where name or address are taken, PermissionDeniedError as `set_roles`."""
        organization_id = principal.caller.organization
        async with self._parts.units(organization_id, read_only=True) as unit:
            organization = await unit.organizations.get()
        new = await self._registering.checked(command, organization)
        roles = tuple(dict.fromkeys(command.roles))

        async def work(unit: IdentityUnitOfWork) -> _Seen:
            require_roles(roles, await unit.roles.all(), principal.permissions)
            actor = principal.caller.user
            user = await self._registering.add(unit, new, organization, roles, principal.client, actor=actor)
            return await self._seen(unit, user)

        return (await self._parts.write(None, _plain(principal), _Seen, work)).view()

    async def set_roles(self, command: c.SetRoles, principal: Principal) -> v.UserView:
        """Give a user these roles and no others.

        Raises PermissionDeniedError where the caller lacks something of the old or the new roles, PreconditionFailedError
        where no owner would be left.
        """
        return await self._with_roles(
            command.user_id, principal, lambda _: command.roles, {"roles": " ".join(command.roles)[:MOST_TOLD]}
        )

    async def give_role(self, command: c.GiveRole, principal: Principal) -> v.UserView:
        """Give a user one more role. Raises as `set_roles`."""

        def more(roles: tuple[str, ...]) -> tuple[str, ...]:
            return (*roles, command.role)

        return await self._with_roles(command.user_id, principal, more, {"given": command.role[:MOST_TOLD]})

    async def take_role(self, command: c.TakeRole, principal: Principal) -> v.UserView:
        """Take a role from a user. Raises as `set_roles`, and NotFoundError where he does not have it."""

        def fewer(roles: tuple[str, ...]) -> tuple[str, ...]:
            if command.name not in roles:
                raise NotFoundError(f"The user does not have the role {command.name[:64]}.")
            return tuple(role for role in roles if role != command.name)

        return await self._with_roles(command.user_id, principal, fewer, {"taken": command.name[:MOST_TOLD]})

    async def disable(self, command: c.DisableUser, principal: Principal) -> v.UserView:
        """Let a user in no more; his sessions end, his keys sleep until he is enabled again."""

        async def change(unit: IdentityUnitOfWork, user: User) -> User:
            await require_other_owner(unit, user)
            await unit.refresh_tokens.revoke_user(user.id, self._parts.clock.now())
            return replace(user, state=UserState.DISABLED)

        changed = await self._change(command.user_id, "user.disabled", principal, change)
        await self._ending.sessions(Caller(changed.organization.id, changed.user.id))
        return changed.view()

    async def enable(self, command: c.EnableUser, principal: Principal) -> v.UserView:
        """Let a disabled user in again."""

        async def change(_: IdentityUnitOfWork, user: User) -> User:
            return replace(user, state=UserState.ACTIVE)

        return (await self._change(command.user_id, "user.enabled", principal, change)).view()

    async def delete(self, command: c.DeleteUser, principal: Principal) -> v.Done:
        """Remove a user: everything by which he comes in, and his name and address."""

        async def change(unit: IdentityUnitOfWork, user: User) -> User:
            await require_other_owner(unit, user)
            now = self._parts.clock.now()
            await unit.refresh_tokens.revoke_user(user.id, now)
            await unit.api_keys.revoke_user(user.id, now)
            for purpose in Purpose:
                await unit.grants.revoke_user(purpose, user.id, now)
            for team in await unit.teams.of_user(user.id):
                await unit.teams.remove_member(team.id, user.id)
            return replace(
                user,
                username=user.id,
                email="",
                display_name="Deleted user",
                roles=(),
                state=UserState.DELETED,
                password="",
                remembered=(),
            )

        changed = await self._change(command.user_id, "user.deleted", principal, change)
        await self._ending.sessions(Caller(changed.organization.id, changed.user.id))
        return v.Done()

    async def set_password(self, command: c.SetPassword, principal: Principal) -> v.Done:
        """Set somebody's password for him; all his sessions end. Raises PermissionDeniedError as `set_roles`."""
        async with self._parts.units(principal.caller.organization, read_only=True) as unit:
            user = await _present(unit, command.user_id)
            require_power(user, await unit.roles.all(), principal.permissions)
            organization = await unit.organizations.get()
        if user.id == principal.caller.user:
            raise InvalidInputError("Change your own password with the current one.", fields={"user_id": "yourself"})
        await self._passwords.set_for(user, organization, command.password, principal)
        return v.Done()

    async def _with_roles(
        self, name: str, principal: Principal, wanted: ChangeRoles, told: dict[str, str]
    ) -> v.UserView:
        async def change(unit: IdentityUnitOfWork, user: User) -> User:
            if user.state is not UserState.ACTIVE:
                raise PreconditionFailedError("Only an active user's roles are changed.")
            roles = tuple(dict.fromkeys(wanted(user.roles)))
            require_roles(roles, await unit.roles.all(), principal.permissions)
            if OWNER not in roles:
                await require_other_owner(unit, user)
            return replace(user, roles=roles)

        return (await self._change(name, "user.roles_changed", principal, change, told)).view()

    async def _change(
        self, name: str, action: str, principal: Principal, change: Change, detail: dict[str, str] | None = None
    ) -> _Seen:
        parts = self._parts

        async def work(unit: IdentityUnitOfWork) -> _Seen:
            happening = Happening(action, principal.caller.user, name, detail=detail or {})
            await parts.audit.note(unit, principal.caller.organization, happening, principal.client)
            user = await _present(unit, name)
            require_power(user, await unit.roles.all(), principal.permissions)
            changed = await change(unit, user)
            await unit.users.save(changed)
            return await self._seen(unit, replace(changed, version=changed.version + 1))

        seen = await parts.write(None, _plain(principal), _Seen, work)
        parts.standings.forget()
        return seen

    async def _seen(self, unit: IdentityUnitOfWork, user: User) -> _Seen:
        return _Seen(user, await unit.organizations.get(), granted(user.roles, await unit.roles.all()))


async def _present(unit: IdentityUnitOfWork, name: str) -> User:
    user = await unit.users.get(UserId(name))
    if user.state is UserState.DELETED:
        raise NotFoundError(f"There is no user {name}.")
    return user


def _plain(principal: Principal) -> Caller:
    """The caller without his request key: answers with people in them are not stored."""
    return Caller(principal.caller.organization, principal.caller.user)
