"""Repository of evidence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, func, insert, select, update

from faultmaven_adapters.sql.rows import evidence_of, evidence_row
from faultmaven_adapters.sql.tables import EVIDENCE
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_core.evidence.model import Evidence
from faultmaven_core.evidence.ports import EvidenceRepository
from faultmaven_core.shared.errors import NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import CaseId, EvidenceId
from faultmaven_core.shared.page import Page

# Built once: to build a statement costs more than to run it.
_OWN = EVIDENCE.c.organization_id == bindparam("own")
_OF = and_(_OWN, EVIDENCE.c.case_id == bindparam("of"))
_IS = and_(_OF, EVIDENCE.c.id == bindparam("named"))
_ADD, _GET = insert(EVIDENCE), select(EVIDENCE).where(_IS)
_SAVE, _REMOVE = update(EVIDENCE).where(_IS, EVIDENCE.c.version == bindparam("at")), delete(EVIDENCE).where(_IS)
_ALL = select(EVIDENCE).where(_OF).order_by(EVIDENCE.c.key)
_COUNT = select(func.count()).select_from(EVIDENCE).where(_OF)
_BLOBS = select(EVIDENCE.c.blob).where(_OWN, EVIDENCE.c.blob != "")


class SqlEvidenceRepository(EvidenceRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, items: Sequence[Evidence]) -> None:
        for item in items:
            self._run.own(item.organization)
        if items:
            await self._run.run(_ADD, [evidence_row(item) for item in items])

    async def get(self, case_id: CaseId, evidence_id: EvidenceId) -> Evidence:
        row = await self._run.first(_GET, self._of(case_id) | {"named": evidence_id})
        if row is None:
            raise NotFoundError(f"{case_id} has no evidence {evidence_id}.")
        return evidence_of(row)

    async def save(self, items: Sequence[Evidence]) -> None:
        for item in items:
            self._run.own(item.organization)
            changed = evidence_row(item) | {"version": item.version + 1}
            done = await self._run.run(_SAVE, changed | self._of(item.case_id) | {"named": item.id, "at": item.version})
            if done.rowcount != 1:
                raise StaleVersionError(f"{item.name} was changed or removed by somebody else; read it again.")

    async def remove(self, items: Sequence[Evidence]) -> None:
        for item in items:
            await self._run.run(_REMOVE, self._of(item.case_id) | {"named": item.id})

    async def page(self, case_id: CaseId, *, after: UUID | None, limit: int, offset: int = 0) -> Page[Evidence]:
        later = _ALL if after is None else _ALL.where(EVIDENCE.c.key > after)
        part = later.limit(limit + 1).offset(offset)
        items = [evidence_of(row) for row in await self._run.run(part, self._of(case_id))]
        return Page(tuple(items[:limit]), items[limit - 1].key if len(items) > limit else None)

    async def count(self, case_id: CaseId) -> int:
        row = await self._run.first(_COUNT, self._of(case_id))
        return int(row[0]) if row else 0

    async def blobs(self) -> Collection[str]:
        return {row.blob for row in await self._run.run(_BLOBS, {"own": self._run.organization})}

    async def of_case(self, case_id: CaseId) -> Sequence[Evidence]:
        await self._run.lock("evidence", case_id)
        return [evidence_of(row) for row in await self._run.run(_ALL, self._of(case_id))]

    def _of(self, case_id: CaseId) -> dict[str, Any]:
        return {"own": self._run.organization, "of": case_id}
