"""The repositories of an organization, its users, roles and teams in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from faultmaven_adapters.sql.identity_rows import search_text
from faultmaven_adapters.sql.memory_identity_rows import Rows
from faultmaven_adapters.sql.memory_identity_tables import MEMBERSHIPS, ROLES, TEAMS, USERS
from faultmaven_adapters.sql.memory_tables import MemoryTransaction
from faultmaven_core.identity.model import Membership, Organization, Role, Team, TeamId, User, UserState
from faultmaven_core.identity.ports import OrganizationRepository, RoleRepository, TeamRepository, UserRepository
from faultmaven_core.ports.transactions import own
from faultmaven_core.shared.errors import AlreadyExistsError, NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import OrganizationId, UserId
from faultmaven_core.shared.page import Page
from faultmaven_core.shared.text import searchable


class MemoryOrganizationRepository(OrganizationRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._run, self._place = transaction, (organization, organization)

    async def add(self, organization: Organization) -> None:
        own(self._place[0], organization.id)
        if self._place in self._run.tables.identity.organizations:
            raise self._run.refused(AlreadyExistsError("There is an organization with the same id already."))
        self._run.tables.identity.organizations[self._place] = organization

    async def get(self) -> Organization:
        found = self._run.tables.identity.organizations.get(self._place)
        if found is None:
            raise NotFoundError("There is no such organization.")
        return found

    async def save(self, organization: Organization) -> None:
        own(self._place[0], organization.id)
        rows = self._run.tables.identity.organizations
        found = rows.get(self._place)
        if found is None or found.version != organization.version:
            raise StaleVersionError("The organization was changed by somebody else; read it again.")
        rows[self._place] = replace(organization, version=organization.version + 1)


class MemoryUserRepository(UserRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._rows = Rows(transaction, organization, USERS)

    async def add(self, user: User) -> None:
        self._rows.add(user)

    async def get(self, user_id: UserId) -> User:
        return self._rows.get(user_id)

    async def save(self, user: User) -> None:
        self._rows.save(user)

    async def page(self, *, after: UUID | None, limit: int, text: str = "", offset: int = 0) -> Page[User]:
        wanted = searchable(text)
        found = [user for user in self._present() if after is None or user.key > after]
        found = [user for user in found if wanted in search_text(user)][offset:]
        return Page(tuple(found[:limit]), found[limit - 1].key if len(found) > limit else None)

    async def with_role(self, role: str) -> Sequence[User]:
        return [user for user in self._present() if role in user.roles]

    def _present(self) -> list[User]:
        return sorted(self._rows.mine(lambda user: user.state is not UserState.DELETED), key=lambda user: user.key)


class MemoryRoleRepository(RoleRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._rows = Rows(transaction, organization, ROLES)

    async def add(self, role: Role) -> None:
        self._rows.add(role)

    async def get(self, name: str) -> Role:
        return self._rows.get(name)

    async def save(self, role: Role) -> None:
        self._rows.save(role)

    async def remove(self, name: str, version: int) -> None:
        self._rows.remove(name, version)

    async def all(self) -> Sequence[Role]:
        return sorted(self._rows.mine(), key=lambda role: role.name)


class MemoryTeamRepository(TeamRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._rows = Rows(transaction, organization, TEAMS)
        self._members = Rows(transaction, organization, MEMBERSHIPS)
        self._organization = organization

    async def add(self, team: Team) -> None:
        self._rows.add(team)

    async def get(self, team_id: TeamId) -> Team:
        return self._rows.get(team_id)

    async def save(self, team: Team) -> None:
        self._rows.save(team)

    async def remove(self, team_id: TeamId, version: int) -> None:
        self._rows.remove(team_id, version)
        for member in await self.members(team_id):
            self._members.drop((team_id, member.user))

    async def all(self) -> Sequence[Team]:
        return sorted(self._rows.mine(), key=lambda team: team.name)

    async def add_member(self, membership: Membership) -> None:
        own(self._organization, membership.organization)
        self._members.require_parents(membership)
        self._members.stored.setdefault((self._organization, (membership.team, membership.user)), membership)

    async def remove_member(self, team_id: TeamId, user_id: UserId) -> None:
        self._members.drop((team_id, user_id))

    async def members(self, team_id: TeamId) -> Sequence[Membership]:
        return sorted(self._members.mine(lambda member: member.team == team_id), key=lambda member: member.user)

    async def of_user(self, user_id: UserId) -> Sequence[Team]:
        ids = {member.team for member in self._members.mine(lambda member: member.user == user_id)}
        return sorted(self._rows.mine(lambda team: team.id in ids), key=lambda team: team.name)
