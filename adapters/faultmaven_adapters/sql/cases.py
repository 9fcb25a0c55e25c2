"""Repositories of cases, their records and their journals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, select, update

from faultmaven_adapters.sql.rows import case_of, case_row, entry_of, entry_row
from faultmaven_adapters.sql.tables import CASE, JOURNAL, RECORD
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_core.cases.journal import JournalEntry
from faultmaven_core.cases.model import Case
from faultmaven_core.cases.ports import CaseQuery, CaseRepository, JournalRepository, RecordRepository, StoredRecord
from faultmaven_core.shared.errors import NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import CaseId
from faultmaven_core.shared.page import Page


class SqlCaseRepository(CaseRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, case: Case) -> None:
        self._run.own(case.organization)
        await self._run.run(insert(CASE).values(case_row(case)))

    async def get(self, case_id: CaseId) -> Case:
        row = await self._run.first(select(CASE).where(*self._is(case_id)))
        if row is None:
            raise NotFoundError(f"There is no case {case_id}.")
        return case_of(row)

    async def save(self, case: Case) -> None:
        self._run.own(case.organization)
        changed = case_row(case) | {"version": case.version + 1}
        done = await self._run.run(
            update(CASE).where(*self._is(case.id), CASE.c.version == case.version).values(changed)
        )
        _at_version(done.rowcount, case.id)

    async def remove(self, case_id: CaseId, version: int) -> None:
        done = await self._run.run(delete(CASE).where(*self._is(case_id), CASE.c.version == version))
        _at_version(done.rowcount, case_id)

    async def page(self, query: CaseQuery, *, after: UUID | None, limit: int) -> Page[Case]:
        conditions: list[ColumnElement[bool]] = [
            CASE.c.organization_id == self._run.organization,
            CASE.c.status.in_([str(status) for status in query.statuses]),
        ]
        conditions += [CASE.c.search_text.contains(f" {word}", autoescape=True) for word in query.words]
        if query.updated_before is not None:
            conditions.append(CASE.c.updated_at < query.updated_before)
        if after is not None:
            conditions.append(CASE.c.key < after)
        found = await self._run.run(select(CASE).where(*conditions).order_by(CASE.c.key.desc()).limit(limit + 1))
        cases = [case_of(row) for row in found]
        return Page(tuple(cases[:limit]), cases[limit - 1].key if len(cases) > limit else None)

    def _is(self, case_id: CaseId) -> Sequence[ColumnElement[bool]]:
        return CASE.c.organization_id == self._run.organization, CASE.c.id == case_id


class SqlRecordRepository(RecordRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, case_id: CaseId, sequence: int, record: StoredRecord) -> None:
        row: dict[str, Any] = {"organization_id": self._run.organization, "case_id": case_id, "sequence": sequence}
        row |= {"body": record.body, "sha256": record.sha256, "exhibits": record.exhibits}
        await self._run.run(insert(RECORD).values(row))

    async def last(self, case_id: CaseId) -> StoredRecord:
        query = select(RECORD.c.body, RECORD.c.sha256, RECORD.c.exhibits).where(
            RECORD.c.organization_id == self._run.organization, RECORD.c.case_id == case_id
        )
        row = await self._run.first(query.order_by(RECORD.c.sequence.desc()).limit(1))
        if row is None:
            raise NotFoundError(f"{case_id} has no record yet; investigate it first.")
        return StoredRecord(row.body, row.sha256, row.exhibits)


class SqlJournalRepository(JournalRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, entry: JournalEntry) -> None:
        await self._run.run(insert(JOURNAL).values(entry_row(entry, self._run.organization)))

    async def last(self, case_id: CaseId) -> JournalEntry | None:
        query = select(JOURNAL).where(*self._of(case_id)).order_by(JOURNAL.c.sequence.desc()).limit(1)
        row = await self._run.first(query)
        return None if row is None else entry_of(row)

    async def has(self, case_id: CaseId, key: UUID) -> bool:
        query = select(JOURNAL.c.sequence).where(*self._of(case_id), JOURNAL.c.key == key)
        return await self._run.first(query) is not None

    async def read(self, case_id: CaseId, *, after: int, limit: int) -> Sequence[JournalEntry]:
        query = select(JOURNAL).where(*self._of(case_id), JOURNAL.c.sequence > after)
        return [entry_of(row) for row in await self._run.run(query.order_by(JOURNAL.c.sequence).limit(limit))]

    def _of(self, case_id: CaseId) -> Sequence[ColumnElement[bool]]:
        return JOURNAL.c.organization_id == self._run.organization, JOURNAL.c.case_id == case_id


def _at_version(rows: int, case_id: CaseId) -> None:
    if rows != 1:
        raise StaleVersionError(f"{case_id} was changed or removed by somebody else; read it again.")
