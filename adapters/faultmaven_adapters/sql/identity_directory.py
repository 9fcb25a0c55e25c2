"""The directory: in which organization a name or a secret is, by digest. Written with what it tells of, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, insert, select

from faultmaven_adapters.sql.identity_tables import DIRECTORY
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_core.identity.credentials import Purpose, digest
from faultmaven_core.identity.ports import AccountDirectory, Found, FoundUser
from faultmaven_core.shared.ids import OrganizationId, UserId

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from faultmaven_adapters.sql.engine import SqlDatabase

ORGANIZATION, USERNAME, EMAIL = "organization", "username", "email"
INVITATION, REFRESH_TOKEN, API_KEY = "invitation", "refresh", "api_key"

_NOBODY = OrganizationId("")
_FIND = select(DIRECTORY.c.organization_id, DIRECTORY.c.subject).where(
    DIRECTORY.c.kind == bindparam("kind"), DIRECTORY.c.digest == bindparam("digest")
)
_ORGANIZATIONS = (
    select(DIRECTORY.c.organization_id).where(DIRECTORY.c.kind == ORGANIZATION).order_by(DIRECTORY.c.organization_id)
)
_OWN = DIRECTORY.c.organization_id == bindparam("own")
_OF_SUBJECT = select(DIRECTORY.c.kind, DIRECTORY.c.digest).where(_OWN, DIRECTORY.c.subject == bindparam("subject"))
_REMOVE = delete(DIRECTORY).where(
    _OWN, DIRECTORY.c.kind == bindparam("kind"), DIRECTORY.c.digest.in_(bindparam("digests", expanding=True))
)
_ADD = insert(DIRECTORY)


async def enter(run: SqlTransaction, kind: str, of: str, subject: str) -> None:
    """Let a digest be found."""
    await run.run(_ADD, {"organization_id": run.organization, "kind": kind, "digest": of, "subject": subject})


async def enter_names(run: SqlTransaction, subject: str, names: Mapping[str, str]) -> None:
    """Let somebody be found by these names and by no other any more; "" is no name."""
    wanted = {(kind, digest(name)) for kind, name in names.items() if name}
    there = {
        (row.kind, row.digest) for row in await run.run(_OF_SUBJECT, {"own": run.organization, "subject": subject})
    }
    for kind, old in sorted(there - wanted):
        await leave(run, kind, [old])
    for kind, new in sorted(wanted - there):
        await enter(run, kind, new, subject)


async def leave(run: SqlTransaction, kind: str, digests: Collection[str]) -> None:
    """Let these be found no more."""
    await run.run(_REMOVE, {"own": run.organization, "kind": kind, "digests": list(digests)})


class SqlAccountDirectory(AccountDirectory):
    """See the port. Each look-up is a transaction that sees the directory and nothing else."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def by_username(self, username: str) -> FoundUser | None:
        return await self._user(USERNAME, username)

    async def by_email(self, email: str) -> FoundUser | None:
        return await self._user(EMAIL, email)

    async def by_refresh_digest(self, digest: str) -> Found | None:
        return await self._found(REFRESH_TOKEN, digest)

    async def by_api_key_digest(self, digest: str) -> Found | None:
        return await self._found(API_KEY, digest)

    async def by_invitation_digest(self, digest: str) -> Found | None:
        return await self._found(INVITATION, digest)

    async def by_grant_digest(self, purpose: Purpose, digest: str) -> Found | None:
        return await self._found(str(purpose), digest)

    async def organizations(self) -> Sequence[OrganizationId]:
        async with self._looking() as run:
            return [row.organization_id for row in await run.run(_ORGANIZATIONS)]

    async def _user(self, kind: str, name: str) -> FoundUser | None:
        row = await self._row(kind, digest(name))
        return FoundUser(row.organization_id, UserId(row.subject)) if row else None

    async def _found(self, kind: str, of: str) -> Found | None:
        row = await self._row(kind, of)
        return Found(row.organization_id, UUID(hex=row.subject)) if row else None

    async def _row(self, kind: str, of: str) -> Row[tuple[OrganizationId, str]] | None:
        async with self._looking() as run:
            return await run.first(_FIND, {"kind": kind, "digest": of})

    @asynccontextmanager
    async def _looking(self) -> AsyncIterator[SqlTransaction]:
        transaction = SqlTransaction(self._database, _NOBODY, read_only=True, directory=True)
        await transaction.begin()
        try:
            yield transaction
        finally:
            await transaction.end()
