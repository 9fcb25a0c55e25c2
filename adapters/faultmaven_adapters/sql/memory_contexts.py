"""The repositories of cases and evidence in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from faultmaven_adapters.sql.memory_tables import MemoryTransaction
from faultmaven_core.cases.dialogue import Message
from faultmaven_core.cases.journal import JournalEntry
from faultmaven_core.cases.model import Case, search_text
from faultmaven_core.cases.ports import (
    CaseQuery,
    CaseRepository,
    CaseSlice,
    JournalRepository,
    MessageRepository,
    RecordRepository,
    StoredRecord,
)
from faultmaven_core.evidence.model import Evidence
from faultmaven_core.evidence.ports import EvidenceRepository
from faultmaven_core.ports.transactions import own
from faultmaven_core.shared.errors import AlreadyExistsError, InvalidInputError, NotFoundError, StaleVersionError
from faultmaven_core.shared.ids import CaseId, EvidenceId, OrganizationId
from faultmaven_core.shared.page import Page, Place


class MemoryCaseRepository(CaseRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._run, self._organization = transaction, organization

    async def add(self, case: Case) -> None:
        own(self._organization, case.organization)
        if (case.organization, case.id) in self._run.tables.cases:
            raise self._run.refused(AlreadyExistsError("There is a row with the same id already."))
        if any(other.key == case.key for other in self._own()):
            raise self._run.refused(AlreadyExistsError("There is a row with the same key already."))
        self._run.tables.cases[case.organization, case.id] = self._in_utc(case)

    async def get(self, case_id: CaseId, *, deleted: bool = False) -> Case:
        found = self._run.tables.cases.get((self._organization, case_id))
        if found is None or (found.deleted_at is not None) is not deleted:
            raise NotFoundError(f"There is no case {case_id}.")
        return found

    async def save(self, case: Case) -> None:
        own(self._organization, case.organization)
        self._at_version(case.id, case.version)
        self._run.tables.cases[self._organization, case.id] = replace(self._in_utc(case), version=case.version + 1)

    async def remove(self, case_id: CaseId, version: int) -> None:
        self._at_version(case_id, version)
        tables = self._run.tables
        del tables.cases[self._organization, case_id]
        for key in [key for key in tables.records if key[:2] == (self._organization, case_id)]:
            del tables.records[key]
        for key in [key for key in tables.journal if key[:2] == (self._organization, case_id)]:
            del tables.journal[key]
        for key in [key for key in tables.messages if key[:2] == (self._organization, case_id)]:
            del tables.messages[key]

    async def page(self, query: CaseQuery, *, after: UUID | None, limit: int) -> Page[Case]:
        found = [case for case in self._own() if _matches(case, query) and (after is None or case.key < after)]
        found = sorted(found, key=lambda case: case.key, reverse=True)
        return Page(tuple(found[:limit]), found[limit - 1].key if len(found) > limit else None)

    async def browse(self, query: CaseQuery, *, offset: int, limit: int, after: Place | None = None) -> CaseSlice:
        every = [case for case in self._own() if _matches(case, query)]
        behind = [case for case in every if after is None or (case.updated_at, case.key) < (after.at, after.key)]
        behind.sort(key=lambda case: (case.updated_at, case.key), reverse=True)
        found = behind[offset : offset + limit]
        return CaseSlice(tuple(found), len(every), len(behind) > offset + limit)

    async def opened_since(self, moment: datetime) -> int:
        return sum(case.created_at >= moment for case in self._own())

    def _own(self) -> list[Case]:
        return [case for (owner, _), case in self._run.tables.cases.items() if owner == self._organization]

    def _in_utc(self, case: Case) -> Case:
        moments = {
            name: getattr(case, name) for name in ("created_at", "updated_at", "closed_at", "deleted_at", "archived_at")
        }
        if any(at is not None and at.tzinfo is None for at in moments.values()):
            raise self._run.refused(InvalidInputError("A time without a zone cannot be stored."))
        return replace(case, **{name: at and at.astimezone(UTC) for name, at in moments.items()})

    def _at_version(self, case_id: CaseId, version: int) -> None:
        found = self._run.tables.cases.get((self._organization, case_id))
        if found is None or found.version != version:
            raise StaleVersionError(f"{case_id} was changed or removed by somebody else; read it again.")


class MemoryRecordRepository(RecordRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._run, self._organization = transaction, organization

    async def add(self, case_id: CaseId, sequence: int, record: StoredRecord) -> None:
        _require(self._run, self._organization, case_id)
        key = (self._organization, case_id, sequence)
        if key in self._run.tables.records:
            raise self._run.refused(AlreadyExistsError("There is a record with the same number already."))
        self._run.tables.records[key] = record

    async def last(self, case_id: CaseId) -> StoredRecord:
        found = [key for key in self._run.tables.records if key[:2] == (self._organization, case_id)]
        if not found:
            raise NotFoundError(f"{case_id} has no record yet; investigate it first.")
        return self._run.tables.records[max(found)]


class MemoryJournalRepository(JournalRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._run, self._organization = transaction, organization

    async def add(self, *entries: JournalEntry) -> None:
        rows = self._run.tables.journal
        taken = {(key[:2], entry.key) for key, entry in rows.items()}
        for entry in entries:
            _require(self._run, self._organization, entry.case_id)
            case = (self._organization, entry.case_id)
            if (*case, entry.sequence) in rows or (case, entry.key) in taken:
                raise self._run.refused(
                    AlreadyExistsError("There is a journal entry with the same number or key already.")
                )
            taken.add((case, entry.key))
            rows[*case, entry.sequence] = entry

    async def last(self, case_id: CaseId) -> JournalEntry | None:
        found = self._of(case_id)
        return found[-1] if found else None

    async def has(self, case_id: CaseId, key: UUID) -> bool:
        return any(entry.key == key for entry in self._of(case_id))

    async def read(self, case_id: CaseId, *, after: int, limit: int) -> Sequence[JournalEntry]:
        return [entry for entry in self._of(case_id) if entry.sequence > after][:limit]

    def _of(self, case_id: CaseId) -> list[JournalEntry]:
        owned = [entry for key, entry in self._run.tables.journal.items() if key[:2] == (self._organization, case_id)]
        return sorted(owned, key=lambda entry: entry.sequence)


class MemoryMessageRepository(MessageRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._run, self._organization = transaction, organization

    async def add(self, messages: Sequence[Message]) -> None:
        rows = self._run.tables.messages
        taken = {(key[:2], message.id) for key, message in rows.items()}
        for message in messages:
            _require(self._run, self._organization, message.case_id)
            case = (self._organization, message.case_id)
            if (*case, message.sequence) in rows or (case, message.id) in taken:
                raise self._run.refused(AlreadyExistsError("There is a message with the same number or id already."))
            taken.add((case, message.id))
            rows[*case, message.sequence] = message

    async def read(self, case_id: CaseId, *, after: int, limit: int) -> Sequence[Message]:
        return [message for message in self._of(case_id) if message.sequence > after][:limit]

    def _of(self, case_id: CaseId) -> list[Message]:
        rows = self._run.tables.messages.items()
        owned = [message for key, message in rows if key[:2] == (self._organization, case_id)]
        return sorted(owned, key=lambda message: message.sequence)


class MemoryEvidenceRepository(EvidenceRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._run, self._organization = transaction, organization

    async def add(self, items: Sequence[Evidence]) -> None:
        for item in items:
            own(self._organization, item.organization)
        rows = self._run.tables.evidence
        taken = {(item.organization, item.key) for item in rows.values()}
        added = {(item.organization, item.id): item for item in items}
        if (
            len(added) < len(items)
            or any(key in rows for key in added)
            or any((item.organization, item.key) in taken for item in items)
        ):
            raise self._run.refused(AlreadyExistsError("There is evidence with the same id or key already."))
        rows.update({(item.organization, item.id): item for item in items})

    async def get(self, case_id: CaseId, evidence_id: EvidenceId) -> Evidence:
        found = self._run.tables.evidence.get((self._organization, evidence_id))
        if found is None or found.case_id != case_id:
            raise NotFoundError(f"{case_id} has no evidence {evidence_id}.")
        return found

    async def save(self, items: Sequence[Evidence]) -> None:
        for item in items:
            own(self._organization, item.organization)
            found = self._run.tables.evidence.get((self._organization, item.id))
            if found is None or (found.version, found.case_id) != (item.version, item.case_id):
                raise StaleVersionError(f"{item.name} was changed or removed by somebody else; read it again.")
            self._run.tables.evidence[self._organization, item.id] = replace(item, version=item.version + 1)

    async def remove(self, items: Sequence[Evidence]) -> None:
        for item in items:
            self._run.tables.evidence.pop((self._organization, item.id), None)

    async def page(self, case_id: CaseId, *, after: UUID | None, limit: int, offset: int = 0) -> Page[Evidence]:
        items = [item for item in await self.of_case(case_id) if after is None or item.key > after][offset:]
        return Page(tuple(items[:limit]), items[limit - 1].key if len(items) > limit else None)

    async def count(self, case_id: CaseId) -> int:
        return len(await self.of_case(case_id))

    async def blobs(self) -> Collection[str]:
        rows = self._run.tables.evidence.items()
        return {item.blob for (owner, _), item in rows if owner == self._organization and item.blob}

    async def of_case(self, case_id: CaseId) -> Sequence[Evidence]:
        rows = self._run.tables.evidence.items()
        owned = [item for (owner, _), item in rows if owner == self._organization and item.case_id == case_id]
        return sorted(owned, key=lambda item: item.key)


def _matches(case: Case, query: CaseQuery) -> bool:
    text = search_text(case)
    return (
        case.deleted_at is None
        and case.status in query.statuses
        and all(f" {word}" in text for word in query.words)
        and (query.updated_before is None or case.updated_at < query.updated_before)
        and query.judgement in {None, case.judgement}
        and query.source in {"", case.source}
        and query.priority in {None, case.priority}
        and (query.opened_from is None or case.created_at >= query.opened_from)
        and (query.opened_before is None or case.created_at < query.opened_before)
        and (not query.team or query.team in case.teams)
        and (query.archived or case.archived_at is None)
        and (query.no_empty_before is None or case.turns > 0 or case.created_at >= query.no_empty_before)
    )


def _require(run: MemoryTransaction, organization: OrganizationId, case_id: CaseId) -> None:
    if (organization, case_id) not in run.tables.cases:
        raise run.refused(NotFoundError("What this belongs to does not exist."))
