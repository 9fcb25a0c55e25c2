"""The repositories of what lets somebody in, the audit log and the directory, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from faultmaven_adapters.sql.memory_identity_rows import Rows
from faultmaven_adapters.sql.memory_identity_tables import API_KEYS, GRANTS, INVITATIONS, REFRESH_TOKENS
from faultmaven_adapters.sql.memory_tables import MOST_SWEPT, MemoryDatabase, MemoryTransaction
from faultmaven_core.identity.audit_chain import AuditEvent
from faultmaven_core.identity.credentials import ApiKey, Grant, Invitation, Purpose, RefreshToken
from faultmaven_core.identity.model import ApiKeyId, InvitationId, User
from faultmaven_core.identity.ports import (
    EVERY_EVENT,
    AccountDirectory,
    ApiKeyRepository,
    AuditHead,
    AuditQuery,
    AuditRepository,
    Found,
    FoundUser,
    GrantRepository,
    InvitationRepository,
    RefreshTokenRepository,
)
from faultmaven_core.ports.transactions import own
from faultmaven_core.shared.errors import AlreadyExistsError
from faultmaven_core.shared.ids import OrganizationId, UserId
from faultmaven_core.shared.page import Page


class MemoryInvitationRepository(InvitationRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._rows = Rows(transaction, organization, INVITATIONS)

    async def add(self, invitation: Invitation) -> None:
        self._rows.add(invitation)

    async def get(self, invitation_id: InvitationId) -> Invitation:
        return self._rows.get(invitation_id)

    async def by_digest(self, digest: str) -> Invitation:
        return self._rows.first(lambda invitation: invitation.digest == digest)

    async def save(self, invitation: Invitation) -> None:
        self._rows.save(invitation)

    async def page(self, *, after: UUID | None, limit: int) -> Page[Invitation]:
        found = self._rows.mine(lambda invitation: after is None or invitation.key < after)
        found.sort(key=lambda invitation: invitation.key, reverse=True)
        return Page(tuple(found[:limit]), found[limit - 1].key if len(found) > limit else None)


class MemoryRefreshTokenRepository(RefreshTokenRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._rows = Rows(transaction, organization, REFRESH_TOKENS)

    async def add(self, token: RefreshToken) -> None:
        self._rows.add(token)

    async def by_digest(self, digest: str) -> RefreshToken:
        return self._rows.get(digest)

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
            self._rows.drop(token.digest)
        return len(old)

    def _revoke(self, matches: Callable[[RefreshToken], bool], at: datetime) -> int:
        going = self._rows.mine(lambda token: token.revoked_at is None and matches(token))
        return self._rows.change(going, revoked_at=at)


class MemoryApiKeyRepository(ApiKeyRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._rows = Rows(transaction, organization, API_KEYS)

    async def add(self, key: ApiKey) -> None:
        self._rows.add(key)

    async def get(self, key_id: ApiKeyId) -> ApiKey:
        return self._rows.get(key_id)

    async def by_digest(self, digest: str) -> ApiKey:
        return self._rows.first(lambda key: key.digest == digest)

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
        self._rows = Rows(transaction, organization, GRANTS)

    async def add(self, grant: Grant) -> None:
        self._rows.add(grant)

    async def by_digest(self, purpose: Purpose, digest: str) -> Grant:
        return self._rows.get((purpose, digest))

    async def save(self, grant: Grant) -> None:
        self._rows.save(grant)

    async def revoke_user(self, purpose: Purpose, user_id: UserId, at: datetime) -> int:
        open_ = self._rows.mine(lambda grant: grant.used_at is None and grant.revoked_at is None)
        going = [grant for grant in open_ if (grant.purpose, grant.user) == (purpose, user_id)]
        return self._rows.change(going, revoked_at=at)

    async def sweep(self, before: datetime) -> int:
        old = self._rows.mine(lambda grant: grant.expires_at < before)[:MOST_SWEPT]
        for grant in old:
            self._rows.drop((grant.purpose, grant.digest))
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
        self._run.tables.identity.audit_heads[self._organization] = AuditHead(event.sequence, event.digest)

    async def head(self) -> AuditHead | None:
        return self._run.tables.identity.audit_heads.get(self._organization)

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

    def _row(self, rows: Iterable[Any], digest: str) -> Found | None:
        return next((Found(row.organization, row.key) for row in rows if row.digest == digest), None)


def _matches(event: AuditEvent, query: AuditQuery) -> bool:
    happening = event.happening
    return (
        query.actor in {"", happening.actor}
        and query.target in {"", happening.target}
        and (query.action in {"", happening.action} or happening.action.startswith(f"{query.action}."))
    )
