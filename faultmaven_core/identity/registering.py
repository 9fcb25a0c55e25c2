"""Signing up: into an organization of one's own, or by invitation into another."""

from __future__ import annotations

from dataclasses import dataclass, replace

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import names
from faultmaven_core.identity import views as v
from faultmaven_core.identity.audit_chain import Happening
from faultmaven_core.identity.credentials import InvitationState
from faultmaven_core.identity.invitations import Invitations
from faultmaven_core.identity.model import ClientInfo, Organization, User, organization_id, user_id
from faultmaven_core.identity.opening import DEV, Entry, Opening
from faultmaven_core.identity.parts import Parts
from faultmaven_core.identity.passwords import Passwords
from faultmaven_core.identity.permissions import OWNER
from faultmaven_core.identity.ports import IdentityUnitOfWork
from faultmaven_core.identity.signing_in import BY_PASSWORD, SYSTEM, ensure_organization
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import AlreadyExistsError, ConflictError, InvalidInputError, PermissionDeniedError


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to be, checked."""

    username: str
    email: str
    display_name: str
    password: str


class Registering:
    """Makes users who ask for it themselves, and the first ones of organizations."""

    def __init__(self, parts: Parts, opening: Opening, passwords: Passwords, invitations: Invitations) -> None:
        self._parts, self._opening = parts, opening
        self._passwords, self._invitations = passwords, invitations

    async def register(self, command: c.Register, client: ClientInfo) -> v.TokenPair:
        """Sign up and in. Without an invitation nobody gets into an organization that exists.

        Raises ConflictError where name or address are taken, InvalidInputError where something cannot be used,
        PermissionDeniedError where signing up is closed.
        """
        await self._parts.guard.admit(client)
        if not command.password and not self._parts.policy.dev_login:
            raise InvalidInputError("A password is needed.", fields={"password": "missing"})
        if command.invitation:
            user, organization = await self._join(command, client)
        elif self._parts.policy.registration:
            name = command.display_name or command.username
            user, organization = await self.found(command, f"{name}'s organization", client, actor="")
        else:
            raise PermissionDeniedError("Signing up is closed here: ask for an invitation.")
        return await self._opening.open(user, organization, Entry(BY_PASSWORD if user.password else DEV, client))

    async def found(
        self, command: c.Register | c.CreateOrganization, name: str, client: ClientInfo, *, actor: str
    ) -> tuple[User, Organization]:
        """Make an organization with its owner."""
        parts, now = self._parts, self._parts.clock.now()
        organization = Organization(
            organization_id(parts.ids.new()), names.display_name(name[:120], "Organization"), now
        )
        new = await self.checked(command, organization)

        async def work(unit: IdentityUnitOfWork) -> User:
            await unit.organizations.add(organization)
            made = Happening("organization.created", actor, organization.id)
            await parts.audit.note(unit, organization.id, made, client)
            return await self.add(unit, new, organization, (OWNER, "admin"), client, actor=actor)

        return await parts.write(None, Caller(organization.id, SYSTEM), User, work), organization

    async def start(self, command: c.StartInstallation, client: ClientInfo) -> tuple[User, Organization]:
        """Make the first owner of the installation's own organization. Raises ConflictError where it has one."""
        parts, home, now = self._parts, self._parts.policy.home, self._parts.clock.now()
        organization = Organization(home, names.display_name(command.organization_name, home), now)
        new = await self.checked(command, organization)

        async def work(unit: IdentityUnitOfWork) -> User:
            await ensure_organization(unit, organization)
            if any(owner.password for owner in await unit.users.with_role(OWNER)):
                raise ConflictError("This installation has an owner already; he makes further users.")
            return await self.add(unit, new, organization, (OWNER, "admin"), client, actor="operator")

        return await parts.write(None, Caller(home, SYSTEM), User, work), organization

    async def checked(
        self,
        command: c.Register | c.CreateOrganization | c.StartInstallation | c.CreateUser,
        organization: Organization,
    ) -> NewUser:
        """What was asked for, if it can be used. Raises InvalidInputError, ConflictError where something is taken."""
        username, email = names.username(command.username), names.email(command.email)
        shown = names.display_name(command.display_name, command.username.strip() or username)
        if await self._parts.directory.by_username(username) is not None:
            raise ConflictError(f"The user name {username} is taken.")
        if email and await self._parts.directory.by_email(email) is not None:
            raise ConflictError("This address has an account already.")
        stored = ""
        if command.password:
            forbidden = (username, email.partition("@")[0], email, shown)
            stored = await self._passwords.hashed(command.password, forbidden, organization)
        return NewUser(username, email, shown, stored)

    async def add(
        self,
        unit: IdentityUnitOfWork,
        new: NewUser,
        organization: Organization,
        roles: tuple[str, ...],
        client: ClientInfo,
        *,
        actor: str,
    ) -> User:
        """Keep a new user, within a unit of his organization. Raises ConflictError where name or address are taken."""
        key = self._parts.ids.new()
        user = User(
            key,
            user_id(key),
            organization.id,
            new.username,
            new.email,
            new.display_name,
            roles,
            self._parts.clock.now(),
            password=new.password,
        )
        happening = Happening("user.created", actor or user.id, user.id, detail={"roles": " ".join(roles)})
        await self._parts.audit.note(unit, organization.id, happening, client)
        try:
            await unit.users.add(user)
        except AlreadyExistsError as error:
            # Taken between the look and now; trying again would find the same.
            raise ConflictError("The user name or the address is taken.") from error
        return user

    async def _join(self, command: c.Register, client: ClientInfo) -> tuple[User, Organization]:
        invitation, organization = await self._invitations.find(command.invitation)
        if command.email and names.email(command.email) != invitation.email:
            raise InvalidInputError("The invitation is for another address.", fields={"email": "not the invited one"})
        new = await self.checked(replace(command, email=invitation.email), organization)

        async def work(unit: IdentityUnitOfWork) -> User:
            fresh = await unit.invitations.get(invitation.id)
            await self._invitations.require_good(unit, fresh)
            decided = replace(fresh, state=InvitationState.ACCEPTED, decided_at=self._parts.clock.now())
            accepted = Happening("invitation.accepted", "", fresh.id)
            await self._parts.audit.note(unit, organization.id, accepted, client)
            await unit.invitations.save(decided)
            return await self.add(unit, new, organization, fresh.roles, client, actor="")

        return await self._parts.write(None, Caller(organization.id, SYSTEM), User, work), organization
