"""What identity needs of a database."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from faultmaven_core.identity.audit_chain import AuditEvent
from faultmaven_core.identity.credentials import ApiKey, Grant, Invitation, Purpose, RefreshToken
from faultmaven_core.identity.model import ApiKeyId, InvitationId, Membership, Organization, Role, Team, TeamId, User
from faultmaven_core.ports.transactions import UnitOfWork, UnitOfWorkFactory
from faultmaven_core.shared.ids import OrganizationId, UserId
from faultmaven_core.shared.page import Page


class OrganizationRepository(Protocol):
    """The unit's own organization: at most one row."""

    @abstractmethod
    async def add(self, organization: Organization) -> None:
        """Keep it. Raises AlreadyExistsError where it is there."""

    @abstractmethod
    async def get(self) -> Organization:
        """The unit's organization. Raises NotFoundError."""

    @abstractmethod
    async def save(self, organization: Organization) -> None:
        """Keep it changed; the stored version grows by one. Raises StaleVersionError where the version is another."""


class UserRepository(Protocol):
    """The users of the unit's organization."""

    @abstractmethod
    async def add(self, user: User) -> None:
        """Keep a new user.

        Raises AlreadyExistsError where key, id, username or address are taken, the last two by anybody of the
        installation; NotFoundError without the organization.
        """

    @abstractmethod
    async def get(self, user_id: UserId) -> User:
        """The user. Raises NotFoundError, for another organization's too."""

    @abstractmethod
    async def save(self, user: User) -> None:
        """Keep a changed user; the stored version grows by one.

        Raises StaleVersionError where `user.version` is not the stored one, AlreadyExistsError as `add`.
        """

    @abstractmethod
    async def page(self, *, after: UUID | None, limit: int, text: str = "", offset: int = 0) -> Page[User]:
        """Users that are not deleted, oldest first, created after the one whose key is `after`, but for the first `offset`.

        `text`, folded, is part of the username, the address or the folded display name.
        """

    @abstractmethod
    async def with_role(self, role: str) -> Sequence[User]:
        """All users that are not deleted and have this role, oldest first.

        In a writing unit, whoever else asks for this role waits until this one has ended: who keeps a last one cannot be
        raced.
        """


class RoleRepository(Protocol):
    """The roles that the unit's organization made for itself."""

    @abstractmethod
    async def add(self, role: Role) -> None:
        """Keep a new role. Raises AlreadyExistsError where the name is taken."""

    @abstractmethod
    async def get(self, name: str) -> Role:
        """The role. Raises NotFoundError."""

    @abstractmethod
    async def save(self, role: Role) -> None:
        """Keep a changed role. Raises StaleVersionError where the version is another."""

    @abstractmethod
    async def remove(self, name: str, version: int) -> None:
        """Remove the role. Raises StaleVersionError as `save`."""

    @abstractmethod
    async def all(self) -> Sequence[Role]:
        """All, by name; an organization has a hundred at most."""


class TeamRepository(Protocol):
    """The teams of the unit's organization, and who is in them."""

    @abstractmethod
    async def add(self, team: Team) -> None:
        """Keep a new team. Raises AlreadyExistsError where key, id or name are taken."""

    @abstractmethod
    async def get(self, team_id: TeamId) -> Team:
        """The team. Raises NotFoundError."""

    @abstractmethod
    async def save(self, team: Team) -> None:
        """Keep a changed team. Raises StaleVersionError where the version is another."""

    @abstractmethod
    async def remove(self, team_id: TeamId, version: int) -> None:
        """Remove the team and its memberships. Raises StaleVersionError as `save`."""

    @abstractmethod
    async def all(self) -> Sequence[Team]:
        """All, by name; an organization has a thousand at most.

        In a writing unit, whoever else asks waits until this one has ended: who keeps a tree cannot be raced.
        """

    @abstractmethod
    async def add_member(self, membership: Membership) -> None:
        """Put a user into a team; one who is in it already stays. Raises NotFoundError without either."""

    @abstractmethod
    async def remove_member(self, team_id: TeamId, user_id: UserId) -> None:
        """Take a user out of a team; one who is not in it is no error."""

    @abstractmethod
    async def members(self, team_id: TeamId) -> Sequence[Membership]:
        """Who is in a team, by user id."""

    @abstractmethod
    async def of_user(self, user_id: UserId) -> Sequence[Team]:
        """The teams that a user is in, by name."""


class InvitationRepository(Protocol):
    """The invitations into the unit's organization."""

    @abstractmethod
    async def add(self, invitation: Invitation) -> None:
        """Keep a new invitation. Raises AlreadyExistsError where key, id or digest are taken."""

    @abstractmethod
    async def get(self, invitation_id: InvitationId) -> Invitation:
        """The invitation. Raises NotFoundError."""

    @abstractmethod
    async def by_digest(self, digest: str) -> Invitation:
        """The invitation with this digest. Raises NotFoundError."""

    @abstractmethod
    async def save(self, invitation: Invitation) -> None:
        """Keep a changed invitation. Raises StaleVersionError where the version is another."""

    @abstractmethod
    async def page(self, *, after: UUID | None, limit: int) -> Page[Invitation]:
        """All, newest first, created before the one whose key is `after`."""


class RefreshTokenRepository(Protocol):
    """The refresh tokens of the unit's users."""

    @abstractmethod
    async def add(self, token: RefreshToken) -> None:
        """Keep a new one. Raises AlreadyExistsError where key or digest are taken."""

    @abstractmethod
    async def by_digest(self, digest: str) -> RefreshToken:
        """The one with this digest, used and revoked ones too. Raises NotFoundError."""

    @abstractmethod
    async def save(self, token: RefreshToken) -> None:
        """Keep a changed one. Raises StaleVersionError where the version is another."""

    @abstractmethod
    async def revoke_family(self, family: UUID, at: datetime) -> int:
        """Revoke all of a family that are not; how many. Their versions grow, so that who uses one now is too late."""

    @abstractmethod
    async def revoke_session(self, session: str, at: datetime) -> int:
        """Revoke all with this session, as `revoke_family`."""

    @abstractmethod
    async def revoke_user(self, user_id: UserId, at: datetime, *, keep_session: str = "") -> int:
        """Revoke all of a user, but for those with one session, as `revoke_family`."""

    @abstractmethod
    async def sweep(self, before: datetime) -> int:
        """Remove those whose family ended before a moment, a hundred at most; how many."""


class ApiKeyRepository(Protocol):
    """The API keys of the unit's users."""

    @abstractmethod
    async def add(self, key: ApiKey) -> None:
        """Keep a new key. Raises AlreadyExistsError where key, id or digest are taken."""

    @abstractmethod
    async def get(self, key_id: ApiKeyId) -> ApiKey:
        """The key. Raises NotFoundError."""

    @abstractmethod
    async def by_digest(self, digest: str) -> ApiKey:
        """The one with this digest. Raises NotFoundError."""

    @abstractmethod
    async def save(self, key: ApiKey) -> None:
        """Keep a changed key. Raises StaleVersionError where the version is another."""

    @abstractmethod
    async def of_user(self, user_id: UserId) -> Sequence[ApiKey]:
        """All keys of a user, oldest first; a hundred at most are live."""

    @abstractmethod
    async def revoke_user(self, user_id: UserId, at: datetime) -> int:
        """Revoke all of a user's that are not; how many."""


class GrantRepository(Protocol):
    """Reset tokens and OAuth codes of the unit's users."""

    @abstractmethod
    async def add(self, grant: Grant) -> None:
        """Keep a new one. Raises AlreadyExistsError where key or digest are taken."""

    @abstractmethod
    async def by_digest(self, purpose: Purpose, digest: str) -> Grant:
        """The one for this purpose with this digest, used and revoked ones too. Raises NotFoundError."""

    @abstractmethod
    async def save(self, grant: Grant) -> None:
        """Keep a changed one. Raises StaleVersionError where the version is another."""

    @abstractmethod
    async def revoke_user(self, purpose: Purpose, user_id: UserId, at: datetime) -> int:
        """Revoke all of a user's for this purpose that are neither used nor revoked; how many."""

    @abstractmethod
    async def sweep(self, before: datetime) -> int:
        """Remove those that expired before a moment, a hundred at most; how many."""


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which events: of an actor, of an action (`user` stands for all that begin with `user.`), of a target; "" = any."""

    actor: str = ""
    action: str = ""
    target: str = ""


EVERY_EVENT = AuditQuery()


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The place and the digest of the newest event."""

    sequence: int
    digest: str


class AuditRepository(Protocol):
    """The audit log of the unit's organization. There is no way to change or remove what is in it."""

    @abstractmethod
    async def last(self) -> AuditEvent | None:
        """The newest event; None before the first.

        In a writing unit, whoever else asks waits until this one has ended: two never follow the same event.
        """

    @abstractmethod
    async def add(self, event: AuditEvent) -> None:
        """Append an event. Raises AlreadyExistsError where sequence or key are taken."""

    @abstractmethod
    async def head(self) -> AuditHead | None:
        """How far the log went, kept apart from it: one whose end was cut off does not reach it. None before the first."""

    @abstractmethod
    async def read(self, *, after: int, limit: int, query: AuditQuery = EVERY_EVENT) -> Sequence[AuditEvent]:
        """Matching events with a higher sequence number than `after`, oldest first."""


class IdentityUnitOfWork(UnitOfWork, Protocol):
    """A transaction over the people of one organization."""

    organizations: OrganizationRepository
    users: UserRepository
    roles: RoleRepository
    teams: TeamRepository
    invitations: InvitationRepository
    refresh_tokens: RefreshTokenRepository
    api_keys: ApiKeyRepository
    grants: GrantRepository
    audit: AuditRepository


IdentityUnits = UnitOfWorkFactory[IdentityUnitOfWork]


@dataclass(frozen=True, slots=True)
class Found:
    """Whose row it is, and the row's key."""

    organization: OrganizationId
    key: UUID


@dataclass(frozen=True, slots=True)
class FoundUser:
    """In which organization a user is, and his id."""

    organization: OrganizationId
    user: UserId


class AccountDirectory(Protocol):
    """Says in which organization somebody or something is, before anybody is signed in; nothing else of it.

    The only look-ups that cross organizations. All give committed state, None where nothing is found. Raises
    BackendUnavailableError where the database cannot be asked: never "nobody".
    """

    @abstractmethod
    async def by_username(self, username: str) -> FoundUser | None:
        """The user with this folded name."""

    @abstractmethod
    async def by_email(self, email: str) -> FoundUser | None:
        """The user with this folded address, which is not empty."""

    @abstractmethod
    async def by_refresh_digest(self, digest: str) -> Found | None:
        """The refresh token with this digest."""

    @abstractmethod
    async def by_api_key_digest(self, digest: str) -> Found | None:
        """The API key with this digest."""

    @abstractmethod
    async def by_invitation_digest(self, digest: str) -> Found | None:
        """The invitation with this digest."""

    @abstractmethod
    async def organizations(self) -> Sequence[OrganizationId]:
        """All organizations, by id: for who works at the machine itself."""

    @abstractmethod
    async def by_grant_digest(self, purpose: Purpose, digest: str) -> Found | None:
        """The reset token or OAuth code with this digest."""
