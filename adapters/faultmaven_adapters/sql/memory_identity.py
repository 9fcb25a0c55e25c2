"""The repositories of identity in memory."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from faultmaven_adapters.sql import memory_identity_tables as tables
from faultmaven_adapters.sql.memory_identity_tables import Unique
from faultmaven_adapters.sql.memory_tables import MemoryDatabase, MemoryTransaction
from faultmaven_core.identity.audit_chain import AuditEvent
from faultmaven_core.identity.credentials import ApiKey, Grant, Invitation, Purpose, RefreshToken
from faultmaven_core.identity.model import (
    ApiKeyId,
    InvitationId,
    Membership,
    Organization,
    Role,
    Team,
    TeamId,
    User,
    UserState,
)
from faultmaven_core.identity.ports import (
    EVERY_EVENT,
    AccountDirectory,
    ApiKeyRepository,
    AuditQuery,
    AuditRepository,
    Found,
    FoundUser,
    GrantRepository,
    InvitationRepository,
    OrganizationRepository,
    RefreshTokenRepository,
    RoleRepository,
    TeamRepository,
    UserRepository,
)
from faultmaven_core.ports.transactions import own
from faultmaven_core.shared.errors import AlreadyExistsError, NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import OrganizationId, UserId
from faultmaven_core.shared.page import Page
from faultmaven_core.shared.text import searchable

MOST_SWEPT = 100

Row = TypeVar("Row", bound=Any)
Keyed = TypeVar("Keyed", bound=Any)


class _Rows(Generic[Row]):
    """The rows of one table, as one organization sees and changes them."""

    def __init__(
        self,
        transaction: MemoryTransaction,
        organization: OrganizationId,
        table: str,
        name: Callable[[Row], Hashable],
        unique: Sequence[Unique[Row]] = (),
    ) -> None:
        self.run, self.organization, self._table, self._name, self._unique = (
            transaction,
            organization,
            table,
            name,
            unique,
        )

    @property
    def stored(self) -> dict[tuple[str, Any], Row]:
        rows: dict[tuple[str, Any], Row] = getattr(self.run.tables.identity, self._table)
        return rows

    def add(self, row: Row) -> None:
        own(self.organization, row.organization)
        place = (self.organization, self._name(row))
        if place in self.stored:
            raise self.run.refused(AlreadyExistsError("There is such a row already."))
        self._check(row, place)
        self.stored[place] = row

    def get(self, name: Hashable, what: str) -> Row:
        found = self.stored.get((self.organization, name))
        if found is None:
            raise NotFoundError(f"There is no {what}.")
        return found

    def save(self, row: Row) -> None:
        own(self.organization, row.organization)
        place = (self.organization, self._name(row))
        self.at_version(place, row.version)
        self._check(row, place)
        self.stored[place] = replace(row, version=row.version + 1)

    def at_version(self, place: tuple[str, Any], version: int) -> None:
        found = self.stored.get(place)
        if found is None or found.version != version:
            raise StaleVersionError("This was changed or removed by somebody else; read it again.")

    def remove(self, name: Hashable) -> None:
        self.stored.pop((self.organization, name), None)

    def mine(self, matches: Callable[[Row], bool] = lambda _: True) -> list[Row]:
        return [row for (owner, _), row in self.stored.items() if owner == self.organization and matches(row)]

    def first(self, matches: Callable[[Row], bool], what: str) -> Row:
        for row in self.mine(matches):
            return row
        raise NotFoundError(f"There is no {what}.")

    def change(self, rows: Iterable[Row], **changed: object) -> int:
        count = 0
        for row in rows:
            self.stored[self.organization, self._name(row)] = replace(row, version=row.version + 1, **changed)
            count += 1
        return count

    def _check(self, row: Row, place: tuple[str, Any]) -> None:
        for rule in self._unique:
            value = rule.value(row)
            for other_place, other in self.stored.items():
                near = rule.everywhere or other_place[0] == self.organization
                if value is not None and near and other_place != place and rule.value(other) == value:
                    raise self.run.refused(AlreadyExistsError(f"There is a row with the same {rule.name} already."))


class MemoryOrganizationRepository(OrganizationRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._organization = organization
        self._run = transaction

    async def add(self, organization: Organization) -> None:
        own(self._organization, organization.id)
        rows = self._run.tables.identity.organizations
        if (organization.id, organization.id) in rows:
            raise self._run.refused(AlreadyExistsError("There is an organization with the same id already."))
        rows[organization.id, organization.id] = organization

    async def get(self) -> Organization:
        found = self._run.tables.identity.organizations.get((self._organization, self._organization))
        if found is None:
            raise NotFoundError("There is no such organization.")
        return found

    async def save(self, organization: Organization) -> None:
        own(self._organization, organization.id)
        rows = self._run.tables.identity.organizations
        found = rows.get((organization.id, organization.id))
        if found is None or found.version != organization.version:
            raise StaleVersionError("The organization was changed by somebody else; read it again.")
        rows[organization.id, organization.id] = replace(organization, version=organization.version + 1)


class MemoryUserRepository(UserRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._rows = _Rows[User](transaction, organization, "users", lambda user: user.id, tables.USERS)

    async def add(self, user: User) -> None:
        if (user.organization, user.organization) not in self._rows.run.tables.identity.organizations:
            own(self._rows.organization, user.organization)
            raise self._rows.run.refused(NotFoundError("There is no such organization."))
        self._rows.add(user)

    async def get(self, user_id: UserId) -> User:
        return self._rows.get(user_id, f"user {user_id}")

    async def save(self, user: User) -> None:
        self._rows.save(user)

    async def page(self, *, after: UUID | None, limit: int, text: str = "") -> Page[User]:
        found = [user for user in self._present() if (after is None or user.key > after) and _mentions(user, text)]
        found.sort(key=lambda user: user.key)
        return Page(tuple(found[:limit]), found[limit - 1].key if len(found) > limit else None)

    async def with_role(self, role: str) -> Sequence[User]:
        return [user for user in self._present() if role in user.roles]

    def _present(self) -> list[User]:
        return self._rows.mine(lambda user: user.state is not UserState.DELETED)


class MemoryRoleRepository(RoleRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._rows = _Rows[Role](transaction, organization, "roles", lambda role: role.name)

    async def add(self, role: Role) -> None:
        self._rows.add(role)

    async def get(self, name: str) -> Role:
        return self._rows.get(name, "such role")

    async def save(self, role: Role) -> None:
        self._rows.save(role)

    async def remove(self, name: str, version: int) -> None:
        self._rows.at_version((self._rows.organization, name), version)
        self._rows.remove(name)

    async def all(self) -> Sequence[Role]:
        return sorted(self._rows.mine(), key=lambda role: role.name)


class MemoryTeamRepository(TeamRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._rows = _Rows[Team](transaction, organization, "teams", lambda team: team.id, tables.TEAMS)
        self._members = _Rows[Membership](
            transaction, organization, "memberships", lambda member: (member.team, member.user)
        )

    async def add(self, team: Team) -> None:
        self._rows.add(team)

    async def get(self, team_id: TeamId) -> Team:
        return self._rows.get(team_id, f"team {team_id}")

    async def save(self, team: Team) -> None:
        self._rows.save(team)

    async def remove(self, team_id: TeamId, version: int) -> None:
        self._rows.at_version((self._rows.organization, team_id), version)
        for member in await self.members(team_id):
            self._members.remove((team_id, member.user))
        self._rows.remove(team_id)

    async def all(self) -> Sequence[Team]:
        return sorted(self._rows.mine(), key=lambda team: team.name)

    async def add_member(self, membership: Membership) -> None:
        own(self._rows.organization, membership.organization)
        self._rows.get(membership.team, f"team {membership.team}")
        if (self._rows.organization, membership.user) not in self._rows.run.tables.identity.users:
            raise NotFoundError(f"There is no user {membership.user}.")
        place = (self._rows.organization, (membership.team, membership.user))
        self._members.stored.setdefault(place, membership)

    async def remove_member(self, team_id: TeamId, user_id: UserId) -> None:
        self._members.remove((team_id, user_id))

    async def members(self, team_id: TeamId) -> Sequence[Membership]:
        return sorted(self._members.mine(lambda member: member.team == team_id), key=lambda member: member.user)

    async def of_user(self, user_id: UserId) -> Sequence[Team]:
        ids = {member.team for member in self._members.mine(lambda member: member.user == user_id)}
        return sorted(self._rows.mine(lambda team: team.id in ids), key=lambda team: team.name)


class MemoryInvitationRepository(InvitationRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._rows = _Rows[Invitation](
            transaction, organization, "invitations", lambda invitation: invitation.id, tables.INVITATIONS
        )

    async def add(self, invitation: Invitation) -> None:
        self._rows.add(invitation)

    async def get(self, invitation_id: InvitationId) -> Invitation:
        return self._rows.get(invitation_id, f"invitation {invitation_id}")

    async def by_digest(self, digest: str) -> Invitation:
        return self._rows.first(lambda invitation: invitation.digest == digest, "such invitation")

    async def save(self, invitation: Invitation) -> None:
        self._rows.save(invitation)

    async def page(self, *, after: UUID | None, limit: int) -> Page[Invitation]:
        found = self._rows.mine(lambda invitation: after is None or invitation.key < after)
        found.sort(key=lambda invitation: invitation.key, reverse=True)
        return Page(tuple(found[:limit]), found[limit - 1].key if len(found) > limit else None)


class MemoryRefreshTokenRepository(RefreshTokenRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._rows = _Rows[RefreshToken](
            transaction, organization, "refresh_tokens", lambda token: token.digest, tables.REFRESH_TOKENS
        )

    async def add(self, token: RefreshToken) -> None:
        self._rows.add(token)

    async def by_digest(self, digest: str) -> RefreshToken:
        return self._rows.get(digest, "such refresh token")

    async def save(self, token: RefreshToken) -> None:
        self._rows.save(token)

    async def revoke_family(self, family: UUID, at: datetime) -> int:
        return self._revoke(lambda token: token.family == family, at)

    async def revoke_session(self, session: str, at: datetime) -> int:
        return self._revoke(lambda token: token.session == session, at)

    async def revoke_user(self, user_id: UserId, at: datetime, *, keep_session: str = "") -> int:
        return self._revoke(lambda token: token.user == user_id and token.session != keep_session, at)

    async def sweep(self, before: datetime) -> int:
        old = self._rows.mine(lambda token: token.ends_at < before)[:MOST_SWEPT]
        for token in old:
            self._rows.remove(token.digest)
        return len(old)

    def _revoke(self, matches: Callable[[RefreshToken], bool], at: datetime) -> int:
        going = self._rows.mine(lambda token: token.revoked_at is None and matches(token))
        return self._rows.change(going, revoked_at=at)


class MemoryApiKeyRepository(ApiKeyRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._rows = _Rows[ApiKey](transaction, organization, "api_keys", lambda key: key.id, tables.API_KEYS)

    async def add(self, key: ApiKey) -> None:
        self._rows.add(key)

    async def get(self, key_id: ApiKeyId) -> ApiKey:
        return self._rows.get(key_id, f"API key {key_id}")

    async def by_digest(self, digest: str) -> ApiKey:
        return self._rows.first(lambda key: key.digest == digest, "such API key")

    async def save(self, key: ApiKey) -> None:
        self._rows.save(key)

    async def of_user(self, user_id: UserId) -> Sequence[ApiKey]:
        return sorted(self._rows.mine(lambda key: key.user == user_id), key=lambda key: key.key)

    async def revoke_user(self, user_id: UserId, at: datetime) -> int:
        going = self._rows.mine(lambda key: key.user == user_id and key.revoked_at is None)
        return self._rows.change(going, revoked_at=at)


class MemoryGrantRepository(GrantRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._rows = _Rows[Grant](
            transaction, organization, "grants", lambda grant: (grant.purpose, grant.digest), tables.GRANTS
        )

    async def add(self, grant: Grant) -> None:
        self._rows.add(grant)

    async def by_digest(self, purpose: Purpose, digest: str) -> Grant:
        return self._rows.get((purpose, digest), "such grant")

    async def save(self, grant: Grant) -> None:
        self._rows.save(grant)

    async def revoke_user(self, purpose: Purpose, user_id: UserId, at: datetime) -> int:
        going = self._rows.mine(
            lambda grant: (
                (grant.purpose, grant.user) == (purpose, user_id) and grant.used_at is None and grant.revoked_at is None
            )
        )
        return self._rows.change(going, revoked_at=at)

    async def sweep(self, before: datetime) -> int:
        old = self._rows.mine(lambda grant: grant.expires_at < before)[:MOST_SWEPT]
        for grant in old:
            self._rows.remove((grant.purpose, grant.digest))
        return len(old)


class MemoryAuditRepository(AuditRepository):
    """See the port. Writing units wait for each other anyway."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._run, self._organization = transaction, organization

    async def last(self) -> AuditEvent | None:
        events = self._own()
        return events[-1] if events else None

    async def add(self, event: AuditEvent) -> None:
        own(self._organization, event.organization)
        if any(event.sequence == other.sequence or event.key == other.key for other in self._own()):
            raise self._run.refused(AlreadyExistsError("There is an audit event with the same number or key already."))
        self._run.tables.identity.audit[self._organization, event.sequence] = event

    async def read(self, *, after: int, limit: int, query: AuditQuery = EVERY_EVENT) -> Sequence[AuditEvent]:
        return [event for event in self._own() if event.sequence > after and _matches(event, query)][:limit]

    def _own(self) -> list[AuditEvent]:
        rows = self._run.tables.identity.audit.items()
        return sorted((event for (owner, _), event in rows if owner == self._organization), key=lambda e: e.sequence)


class MemoryAccountDirectory(AccountDirectory):
    """See the port."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def by_username(self, username: str) -> FoundUser | None:
        return self._user(lambda user: user.username == username)

    async def by_email(self, email: str) -> FoundUser | None:
        return self._user(lambda user: user.email == email != "")

    async def by_refresh_digest(self, digest: str) -> Found | None:
        return self._row(self._database.tables.identity.refresh_tokens.values(), digest)

    async def by_api_key_digest(self, digest: str) -> Found | None:
        return self._row(self._database.tables.identity.api_keys.values(), digest)

    async def by_invitation_digest(self, digest: str) -> Found | None:
        return self._row(self._database.tables.identity.invitations.values(), digest)

    async def by_grant_digest(self, purpose: Purpose, digest: str) -> Found | None:
        rows = self._database.tables.identity.grants.values()
        return self._row((grant for grant in rows if grant.purpose is purpose), digest)

    async def organizations(self) -> Sequence[OrganizationId]:
        return sorted(row.id for row in self._database.tables.identity.organizations.values())

    def _user(self, matches: Callable[[User], bool]) -> FoundUser | None:
        found = (user for user in self._database.tables.identity.users.values() if matches(user))
        return next((FoundUser(user.organization, user.id) for user in found), None)

    def _row(self, rows: Iterable[Keyed], digest: str) -> Found | None:
        return next((Found(row.organization, row.key) for row in rows if row.digest == digest), None)


def _mentions(user: User, text: str) -> bool:
    wanted = searchable(text)
    return any(wanted in value for value in (user.username, user.email, searchable(user.display_name)))


def _matches(event: AuditEvent, query: AuditQuery) -> bool:
    happening = event.happening
    return (
        query.actor in {"", happening.actor}
        and query.target in {"", happening.target}
        and (query.action in {"", happening.action} or happening.action.startswith(f"{query.action}."))
    )
