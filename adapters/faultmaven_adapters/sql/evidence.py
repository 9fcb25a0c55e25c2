"""Repository of evidence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, select, update

from faultmaven_adapters.sql.rows import evidence_of, evidence_row
from faultmaven_adapters.sql.tables import EVIDENCE
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_core.evidence.model import Evidence
from faultmaven_core.evidence.ports import EvidenceRepository
from faultmaven_core.shared.errors import NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import CaseId, EvidenceId
from faultmaven_core.shared.page import Page


class SqlEvidenceRepository(EvidenceRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, items: Sequence[Evidence]) -> None:
        for item in items:
            self._run.own(item.organization)
        if items:
            await self._run.run(insert(EVIDENCE), [evidence_row(item) for item in items])

    async def get(self, case_id: CaseId, evidence_id: EvidenceId) -> Evidence:
        row = await self._run.first(select(EVIDENCE).where(*self._of(case_id), EVIDENCE.c.id == evidence_id))
        if row is None:
            raise NotFoundError(f"{case_id} has no evidence {evidence_id}.")
        return evidence_of(row)

    async def save(self, items: Sequence[Evidence]) -> None:
        for item in items:
            self._run.own(item.organization)
            changed = evidence_row(item) | {"version": item.version + 1}
            same = (*self._of(item.case_id), EVIDENCE.c.id == item.id, EVIDENCE.c.version == item.version)
            done = await self._run.run(update(EVIDENCE).where(*same).values(changed))
            if done.rowcount != 1:
                raise StaleVersionError(f"{item.name} was changed or removed by somebody else; read it again.")

    async def remove(self, items: Sequence[Evidence]) -> None:
        for item in items:
            await self._run.run(delete(EVIDENCE).where(*self._of(item.case_id), EVIDENCE.c.id == item.id))

    async def page(self, case_id: CaseId, *, after: UUID | None, limit: int) -> Page[Evidence]:
        later = () if after is None else (EVIDENCE.c.key > after,)
        query = select(EVIDENCE).where(*self._of(case_id), *later).order_by(EVIDENCE.c.key).limit(limit + 1)
        items = [evidence_of(row) for row in await self._run.run(query)]
        return Page(tuple(items[:limit]), items[limit - 1].key if len(items) > limit else None)

    async def blobs(self) -> Collection[str]:
        own = (EVIDENCE.c.organization_id == self._run.organization, EVIDENCE.c.blob != "")
        return {row.blob for row in await self._run.run(select(EVIDENCE.c.blob).where(*own))}

    async def of_case(self, case_id: CaseId) -> Sequence[Evidence]:
        await self._run.lock("evidence", case_id)
        query = select(EVIDENCE).where(*self._of(case_id)).order_by(EVIDENCE.c.key)
        return [evidence_of(row) for row in await self._run.run(query)]

    def _of(self, case_id: CaseId) -> Sequence[ColumnElement[bool]]:
        return EVIDENCE.c.organization_id == self._run.organization, EVIDENCE.c.case_id == case_id
