"""What cases need of a database."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from faultmaven_core.cases.journal import JournalEntry
from faultmaven_core.cases.model import Case, CaseStatus, Judgement
from faultmaven_core.ports.transactions import UnitOfWork, UnitOfWorkFactory
from faultmaven_core.shared.ids import CaseId
from faultmaven_core.shared.page import Page


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record and its exhibits (what reports show of the evidence) as JSON; `sha256` is the record's."""

    body: bytes
    sha256: str
    exhibits: bytes


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """Which cases: of some status and judgement (None = any), unchanged since a moment, with all of `words`.

    Looked for as beginnings of words in title, question and cause; words are as `model.words` gives them.
    """

    statuses: tuple[CaseStatus, ...] = tuple(CaseStatus)
    words: tuple[str, ...] = ()
    updated_before: datetime | None = None
    judgement: Judgement | None = None


class CaseRepository(Protocol):
    """The cases of the unit's organization."""

    @abstractmethod
    async def add(self, case: Case) -> None:
        """Keep a new case. Raises AlreadyExistsError naming the field where key or id are taken."""

    @abstractmethod
    async def get(self, case_id: CaseId) -> Case:
        """The case. Raises NotFoundError, for another organization's too."""

    @abstractmethod
    async def save(self, case: Case) -> None:
        """Keep a changed case; its stored version grows by one.

        Raises StaleVersionError where `case.version` is not the stored one, or the case is gone.
        """

    @abstractmethod
    async def remove(self, case_id: CaseId, version: int) -> None:
        """Remove the case, its records and its journal. Raises StaleVersionError as `save` does."""

    @abstractmethod
    async def page(self, query: CaseQuery, *, after: UUID | None, limit: int) -> Page[Case]:
        """Matching cases, newest first, that were created before the one whose key is `after`."""


class RecordRepository(Protocol):
    """The records of cases, as JSON, byte for byte as they were stored."""

    @abstractmethod
    async def add(self, case_id: CaseId, sequence: int, record: StoredRecord) -> None:
        """Keep a record. Raises AlreadyExistsError where the number is taken, NotFoundError where there is no such case."""

    @abstractmethod
    async def last(self, case_id: CaseId) -> StoredRecord:
        """The record with the highest number. Raises NotFoundError where there is none."""


class JournalRepository(Protocol):
    """The journals of cases."""

    @abstractmethod
    async def add(self, entry: JournalEntry) -> None:
        """Append an entry. Raises AlreadyExistsError where sequence or key are taken, NotFoundError without the case."""

    @abstractmethod
    async def last(self, case_id: CaseId) -> JournalEntry | None:
        """The newest entry; None where there is none."""

    @abstractmethod
    async def has(self, case_id: CaseId, key: UUID) -> bool:
        """Whether an event is in the journal."""

    @abstractmethod
    async def read(self, case_id: CaseId, *, after: int, limit: int) -> Sequence[JournalEntry]:
        """Entries with a higher sequence number than `after`, oldest first."""


class CaseUnitOfWork(UnitOfWork, Protocol):
    """A transaction over cases."""

    cases: CaseRepository
    records: RecordRepository
    journal: JournalRepository


CaseUnits = UnitOfWorkFactory[CaseUnitOfWork]
