"""Repository of uploads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, delete, func, insert, select, update

from faultmaven_adapters.sql.rows import upload_of, upload_row
from faultmaven_adapters.sql.tables import EVIDENCE, UPLOAD
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_core.evidence.uploads import Held, Upload, UploadRepository
from faultmaven_core.shared.errors import NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import UserId

# Built once: to build a statement costs more than to run it.
_OWN = UPLOAD.c.organization_id == bindparam("own")
_IS = and_(_OWN, UPLOAD.c.id == bindparam("named"))
_ADD, _GET, _REMOVE = insert(UPLOAD), select(UPLOAD).where(_IS), delete(UPLOAD).where(_IS)
_SAVE = update(UPLOAD).where(_IS, UPLOAD.c.version == bindparam("at"))
_OLD = (
    select(UPLOAD)
    .where(_OWN, UPLOAD.c.created_at < bindparam("before"))
    .order_by(UPLOAD.c.created_at, UPLOAD.c.key)
    .limit(bindparam("most"))
)
_COPIES, _RESERVED = (
    select(
        func.coalesce(func.sum(table.c.size), 0).label("all"),
        func.coalesce(func.sum(case((owner == bindparam("of"), table.c.size), else_=0)), 0).label("own"),
    ).where(table.c.organization_id == bindparam("organization"), *more)
    for table, owner, more in (
        (EVIDENCE, EVIDENCE.c.added_by, (EVIDENCE.c.custody == "copy",)),
        (UPLOAD, UPLOAD.c.owner, ()),
    )
)


class SqlUploadRepository(UploadRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, upload: Upload) -> None:
        self._run.own(upload.organization)
        await self._run.run(_ADD, upload_row(upload))

    async def get(self, upload_id: str) -> Upload:
        row = await self._run.first(_GET, self._named(upload_id))
        if row is None:
            raise NotFoundError(f"There is no upload {upload_id}.")
        return upload_of(row)

    async def save(self, upload: Upload) -> None:
        self._run.own(upload.organization)
        changed = upload_row(upload) | {"version": upload.version + 1}
        done = await self._run.run(_SAVE, changed | self._named(upload.id) | {"at": upload.version})
        if done.rowcount != 1:
            raise StaleVersionError(f"{upload.id} was changed or removed by somebody else; read it again.")

    async def remove(self, uploads: Sequence[Upload]) -> None:
        for upload in uploads:
            await self._run.run(_REMOVE, self._named(upload.id))

    async def begun_before(self, moment: datetime, limit: int) -> Sequence[Upload]:
        wanted = {"own": self._run.organization, "before": moment, "most": limit}
        return [upload_of(row) for row in await self._run.run(_OLD, wanted)]

    async def held(self, user: UserId) -> Held:
        await self._run.lock("quota")
        whose = {"organization": self._run.organization, "of": user}
        rows = [await self._run.first(statement, whose) for statement in (_COPIES, _RESERVED)]
        return Held(sum(int(row.all) for row in rows if row), sum(int(row.own) for row in rows if row))

    def _named(self, upload_id: str) -> dict[str, Any]:
        return {"own": self._run.organization, "named": upload_id}
