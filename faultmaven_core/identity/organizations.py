"""An organization and the roles that it makes for itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import names
from faultmaven_core.identity import views as v
from faultmaven_core.identity.audit_chain import Happening
from faultmaven_core.identity.model import Organization, OrganizationState, Principal, Role
from faultmaven_core.identity.parts import Parts
from faultmaven_core.identity.people import organization_view
from faultmaven_core.identity.permissions import BUILT_IN, known
from faultmaven_core.identity.ports import IdentityUnitOfWork
from faultmaven_core.sessions.expiry import LONGEST, MOST_SESSIONS, SessionLimits
from faultmaven_core.shared.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
)

MOST_ROLES = 100
LONGEST_SECONDS = int(LONGEST.total_seconds())


class Organizations:
    """Shows and changes the caller's organization; suspending is for who works at the machine."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def show(self, principal: Principal) -> v.OrganizationView:
        """The caller's organization."""
        async with self._parts.units(principal.caller.organization, read_only=True) as unit:
            return organization_view(await unit.organizations.get())

    async def change(self, command: c.ChangeOrganization, principal: Principal) -> v.OrganizationView:
        """Change name or policy. New times hold for sessions that begin from now on, or would be resumed."""

        def changed(organization: Organization) -> Organization:
            old = organization.settings
            settings = replace(
                old,
                session_idle_seconds=_other(command.session_idle_seconds, old.session_idle_seconds, LONGEST_SECONDS),
                session_absolute_seconds=_other(
                    command.session_absolute_seconds, old.session_absolute_seconds, LONGEST_SECONDS
                ),
                most_sessions=_other(command.most_sessions, old.most_sessions, MOST_SESSIONS),
            )
            usual = self._parts.policy.session
            absolute = timedelta(seconds=settings.session_absolute_seconds) or usual.absolute
            idle = timedelta(seconds=settings.session_idle_seconds) or min(usual.idle, absolute)
            SessionLimits(idle, absolute, settings.most_sessions or usual.most)
            name = organization.name if command.name is None else names.display_name(command.name, "")
            return replace(organization, name=name, settings=settings)

        return await self._save("organization.changed", principal, changed)

    async def suspend(self, command: c.SuspendOrganization, principal: Principal) -> v.OrganizationView:
        """Let nobody of the organization in, or all of them again. Holds within seconds, everywhere."""
        state = OrganizationState.SUSPENDED if command.suspended else OrganizationState.ACTIVE
        action = "organization.suspended" if command.suspended else "organization.resumed"
        return await self._save(action, principal, lambda organization: replace(organization, state=state))

    async def roles(self, principal: Principal) -> v.RoleList:
        """All roles, the built-in ones first."""
        async with self._parts.units(principal.caller.organization, read_only=True) as unit:
            own = await unit.roles.all()
        built_in = [v.RoleView(name, tuple(sorted(held)), built_in=True) for name, held in BUILT_IN.items()]
        return v.RoleList((*built_in, *(v.RoleView(role.name, role.permissions, built_in=False) for role in own)))

    async def save_role(self, command: c.SaveRole, principal: Principal) -> v.RoleView:
        """Make or change a role.

        Raises PermissionDeniedError where it allows, or allowed before, what the caller may not do himself; ConflictError
        for the name of a built-in one.
        """
        name, asked = names.role(command.name), known(command.permissions)
        if name in BUILT_IN:
            raise ConflictError(f"{name} is a built-in role; choose another name.")
        parts, organization = self._parts, principal.caller.organization
        made = Role(organization, name, tuple(sorted(asked)))

        async def work(unit: IdentityUnitOfWork) -> v.RoleView:
            detail = {"permissions": " ".join(made.permissions)}
            happening = Happening("role.saved", principal.caller.user, name, detail=detail)
            await parts.audit.note(unit, organization, happening, principal.client)
            roles = {role.name: role for role in await unit.roles.all()}
            before = roles.get(name)
            if not asked | frozenset(before.permissions if before else ()) <= principal.permissions:
                raise PermissionDeniedError("You cannot put more into a role than you may do yourself.")
            if before is not None:
                await unit.roles.save(replace(made, version=before.version))
            elif len(roles) >= MOST_ROLES:
                raise QuotaExceededError(f"An organization has at most {MOST_ROLES} roles of its own.")
            else:
                await unit.roles.add(made)
            return v.RoleView(name, made.permissions, built_in=False)

        view = await parts.write(command, principal.caller, v.RoleView, work)
        parts.standings.forget()
        return view

    async def delete_role(self, command: c.DeleteRole, principal: Principal) -> v.Done:
        """Remove a role that nobody has any more. Raises NotFoundError, ConflictError where somebody has it."""
        parts, organization = self._parts, principal.caller.organization

        async def work(unit: IdentityUnitOfWork) -> v.Done:
            happening = Happening("role.deleted", principal.caller.user, command.name)
            await parts.audit.note(unit, organization, happening, principal.client)
            if command.name in BUILT_IN:
                raise NotFoundError("A built-in role cannot be removed.")
            role = await unit.roles.get(command.name)
            if await unit.users.with_role(role.name):
                raise ConflictError("Somebody has this role; take it away first.")
            await unit.roles.remove(role.name, role.version)
            return v.Done()

        done = await parts.write(command, principal.caller, v.Done, work)
        parts.standings.forget()
        return done

    async def _save(
        self, action: str, principal: Principal, change: Callable[[Organization], Organization]
    ) -> v.OrganizationView:
        parts = self._parts

        async def work(unit: IdentityUnitOfWork) -> v.OrganizationView:
            happening = Happening(action, principal.caller.user, principal.caller.organization)
            await parts.audit.note(unit, principal.caller.organization, happening, principal.client)
            changed = change(await unit.organizations.get())
            await unit.organizations.save(changed)
            return organization_view(replace(changed, version=changed.version + 1))

        view = await parts.write(None, replace(principal.caller, request_key=""), v.OrganizationView, work)
        parts.standings.forget()
        return view


def _other(asked: int | None, before: int, most: int) -> int:
    if asked is None:
        return before
    if not 0 <= asked <= most:
        raise InvalidInputError(f"This number of the policy is 0 to {most}.", fields={"settings": "out of range"})
    return asked
