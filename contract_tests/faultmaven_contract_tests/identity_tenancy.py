"""What every storage promises of people and credentials of other organizations: they are as good as none, in every method."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.identity_samples import (
    FAMILY,
    api_key,
    audit_event,
    grant,
    invitation,
    membership,
    organization,
    role,
    team,
    token,
    user,
)
from faultmaven_contract_tests.samples import ACME, OTHER, Storage
from faultmaven_core.identity import ports
from faultmaven_core.identity.credentials import Purpose
from faultmaven_core.shared.errors import NotFoundError, PermissionDeniedError, StaleVersionError
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.shared.page import Page

LATE = datetime(2100, 1, 1, tzinfo=UTC)
NOTHING: tuple[object, ...] = (None, [], (), 0)

Call = Callable[[Any], Coroutine[Any, Any, Any]]

METHODS: dict[str, tuple[Call, type[Exception] | None]] = {
    "OrganizationRepository.add": (lambda u: u.organizations.add(organization(ACME)), PermissionDeniedError),
    "OrganizationRepository.get": (lambda u: u.organizations.get(), NotFoundError),
    "OrganizationRepository.save": (lambda u: u.organizations.save(organization(OTHER)), StaleVersionError),
    "UserRepository.add": (lambda u: u.users.add(user(organization=ACME)), PermissionDeniedError),
    "UserRepository.get": (lambda u: u.users.get(user().id), NotFoundError),
    "UserRepository.save": (lambda u: u.users.save(user(organization=OTHER)), StaleVersionError),
    "UserRepository.page": (lambda u: u.users.page(after=None, limit=9), None),
    "UserRepository.with_role": (lambda u: u.users.with_role("admin"), None),
    "RoleRepository.add": (lambda u: u.roles.add(role(organization=ACME)), PermissionDeniedError),
    "RoleRepository.get": (lambda u: u.roles.get(role().name), NotFoundError),
    "RoleRepository.save": (lambda u: u.roles.save(role(organization=OTHER)), StaleVersionError),
    "RoleRepository.remove": (lambda u: u.roles.remove(role().name, 1), StaleVersionError),
    "RoleRepository.all": (lambda u: u.roles.all(), None),
    "TeamRepository.add": (lambda u: u.teams.add(team(organization=ACME)), PermissionDeniedError),
    "TeamRepository.get": (lambda u: u.teams.get(team().id), NotFoundError),
    "TeamRepository.save": (lambda u: u.teams.save(team(organization=OTHER)), StaleVersionError),
    "TeamRepository.remove": (lambda u: u.teams.remove(team().id, 1), StaleVersionError),
    "TeamRepository.all": (lambda u: u.teams.all(), None),
    "TeamRepository.add_member": (lambda u: u.teams.add_member(membership(organization=OTHER)), NotFoundError),
    "TeamRepository.remove_member": (lambda u: u.teams.remove_member(team().id, user().id), None),
    "TeamRepository.members": (lambda u: u.teams.members(team().id), None),
    "TeamRepository.of_user": (lambda u: u.teams.of_user(user().id), None),
    "InvitationRepository.add": (lambda u: u.invitations.add(invitation()), PermissionDeniedError),
    "InvitationRepository.get": (lambda u: u.invitations.get(invitation().id), NotFoundError),
    "InvitationRepository.by_digest": (lambda u: u.invitations.by_digest(invitation().digest), NotFoundError),
    "InvitationRepository.save": (lambda u: u.invitations.save(invitation(organization=OTHER)), StaleVersionError),
    "InvitationRepository.page": (lambda u: u.invitations.page(after=None, limit=9), None),
    "RefreshTokenRepository.add": (lambda u: u.refresh_tokens.add(token()), PermissionDeniedError),
    "RefreshTokenRepository.by_digest": (lambda u: u.refresh_tokens.by_digest(token().digest), NotFoundError),
    "RefreshTokenRepository.save": (lambda u: u.refresh_tokens.save(token(organization=OTHER)), StaleVersionError),
    "RefreshTokenRepository.revoke_family": (lambda u: u.refresh_tokens.revoke_family(FAMILY, LATE), None),
    "RefreshTokenRepository.revoke_session": (lambda u: u.refresh_tokens.revoke_session(token().session, LATE), None),
    "RefreshTokenRepository.revoke_user": (lambda u: u.refresh_tokens.revoke_user(user().id, LATE), None),
    "RefreshTokenRepository.sweep": (lambda u: u.refresh_tokens.sweep(LATE), None),
    "ApiKeyRepository.add": (lambda u: u.api_keys.add(api_key()), PermissionDeniedError),
    "ApiKeyRepository.get": (lambda u: u.api_keys.get(api_key().id), NotFoundError),
    "ApiKeyRepository.by_digest": (lambda u: u.api_keys.by_digest(api_key().digest), NotFoundError),
    "ApiKeyRepository.save": (lambda u: u.api_keys.save(api_key(organization=OTHER)), StaleVersionError),
    "ApiKeyRepository.of_user": (lambda u: u.api_keys.of_user(user().id), None),
    "ApiKeyRepository.revoke_user": (lambda u: u.api_keys.revoke_user(user().id, LATE), None),
    "GrantRepository.add": (lambda u: u.grants.add(grant()), PermissionDeniedError),
    "GrantRepository.by_digest": (lambda u: u.grants.by_digest(Purpose.RESET, grant().digest), NotFoundError),
    "GrantRepository.save": (lambda u: u.grants.save(grant(organization=OTHER)), StaleVersionError),
    "GrantRepository.revoke_user": (lambda u: u.grants.revoke_user(Purpose.RESET, user().id, LATE), None),
    "GrantRepository.sweep": (lambda u: u.grants.sweep(LATE), None),
    "AuditRepository.last": (lambda u: u.audit.last(), None),
    "AuditRepository.add": (lambda u: u.audit.add(audit_event()), PermissionDeniedError),
    "AuditRepository.head": (lambda u: u.audit.head(), None),
    "AuditRepository.read": (lambda u: u.audit.read(after=0, limit=9), None),
}
"""Every method, called from another organization than the one whose rows there are, and what it must raise."""

SAVES: dict[str, Call] = {
    "organization": lambda u: u.organizations.save(organization(ACME)),
    "user": lambda u: u.users.save(user(organization=ACME)),
    "role": lambda u: u.roles.save(role(organization=ACME)),
    "team": lambda u: u.teams.save(team(organization=ACME)),
    "membership": lambda u: u.teams.add_member(membership(organization=ACME)),
    "invitation": lambda u: u.invitations.save(invitation()),
    "refresh token": lambda u: u.refresh_tokens.save(token()),
    "API key": lambda u: u.api_keys.save(api_key()),
    "grant": lambda u: u.grants.save(grant()),
}
"""What changes a row of another organization than the unit's, which has one of the same id."""


async def fill(storage: Storage, owner: OrganizationId) -> None:
    """One row of every kind."""
    async with storage.identity(owner) as unit:
        await unit.organizations.add(organization(owner))
        await unit.users.add(user(organization=owner))
        await unit.roles.add(role(organization=owner))
        await unit.teams.add(team(organization=owner))
        await unit.teams.add_member(membership(organization=owner))
        await unit.invitations.add(invitation(organization=owner))
        await unit.refresh_tokens.add(token(organization=owner))
        await unit.api_keys.add(api_key(organization=owner))
        await unit.grants.add(grant(organization=owner))
        await unit.audit.add(audit_event(organization=owner))
        await unit.commit()


async def look(storage: Storage, owner: OrganizationId) -> list[Any]:
    """All rows of an organization, and where the directory says they are."""
    accounts = storage.accounts
    async with storage.identity(owner, read_only=True) as unit:
        found: list[Any] = [
            await unit.organizations.get(),
            await unit.users.get(user().id),
            await unit.roles.all(),
            await unit.teams.all(),
            await unit.teams.members(team().id),
            await unit.invitations.get(invitation().id),
            await unit.refresh_tokens.by_digest(token(organization=owner).digest),
            await unit.api_keys.get(api_key().id),
            await unit.grants.by_digest(Purpose.RESET, grant(organization=owner).digest),
            await unit.audit.read(after=0, limit=9),
            await unit.audit.head(),
        ]
    return [
        *found,
        await accounts.by_username(user(organization=owner).username),
        await accounts.by_email(user(organization=owner).email),
        await accounts.by_invitation_digest(invitation(organization=owner).digest),
        await accounts.by_refresh_digest(token(organization=owner).digest),
        await accounts.by_api_key_digest(api_key(organization=owner).digest),
        await accounts.by_grant_digest(Purpose.RESET, grant(organization=owner).digest),
    ]


class IdentityTenancyContract(Contract):
    """A binding gives the fixture `subject`, a fresh and empty storage."""

    def test_every_method_of_every_repository_is_looked_at(self, subject: Storage) -> None:
        """A new one that is not in the table makes this fail."""
        repositories = [kind for name, kind in vars(ports).items() if name.endswith("Repository")]
        declared = {
            f"{kind.__name__}.{name}"
            for kind in repositories
            for name, member in vars(kind).items()
            if getattr(member, "__isabstractmethod__", False)
        }
        assert declared == METHODS.keys()

    @pytest.mark.parametrize("name", sorted(METHODS))
    async def test_a_method_neither_shows_nor_changes_another_organizations_rows(
        self, subject: Storage, name: str
    ) -> None:
        """The same ids and digests, asked for from outside."""
        await fill(subject, ACME)
        before = await look(subject, ACME)
        call, raised = METHODS[name]
        answer: Any = None
        async with subject.identity(OTHER) as unit:
            if raised is None:
                answer = await call(unit)
            else:
                with pytest.raises(raised):
                    await call(unit)
            # So that a change of foreign rows would stay. A unit that a row was refused in can only be left.
            if raised is not NotFoundError:
                await unit.commit()
        assert (answer.items if isinstance(answer, Page) else answer) in NOTHING
        assert await look(subject, ACME) == before

    async def test_two_organizations_may_have_the_same_ids_and_keys(self, subject: Storage) -> None:
        """But for what opens a door, which is one's alone; so nobody learns from a clash what somebody else has."""
        await fill(subject, ACME)
        before = await look(subject, ACME)
        await fill(subject, OTHER)
        for what, save in SAVES.items():
            async with subject.identity(OTHER) as unit:
                with pytest.raises(PermissionDeniedError):
                    await save(unit)
            assert await look(subject, ACME) == before, what
        async with subject.identity(OTHER) as unit:
            await unit.users.save(user(organization=OTHER, username="new", email=""))
            await unit.teams.remove_member(team().id, user().id)
            await unit.teams.add_member(membership(organization=OTHER))
            assert len(await unit.teams.members(team().id)) == 1
            await unit.teams.remove(team().id, 1)
            await unit.api_keys.revoke_user(user().id, LATE)
            await unit.refresh_tokens.revoke_user(user().id, LATE)
            await unit.refresh_tokens.sweep(LATE)
            await unit.grants.sweep(LATE)
            await unit.commit()
        assert await look(subject, ACME) == before
