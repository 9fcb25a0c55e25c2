"""Repositories of cases, their records and their journals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, delete, func, insert, or_, select, update

from faultmaven_adapters.sql.rows import case_of, case_row, entry_of, entry_row, message_of, message_row
from faultmaven_adapters.sql.tables import CASE, JOURNAL, MESSAGE, RECORD
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_core.cases.dialogue import Message
from faultmaven_core.cases.journal import JournalEntry
from faultmaven_core.cases.model import Case, CaseStatus
from faultmaven_core.cases.ports import (
    CaseQuery,
    CaseRepository,
    CaseSlice,
    JournalRepository,
    MessageRepository,
    RecordRepository,
    StoredRecord,
)
from faultmaven_core.shared.errors import NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import CaseId
from faultmaven_core.shared.page import Page, Place

# Built once: to build a statement costs more than to run it.
_OWN = CASE.c.organization_id == bindparam("own")
_IS = and_(_OWN, CASE.c.id == bindparam("named"))
_THERE = CASE.c.deleted_at.is_(None)
_AT = and_(_IS, CASE.c.version == bindparam("at"))
_ADD, _SAVE, _REMOVE = insert(CASE), update(CASE).where(_AT), delete(CASE).where(_AT)
_GET, _GET_DELETED = select(CASE).where(_IS, _THERE), select(CASE).where(_IS, CASE.c.deleted_at.is_not(None))
_PAGE = select(CASE).where(_OWN, _THERE).order_by(CASE.c.key.desc()).limit(bindparam("most"))
_BROWSE = (
    select(CASE)
    .where(_OWN, _THERE)
    .order_by(CASE.c.updated_at.desc(), CASE.c.key.desc())
    .limit(bindparam("most"))
    .offset(bindparam("passed"))
)
_BEHIND = or_(
    CASE.c.updated_at < bindparam("moment"),
    and_(CASE.c.updated_at == bindparam("moment"), CASE.c.key < bindparam("last")),
)
_COUNT = select(func.count()).select_from(CASE).where(_OWN, _THERE)
_OPENED = select(func.count()).select_from(CASE).where(_OWN, CASE.c.created_at >= bindparam("moment"))

_ADD_MESSAGE = insert(MESSAGE)
_MESSAGES = (
    select(MESSAGE)
    .where(
        MESSAGE.c.organization_id == bindparam("own"),
        MESSAGE.c.case_id == bindparam("named"),
        MESSAGE.c.sequence > bindparam("after"),
    )
    .order_by(MESSAGE.c.sequence)
    .limit(bindparam("most"))
)

_OF_RECORD = and_(RECORD.c.organization_id == bindparam("own"), RECORD.c.case_id == bindparam("named"))
_ADD_RECORD = insert(RECORD)
_LAST_RECORD = (
    select(RECORD.c.body, RECORD.c.sha256, RECORD.c.exhibits)
    .where(_OF_RECORD)
    .order_by(RECORD.c.sequence.desc())
    .limit(1)
)

_OF_JOURNAL = and_(JOURNAL.c.organization_id == bindparam("own"), JOURNAL.c.case_id == bindparam("named"))
_ADD_ENTRY = insert(JOURNAL)
_LAST_ENTRY = select(JOURNAL).where(_OF_JOURNAL).order_by(JOURNAL.c.sequence.desc()).limit(1)
_HAS_ENTRY = select(JOURNAL.c.sequence).where(_OF_JOURNAL, JOURNAL.c.key == bindparam("event"))
_ENTRIES = (
    select(JOURNAL)
    .where(_OF_JOURNAL, JOURNAL.c.sequence > bindparam("after"))
    .order_by(JOURNAL.c.sequence)
    .limit(bindparam("most"))
)


class SqlCaseRepository(CaseRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, case: Case) -> None:
        self._run.own(case.organization)
        await self._run.run(_ADD, case_row(case))

    async def get(self, case_id: CaseId, *, deleted: bool = False) -> Case:
        row = await self._run.first(
            _GET_DELETED if deleted else _GET, {"own": self._run.organization, "named": case_id}
        )
        if row is None:
            raise NotFoundError(f"There is no case {case_id}.")
        return case_of(row)

    async def save(self, case: Case) -> None:
        self._run.own(case.organization)
        changed = case_row(case) | {"version": case.version + 1}
        at = {"own": self._run.organization, "named": case.id, "at": case.version}
        _at_version((await self._run.run(_SAVE, changed | at)).rowcount, case.id)

    async def remove(self, case_id: CaseId, version: int) -> None:
        at = {"own": self._run.organization, "named": case_id, "at": version}
        _at_version((await self._run.run(_REMOVE, at)).rowcount, case_id)

    async def page(self, query: CaseQuery, *, after: UUID | None, limit: int) -> Page[Case]:
        matching = _matching(_PAGE, query)
        if after is not None:
            matching = matching.where(CASE.c.key < after)
        found = await self._run.run(matching, {"own": self._run.organization, "most": limit + 1})
        cases = [case_of(row) for row in found]
        return Page(tuple(cases[:limit]), cases[limit - 1].key if len(cases) > limit else None)

    async def browse(self, query: CaseQuery, *, offset: int, limit: int, after: Place | None = None) -> CaseSlice:
        own = {"own": self._run.organization}
        counted = await self._run.first(_matching(_COUNT, query), own)
        matching, values = _matching(_BROWSE, query), {**own, "most": limit + 1, "passed": offset}
        if after is not None:
            matching, values = matching.where(_BEHIND), {**values, "moment": after.at, "last": after.key}
        found = [case_of(row) for row in await self._run.run(matching, values)]
        return CaseSlice(tuple(found[:limit]), counted[0] if counted else 0, len(found) > limit)

    async def opened_since(self, moment: datetime) -> int:
        row = await self._run.first(_OPENED, {"own": self._run.organization, "moment": moment})
        return int(row[0]) if row else 0


class SqlMessageRepository(MessageRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, messages: Sequence[Message]) -> None:
        if messages:
            rows = [message_row(message, self._run.organization) for message in messages]
            await self._run.run(_ADD_MESSAGE, rows)

    async def read(self, case_id: CaseId, *, after: int, limit: int) -> Sequence[Message]:
        wanted = {"own": self._run.organization, "named": case_id, "after": after, "most": limit}
        return [message_of(row) for row in await self._run.run(_MESSAGES, wanted)]


class SqlRecordRepository(RecordRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, case_id: CaseId, sequence: int, record: StoredRecord) -> None:
        row: dict[str, Any] = {"organization_id": self._run.organization, "case_id": case_id, "sequence": sequence}
        row |= {"body": record.body, "sha256": record.sha256, "exhibits": record.exhibits}
        await self._run.run(_ADD_RECORD, row)

    async def last(self, case_id: CaseId) -> StoredRecord:
        row = await self._run.first(_LAST_RECORD, {"own": self._run.organization, "named": case_id})
        if row is None:
            raise NotFoundError(f"{case_id} has no record yet; investigate it first.")
        return StoredRecord(row.body, row.sha256, row.exhibits)


class SqlJournalRepository(JournalRepository):
    """See the port."""

    def __init__(self, transaction: SqlTransaction) -> None:
        self._run = transaction

    async def add(self, *entries: JournalEntry) -> None:
        if entries:
            await self._run.run(_ADD_ENTRY, [entry_row(entry, self._run.organization) for entry in entries])

    async def last(self, case_id: CaseId) -> JournalEntry | None:
        row = await self._run.first(_LAST_ENTRY, {"own": self._run.organization, "named": case_id})
        return None if row is None else entry_of(row)

    async def has(self, case_id: CaseId, key: UUID) -> bool:
        wanted = {"own": self._run.organization, "named": case_id, "event": key}
        return await self._run.first(_HAS_ENTRY, wanted) is not None

    async def read(self, case_id: CaseId, *, after: int, limit: int) -> Sequence[JournalEntry]:
        wanted = {"own": self._run.organization, "named": case_id, "after": after, "most": limit}
        return [entry_of(row) for row in await self._run.run(_ENTRIES, wanted)]


def _at_version(rows: int, case_id: CaseId) -> None:
    if rows != 1:
        raise StaleVersionError(f"{case_id} was changed or removed by somebody else; read it again.")


def _matching(statement: Select[Any], query: CaseQuery) -> Select[Any]:
    if len(set(query.statuses)) < len(CaseStatus):
        statement = statement.where(CASE.c.status.in_([str(status) for status in query.statuses]))
    for word in query.words:
        statement = statement.where(CASE.c.search_text.contains(f" {word}", autoescape=True))
    if query.updated_before is not None:
        statement = statement.where(CASE.c.updated_at < query.updated_before)
    if query.judgement is not None:
        statement = statement.where(CASE.c.judgement == str(query.judgement))
    return _listed(statement, query)


def _listed(statement: Select[Any], query: CaseQuery) -> Select[Any]:
    if query.source:
        statement = statement.where(CASE.c.source == query.source)
    if query.priority is not None:
        statement = statement.where(CASE.c.priority == str(query.priority))
    if query.opened_from is not None:
        statement = statement.where(CASE.c.created_at >= query.opened_from)
    if query.opened_before is not None:
        statement = statement.where(CASE.c.created_at < query.opened_before)
    if query.team:
        # LIKE would not do: one of the databases takes capitals for small letters there.
        statement = statement.where(func.replace(CASE.c.teams, f" {query.team} ", "") != CASE.c.teams)
    if not query.archived:
        statement = statement.where(CASE.c.archived_at.is_(None))
    if query.no_empty_before is not None:
        statement = statement.where(or_(CASE.c.turns > 0, CASE.c.created_at >= query.no_empty_before))
    return statement
