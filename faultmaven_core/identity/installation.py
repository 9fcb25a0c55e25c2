"""What is done at the machine itself: the first owner, organizations, signing keys."""

from __future__ import annotations

from collections.abc import Sequence

from faultmaven_core.identity import commands as c
from faultmaven_core.identity import views as v
from faultmaven_core.identity.audit_chain import Happening
from faultmaven_core.identity.model import ClientInfo, Organization, Principal, granted, operator
from faultmaven_core.identity.parts import Parts
from faultmaven_core.identity.people import organization_view, user_view
from faultmaven_core.identity.ports import IdentityUnitOfWork
from faultmaven_core.identity.registering import Registering
from faultmaven_core.identity.signing_in import SYSTEM, ensure_organization
from faultmaven_core.ports.tokens import KeyRing, SigningKey
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.ids import OrganizationId, UserId

OPERATOR = UserId("operator")
"""Who works at the machine: may do all that its files allow anyway."""


class Installation:
    """For the command line; no route leads here."""

    def __init__(self, parts: Parts, registering: Registering, keys: KeyRing) -> None:
        self._parts, self._registering, self._keys = parts, registering, keys

    def operator(self, organization: str = "") -> Principal:
        """Who may do everything within one organization; "" is the installation's own."""
        return operator(OrganizationId(organization or self._parts.policy.home), OPERATOR)

    async def start(self, command: c.StartInstallation) -> v.UserView:
        """Make the first owner. Raises ConflictError where there is one."""
        user, organization = await self._registering.start(command, ClientInfo())
        return user_view(user, organization, granted(user.roles, ()))

    async def create_organization(self, command: c.CreateOrganization) -> v.UserView:
        """Make an organization with its owner."""
        user, organization = await self._registering.found(command, command.name, ClientInfo(), actor=OPERATOR)
        return user_view(user, organization, granted(user.roles, ()))

    async def organizations(self) -> Sequence[v.OrganizationView]:
        """All organizations, by id."""
        views = []
        for name in await self._parts.directory.organizations():
            async with self._parts.units(name, read_only=True) as unit:
                views.append(organization_view(await unit.organizations.get()))
        return views

    async def keys(self) -> v.SigningKeyList:
        """The keys that access tokens are signed and checked with."""
        return _views(await self._keys.keys())

    async def rotate_keys(self, command: c.RotateKeys) -> v.SigningKeyList:
        """Sign with the next key. Raises PreconditionFailedError where it was published too short a time ago."""
        keys = await self._keys.rotate(compromised=command.compromised)
        home, parts = self._parts.policy.home, self._parts
        detail = {"compromised": str(command.compromised)}
        happening = Happening("signing_key.rotated", OPERATOR, "", detail=detail)

        async def work(unit: IdentityUnitOfWork) -> None:
            await ensure_organization(unit, Organization(home, home, parts.clock.now()))
            await parts.audit.note(unit, home, happening, ClientInfo())

        await parts.write(None, Caller(home, SYSTEM), type(None), work)
        return _views(keys)


def _views(keys: Sequence[SigningKey]) -> v.SigningKeyList:
    return v.SigningKeyList(
        tuple(
            v.SigningKeyView(key.kid, key.algorithm, str(key.state), key.created_at, key.activated_at, key.retired_at)
            for key in keys
        )
    )
