"""What cases need of a database."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from faultmaven_core.cases.dialogue import Message
from faultmaven_core.cases.journal import JournalEntry
from faultmaven_core.cases.model import Case, CaseStatus, Judgement, Priority
from faultmaven_core.ports.transactions import UnitOfWork, UnitOfWorkFactory
from faultmaven_core.shared.errors import ConflictError
from faultmaven_core.shared.ids import CaseId
from faultmaven_core.shared.page import Page, Place


class CaseChangedError(ConflictError):
    """The case is not as the caller saw it: read it again, then decide anew. Versions are those of the case."""

    code = "case_version_conflict"

    def __init__(self, case_id: str, *, expected: int, actual: int) -> None:
        super().__init__(f"{case_id} was changed by somebody else meanwhile; read it again, then repeat.")
        self.expected, self.actual = expected, actual


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record and its exhibits (what reports show of the evidence) as JSON; `sha256` is the record's."""

    body: bytes
    sha256: str
    exhibits: bytes


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """Which cases: of some status and judgement (None = any), unchanged since a moment, with all of `words`.

    Looked for as beginnings of words in title, question and cause; words are as `model.words` gives them. Of a `source` and
    `priority` (empty, None = any), opened between two moments (the second exclusive). Cases without a turn that were opened
    before `no_empty_before` are left out, archived ones unless `archived`. `team` is one that they are shared with.
    """

    statuses: tuple[CaseStatus, ...] = tuple(CaseStatus)
    words: tuple[str, ...] = ()
    updated_before: datetime | None = None
    judgement: Judgement | None = None
    source: str = ""
    priority: Priority | None = None
    opened_from: datetime | None = None
    opened_before: datetime | None = None
    no_empty_before: datetime | None = None
    team: str = ""
    archived: bool = True


@dataclass(frozen=True, slots=True)
class CaseSlice:
    """Some of the matching cases, whether `more` follow, and how many there are in all."""

    items: tuple[Case, ...]
    total: int
    more: bool = False


class CaseRepository(Protocol):
    """The cases of the unit's organization. A deleted one is found by `get` with `deleted` alone, and by nothing else."""

    @abstractmethod
    async def add(self, case: Case) -> None:
        """Keep a new case. Raises AlreadyExistsError naming the field where key or id are taken."""

    @abstractmethod
    async def get(self, case_id: CaseId, *, deleted: bool = False) -> Case:
        """The case; with `deleted` one that is deleted. Raises NotFoundError, for another organization's too."""

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

    @abstractmethod
    async def browse(self, query: CaseQuery, *, offset: int, limit: int, after: Place | None = None) -> CaseSlice:
        """Matching cases, the last changed first, without the first `offset` of them.

        With `after` only those that stand behind a place; one that is changed meanwhile moves before it.
        """

    @abstractmethod
    async def opened_since(self, moment: datetime) -> int:
        """How many cases were opened from a moment on, deleted ones too."""


class MessageRepository(Protocol):
    """What was said about cases; it only grows."""

    @abstractmethod
    async def add(self, messages: Sequence[Message]) -> None:
        """Append messages of one case.

        Raises AlreadyExistsError where a place or id is taken, NotFoundError where there is no such case.
        """

    @abstractmethod
    async def read(self, case_id: CaseId, *, after: int, limit: int) -> Sequence[Message]:
        """Messages from the place after `after` on, oldest first."""


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
    async def add(self, *entries: JournalEntry) -> None:
        """Append entries of one case. Raises AlreadyExistsError where sequence or key are taken, NotFoundError without the case."""

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
    messages: MessageRepository


CaseUnits = UnitOfWorkFactory[CaseUnitOfWork]
