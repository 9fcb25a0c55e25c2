"""Repositories of an organization, its users, roles and teams."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, bindparam, delete
from sqlalchemy.dialects.postgresql import insert

from faultmaven_adapters.sql import identity_directory as directory
from faultmaven_adapters.sql.identity_entities import Entities, VersionedEntities
from faultmaven_adapters.sql.identity_rows import (
    membership_of,
    membership_row,
    organization_of,
    organization_row,
    role_of,
    role_row,
    role_text,
    team_of,
    team_row,
    user_of,
    user_row,
)
from faultmaven_adapters.sql.identity_tables import MEMBERSHIP, ORGANIZATION, ROLE, TEAM, USER
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_core.identity.model import Membership, Organization, Role, Team, TeamId, User, UserState
from faultmaven_core.identity.ports import OrganizationRepository, RoleRepository, TeamRepository, UserRepository
from faultmaven_core.shared.errors import StaleVersionError
from faultmaven_core.shared.ids import UserId
from faultmaven_core.shared.page import Page
from faultmaven_core.shared.text import searchable

_ORGANIZATIONS = VersionedEntities("organization", ORGANIZATION, organization_row, organization_of)

_USERS = VersionedEntities("user", USER, user_row, user_of)
_USER = _USERS.all.where(USER.c.id == bindparam("named"))
_PRESENT = _USERS.all.where(USER.c.state != str(UserState.DELETED)).order_by(USER.c.key)

_ROLES = VersionedEntities("role", ROLE, role_row, role_of)
_ROLE = _ROLES.all.where(ROLE.c.name == bindparam("named"))
_REMOVE_ROLE = delete(ROLE).where(_ROLES.own, ROLE.c.name == bindparam("named"), ROLE.c.version == bindparam("at"))

_TEAMS = VersionedEntities("team", TEAM, team_row, team_of)
_TEAM = _TEAMS.all.where(TEAM.c.id == bindparam("named"))
_ALL_TEAMS = _TEAMS.all.order_by(TEAM.c.name)
_REMOVE_TEAM = delete(TEAM).where(_TEAMS.own, TEAM.c.id == bindparam("named"), TEAM.c.version == bindparam("at"))

_MEMBERS = Entities("member", MEMBERSHIP, membership_row, membership_of)
_OF_TEAM = _MEMBERS.all.where(MEMBERSHIP.c.team_id == bindparam("team")).order_by(MEMBERSHIP.c.user_id)
_OF_USER = and_(
    MEMBERSHIP.c.organization_id == TEAM.c.organization_id,
    MEMBERSHIP.c.team_id == TEAM.c.id,
    MEMBERSHIP.c.user_id == bindparam("user"),
)
_TEAMS_OF_USER = _ALL_TEAMS.join(MEMBERSHIP, _OF_USER)
_ADD_MEMBER = insert(MEMBERSHIP).on_conflict_do_nothing()
_REMOVE_MEMBER = delete(MEMBERSHIP).where(
    _MEMBERS.own, MEMBERSHIP.c.team_id == bindparam("team"), MEMBERSHIP.c.user_id == bindparam("user")
)


class SqlOrganizationRepository(OrganizationRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, organization: Organization) -> None:
        await _ORGANIZATIONS.add(self._run, organization)
        await directory.enter_names(self._run, organization.id, {directory.ORGANIZATION: organization.id})

    async def get(self) -> Organization:
        return await _ORGANIZATIONS.one(self._run, _ORGANIZATIONS.all, {})

    async def save(self, organization: Organization) -> None:
        await _ORGANIZATIONS.save(self._run, organization)


class SqlUserRepository(UserRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, user: User) -> None:
        await _USERS.add(self._run, user)
        await self._enter(user)

    async def get(self, user_id: UserId) -> User:
        return await _USERS.one(self._run, _USER, {"named": user_id})

    async def save(self, user: User) -> None:
        await _USERS.save(self._run, user)
        await self._enter(user)

    async def page(self, *, after: UUID | None, limit: int, text: str = "", offset: int = 0) -> Page[User]:
        wanted = _PRESENT if after is None else _PRESENT.where(USER.c.key > after)
        if words := searchable(text):
            wanted = wanted.where(USER.c.search_text.contains(words, autoescape=True))
        users = await _USERS.many(self._run, wanted.limit(limit + 1).offset(offset))
        return Page(tuple(users[:limit]), users[limit - 1].key if len(users) > limit else None)

    async def with_role(self, role: str) -> Sequence[User]:
        await self._run.lock("users with the role", role)
        held = _PRESENT.where(USER.c.roles.contains(role_text(role), autoescape=True))
        # SQLite compares ASCII letters without their case.
        return [user for user in await _USERS.many(self._run, held) if role in user.roles]

    async def _enter(self, user: User) -> None:
        names = {directory.USERNAME: user.username, directory.EMAIL: user.email}
        await directory.enter_names(self._run, user.id, names)


class SqlRoleRepository(RoleRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, role: Role) -> None:
        await _ROLES.add(self._run, role)

    async def get(self, name: str) -> Role:
        return await _ROLES.one(self._run, _ROLE, {"named": name})

    async def save(self, role: Role) -> None:
        await _ROLES.save(self._run, role)

    async def remove(self, name: str, version: int) -> None:
        at = {"own": self._run.organization, "named": name, "at": version}
        _gone((await self._run.run(_REMOVE_ROLE, at)).rowcount)

    async def all(self) -> Sequence[Role]:
        return await _ROLES.many(self._run, _ROLES.all.order_by(ROLE.c.name))


class SqlTeamRepository(TeamRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, team: Team) -> None:
        await _TEAMS.add(self._run, team)

    async def get(self, team_id: TeamId) -> Team:
        return await _TEAMS.one(self._run, _TEAM, {"named": team_id})

    async def save(self, team: Team) -> None:
        await _TEAMS.save(self._run, team)

    async def remove(self, team_id: TeamId, version: int) -> None:
        at = {"own": self._run.organization, "named": team_id, "at": version}
        _gone((await self._run.run(_REMOVE_TEAM, at)).rowcount)

    async def all(self) -> Sequence[Team]:
        await self._run.lock("teams")
        return await _TEAMS.many(self._run, _ALL_TEAMS)

    async def add_member(self, membership: Membership) -> None:
        self._run.own(membership.organization)
        await self._run.run(_ADD_MEMBER, membership_row(membership))

    async def remove_member(self, team_id: TeamId, user_id: UserId) -> None:
        await self._run.run(_REMOVE_MEMBER, {"own": self._run.organization, "team": team_id, "user": user_id})

    async def members(self, team_id: TeamId) -> Sequence[Membership]:
        return await _MEMBERS.many(self._run, _OF_TEAM, {"team": team_id})

    async def of_user(self, user_id: UserId) -> Sequence[Team]:
        return await _TEAMS.many(self._run, _TEAMS_OF_USER, {"user": user_id})


def _gone(removed: int) -> None:
    if removed != 1:
        raise StaleVersionError("This was changed or removed by somebody else; read it again.")
