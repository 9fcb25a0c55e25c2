"""Repositories of what lets somebody in: invitations, refresh tokens, API keys and grants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Table, Update, bindparam, delete, select, update

from faultmaven_adapters.sql import identity_directory as directory
from faultmaven_adapters.sql.identity_credential_rows import (
    api_key_of,
    api_key_row,
    grant_of,
    grant_row,
    invitation_of,
    invitation_row,
    refresh_token_of,
    refresh_token_row,
)
from faultmaven_adapters.sql.identity_entities import VersionedEntities
from faultmaven_adapters.sql.identity_tables import API_KEY, GRANT, INVITATION, REFRESH_TOKEN
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_core.identity.credentials import ApiKey, Grant, Invitation, Purpose, RefreshToken
from faultmaven_core.identity.model import ApiKeyId, InvitationId
from faultmaven_core.identity.ports import (
    ApiKeyRepository,
    GrantRepository,
    InvitationRepository,
    RefreshTokenRepository,
)
from faultmaven_core.shared.ids import UserId
from faultmaven_core.shared.page import Page

_MOST_SWEPT = 100

_INVITATIONS = VersionedEntities("invitation", INVITATION, invitation_row, invitation_of)
_INVITATION = _INVITATIONS.all.where(INVITATION.c.id == bindparam("named"))
_INVITED = _INVITATIONS.all.where(INVITATION.c.digest == bindparam("of"))
_NEWEST = _INVITATIONS.all.order_by(INVITATION.c.key.desc())

_KEYS = VersionedEntities("API key", API_KEY, api_key_row, api_key_of)
_KEY = _KEYS.all.where(API_KEY.c.id == bindparam("named"))
_OPENING = _KEYS.all.where(API_KEY.c.digest == bindparam("of"))
_OF_USER = _KEYS.all.where(API_KEY.c.user_id == bindparam("user")).order_by(API_KEY.c.key)

_GRANTS = VersionedEntities("grant", GRANT, grant_row, grant_of)
_GRANTED = _GRANTS.all.where(GRANT.c.purpose == bindparam("for"), GRANT.c.digest == bindparam("of"))
_EXPIRED_GRANTS = select(GRANT.c.key, GRANT.c.purpose, GRANT.c.digest).where(
    _GRANTS.own, GRANT.c.expires_at < bindparam("before")
)

_TOKENS = VersionedEntities("refresh token", REFRESH_TOKEN, refresh_token_row, refresh_token_of)
_TOKEN = _TOKENS.all.where(REFRESH_TOKEN.c.digest == bindparam("of"))
_ENDED_TOKENS = select(REFRESH_TOKEN.c.key, REFRESH_TOKEN.c.digest).where(
    _TOKENS.own, REFRESH_TOKEN.c.ends_at < bindparam("before")
)


def _revoking(table: Any) -> Update:
    live = update(table).where(table.c.organization_id == bindparam("own"), table.c.revoked_at.is_(None))
    return live.values(revoked_at=bindparam("at"), version=table.c.version + 1)


_REVOKE = _revoking(REFRESH_TOKEN)
_REVOKE_FAMILY = _REVOKE.where(REFRESH_TOKEN.c.family == bindparam("of_family"))
_REVOKE_SESSION = _REVOKE.where(REFRESH_TOKEN.c.session == bindparam("of_session"))
_REVOKE_USER = _REVOKE.where(
    REFRESH_TOKEN.c.user_id == bindparam("user"), REFRESH_TOKEN.c.session != bindparam("kept_session")
)
_REVOKE_KEYS = _revoking(API_KEY).where(API_KEY.c.user_id == bindparam("user"))
_REVOKE_GRANTS = _revoking(GRANT).where(
    GRANT.c.purpose == bindparam("for"), GRANT.c.user_id == bindparam("user"), GRANT.c.used_at.is_(None)
)


class SqlInvitationRepository(InvitationRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, invitation: Invitation) -> None:
        await _INVITATIONS.add(self._run, invitation)
        await directory.enter(self._run, directory.INVITATION, invitation.digest, invitation.key.hex)

    async def get(self, invitation_id: InvitationId) -> Invitation:
        return await _INVITATIONS.one(self._run, _INVITATION, {"named": invitation_id})

    async def by_digest(self, digest: str) -> Invitation:
        return await _INVITATIONS.one(self._run, _INVITED, {"of": digest})

    async def save(self, invitation: Invitation) -> None:
        await _INVITATIONS.save(self._run, invitation)

    async def page(self, *, after: UUID | None, limit: int) -> Page[Invitation]:
        wanted = _NEWEST if after is None else _NEWEST.where(INVITATION.c.key < after)
        found = await _INVITATIONS.many(self._run, wanted.limit(limit + 1))
        return Page(tuple(found[:limit]), found[limit - 1].key if len(found) > limit else None)


class SqlRefreshTokenRepository(RefreshTokenRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, token: RefreshToken) -> None:
        await _TOKENS.add(self._run, token)
        await directory.enter(self._run, directory.REFRESH_TOKEN, token.digest, token.key.hex)

    async def by_digest(self, digest: str) -> RefreshToken:
        return await _TOKENS.one(self._run, _TOKEN, {"of": digest})

    async def save(self, token: RefreshToken) -> None:
        await _TOKENS.save(self._run, token)

    async def revoke_family(self, family: UUID, at: datetime) -> int:
        return await self._revoke(_REVOKE_FAMILY, {"of_family": family, "at": at})

    async def revoke_session(self, session: str, at: datetime) -> int:
        return await self._revoke(_REVOKE_SESSION, {"of_session": session, "at": at})

    async def revoke_user(self, user_id: UserId, at: datetime, *, keep_session: str = "") -> int:
        return await self._revoke(_REVOKE_USER, {"user": user_id, "kept_session": keep_session, "at": at})

    async def sweep(self, before: datetime) -> int:
        ended = await _swept(self._run, _ENDED_TOKENS, REFRESH_TOKEN, before)
        await directory.leave(self._run, directory.REFRESH_TOKEN, [row.digest for row in ended])
        return len(ended)

    async def _revoke(self, statement: Update, values: Mapping[str, Any]) -> int:
        revoked = 0
        # A statement waits for who uses a token meanwhile, but does not see the successor that is made by that.
        while now := (await self._run.run(statement, {"own": self._run.organization, **values})).rowcount:
            revoked += now
        return revoked


class SqlApiKeyRepository(ApiKeyRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, key: ApiKey) -> None:
        await _KEYS.add(self._run, key)
        await directory.enter(self._run, directory.API_KEY, key.digest, key.key.hex)

    async def get(self, key_id: ApiKeyId) -> ApiKey:
        return await _KEYS.one(self._run, _KEY, {"named": key_id})

    async def by_digest(self, digest: str) -> ApiKey:
        return await _KEYS.one(self._run, _OPENING, {"of": digest})

    async def save(self, key: ApiKey) -> None:
        await _KEYS.save(self._run, key)

    async def of_user(self, user_id: UserId) -> Sequence[ApiKey]:
        return await _KEYS.many(self._run, _OF_USER, {"user": user_id})

    async def revoke_user(self, user_id: UserId, at: datetime) -> int:
        values = {"own": self._run.organization, "user": user_id, "at": at}
        return (await self._run.run(_REVOKE_KEYS, values)).rowcount


class SqlGrantRepository(GrantRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, grant: Grant) -> None:
        await _GRANTS.add(self._run, grant)
        await directory.enter(self._run, str(grant.purpose), grant.digest, grant.key.hex)

    async def by_digest(self, purpose: Purpose, digest: str) -> Grant:
        return await _GRANTS.one(self._run, _GRANTED, {"for": str(purpose), "of": digest})

    async def save(self, grant: Grant) -> None:
        await _GRANTS.save(self._run, grant)

    async def revoke_user(self, purpose: Purpose, user_id: UserId, at: datetime) -> int:
        values = {"own": self._run.organization, "for": str(purpose), "user": user_id, "at": at}
        return (await self._run.run(_REVOKE_GRANTS, values)).rowcount

    async def sweep(self, before: datetime) -> int:
        expired = await _swept(self._run, _EXPIRED_GRANTS, GRANT, before)
        for purpose in Purpose:
            await directory.leave(self._run, str(purpose), [row.digest for row in expired if row.purpose == purpose])
        return len(expired)


async def _swept(run: SqlTransaction, ended: Select[Any], table: Table, before: datetime) -> Sequence[Row[Any]]:
    """Remove some rows, but for those that another unit sweeps already: waiting for it would put writers in a row."""
    some = ended.limit(_MOST_SWEPT).with_for_update(skip_locked=True)
    rows = list(await run.run(some, {"own": run.organization, "before": before}))
    if rows:
        going = (table.c.organization_id == run.organization, table.c.key.in_([row.key for row in rows]))
        await run.run(delete(table).where(*going))
    return rows
