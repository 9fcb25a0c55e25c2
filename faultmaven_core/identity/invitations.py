"""Asking people to join an organization."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import names
from faultmaven_core.identity import views as v
from faultmaven_core.identity.audit_chain import Happening
from faultmaven_core.identity.credentials import Invitation, InvitationState, digest, invitation_id, new_secret
from faultmaven_core.identity.model import (
    ClientInfo,
    InvitationId,
    Organization,
    OrganizationState,
    Principal,
    granted,
)
from faultmaven_core.identity.parts import Parts
from faultmaven_core.identity.ports import IdentityUnitOfWork
from faultmaven_core.identity.rights import require_roles
from faultmaven_core.identity.signing_in import SYSTEM
from faultmaven_core.identity.standing import standing
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError
from faultmaven_core.shared.page import cursor, limited

PREFIX = "fmi_"
MOST_DAYS = 30


class Invitations:
    """Invites, and looks after what becomes of invitations."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def invite(self, command: c.Invite, principal: Principal) -> v.InvitationCreated:
        """Invite somebody. Raises PermissionDeniedError where the roles are more than the caller has."""
        parts, caller, now = self._parts, principal.caller, self._parts.clock.now()
        address = names.email(command.email)
        if not address:
            raise InvalidInputError("An invitation needs an address.", fields={"email": "missing"})
        if not 1 <= command.days <= MOST_DAYS:
            raise InvalidInputError(f"An invitation lives 1 to {MOST_DAYS} days.", fields={"days": "out of range"})
        text, key = PREFIX + new_secret(), parts.ids.new()
        made = Invitation(
            key,
            invitation_id(key),
            caller.organization,
            address,
            tuple(dict.fromkeys(command.roles)),
            digest(text),
            caller.user,
            now,
            now + timedelta(days=command.days),
        )

        async def work(unit: IdentityUnitOfWork) -> str:
            detail = {"email": address, "roles": " ".join(made.roles)}
            happening = Happening("invitation.created", caller.user, made.id, detail=detail)
            await parts.audit.note(unit, caller.organization, happening, principal.client)
            require_roles(made.roles, await unit.roles.all(), principal.permissions)
            await unit.invitations.add(made)
            return (await unit.organizations.get()).name

        name = await parts.write(None, Caller(caller.organization, caller.user), str, work)
        if await parts.guard.letter("invitation", address):
            parts.letters.invitation(address, name, text, command.days)
        return v.InvitationCreated(self._view(made), text)

    async def find(self, text: str) -> tuple[Invitation, Organization]:
        """The invitation with this text. Raises InvalidInputError where it is not good (any more)."""
        name = digest(text)
        found = await self._parts.directory.by_invitation_digest(name)
        if found is None:
            raise not_good()
        async with self._parts.units(found.organization, read_only=True) as unit:
            try:
                invitation = await unit.invitations.by_digest(name)
            except NotFoundError as error:
                raise not_good() from error
            await self.require_good(unit, invitation)
            return invitation, await unit.organizations.get()

    async def require_good(self, unit: IdentityUnitOfWork, invitation: Invitation) -> None:
        """Raises InvalidInputError unless it may be accepted now.

        That is: nobody decided it, its time has not passed, and who sent it still may let in somebody with these roles.
        """
        if invitation.state is not InvitationState.PENDING or invitation.expires_at <= self._parts.clock.now():
            raise not_good()
        inviter = await standing(unit, invitation.invited_by)
        asked = granted(invitation.roles, await unit.roles.all())
        may = "invitation:write" in inviter.permissions and asked <= inviter.permissions
        if not (inviter.active and may and inviter.organization.state is OrganizationState.ACTIVE):
            raise not_good()

    async def decline(self, command: c.DeclineInvitation, client: ClientInfo) -> v.Done:
        """Say no. Raises InvalidInputError where the invitation is not good (any more)."""
        await self._parts.guard.admit(client)
        invitation, _ = await self.find(command.token)
        owner = Caller(invitation.organization, SYSTEM)
        await self._decide(invitation.id, InvitationState.DECLINED, owner, client, "")
        return v.Done()

    async def revoke(self, command: c.RevokeInvitation, principal: Principal) -> v.InvitationView:
        """Take an invitation back. Raises NotFoundError, InvalidInputError where it was decided already."""
        name = InvitationId(command.invitation_id)
        caller = principal.caller
        revoked = await self._decide(name, InvitationState.REVOKED, caller, principal.client, caller.user)
        return self._view(revoked)

    async def list(self, command: c.ListInvitations, principal: Principal) -> v.InvitationPage:
        """A page of the organization's invitations, newest first."""
        async with self._parts.units(principal.caller.organization, read_only=True) as unit:
            page = await unit.invitations.page(after=cursor(command.after), limit=limited(command.limit))
        views = tuple(self._view(invitation) for invitation in page.items)
        return v.InvitationPage(views, page.next.hex if page.next else None)

    async def _decide(
        self, name: InvitationId, state: InvitationState, caller: Caller, client: ClientInfo, actor: str
    ) -> Invitation:
        parts = self._parts

        async def work(unit: IdentityUnitOfWork) -> Invitation:
            happening = Happening(f"invitation.{state}", actor, name)
            await parts.audit.note(unit, caller.organization, happening, client)
            invitation = await unit.invitations.get(name)
            if invitation.state is not InvitationState.PENDING:
                raise not_good()
            decided = replace(invitation, state=state, decided_at=parts.clock.now())
            await unit.invitations.save(decided)
            return decided

        return await parts.write(None, Caller(caller.organization, caller.user), Invitation, work)

    def _view(self, invitation: Invitation) -> v.InvitationView:
        over = invitation.state is InvitationState.PENDING and invitation.expires_at <= self._parts.clock.now()
        return v.InvitationView(
            invitation.id,
            invitation.email,
            invitation.roles,
            invitation.invited_by,
            "expired" if over else str(invitation.state),
            invitation.created_at,
            invitation.expires_at,
        )


def not_good() -> InvalidInputError:
    """What is said of every invitation that nobody can accept, whatever the reason."""
    return InvalidInputError(
        "This invitation is unknown, was decided already, has ended, or who sent it may not invite you any more.",
        fields={"invitation": "not good"},
    )
