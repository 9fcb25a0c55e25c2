"""Rows in memory with real transactions: a unit works on copies, and its commit puts them in the place of the originals."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self
from uuid import UUID

from faultmaven_adapters.sql.memory_identity_tables import IdentityTables
from faultmaven_adapters.sql.outbox import CollectingOutbox
from faultmaven_core.cases.dialogue import Message
from faultmaven_core.cases.journal import JournalEntry
from faultmaven_core.cases.model import Case
from faultmaven_core.cases.ports import StoredRecord
from faultmaven_core.evidence.model import Evidence
from faultmaven_core.evidence.uploads import Upload
from faultmaven_core.jobs.model import Job
from faultmaven_core.knowledge.model import Chunk, Document
from faultmaven_core.ports.job_queue import Notify
from faultmaven_core.ports.transactions import Answer, AnswerRepository, UnitOfWork, own
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import (
    AlreadyExistsError,
    BackendUnavailableError,
    ConflictError,
    FaultMavenError,
)
from faultmaven_core.shared.ids import OrganizationId

MOST_SWEPT = 100

WAIT_SECONDS = 5
"""How long a writing unit waits for the one before it."""


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job with what its row says besides."""

    job: Job
    dedupe_key: str
    notified_at: datetime

    def holds_key(self, organization: str, key: str) -> bool:
        """Whether this job is the open one of a key."""
        own = self.job.caller.organization == organization and self.job.due_at is not None
        return own and self.dedupe_key == key != ""


@dataclass(frozen=True, slots=True)
class Tables:
    """All rows by key, the organization first."""

    cases: dict[tuple[str, str], Case] = field(default_factory=dict)
    records: dict[tuple[str, str, int], StoredRecord] = field(default_factory=dict)
    journal: dict[tuple[str, str, int], JournalEntry] = field(default_factory=dict)
    messages: dict[tuple[str, str, int], Message] = field(default_factory=dict)
    evidence: dict[tuple[str, str], Evidence] = field(default_factory=dict)
    uploads: dict[tuple[str, str], Upload] = field(default_factory=dict)
    documents: dict[tuple[str, UUID], Document] = field(default_factory=dict)
    chunks: dict[tuple[str, UUID], tuple[Chunk, ...]] = field(default_factory=dict)
    jobs: dict[UUID, JobRow] = field(default_factory=dict)
    answers: dict[tuple[str, str, str], Answer] = field(default_factory=dict)
    identity: IdentityTables = field(default_factory=IdentityTables)

    def copy(self) -> Tables:
        """Tables that can be changed without these noticing; the rows themselves are immutable."""
        return Tables(
            dict(self.cases),
            dict(self.records),
            dict(self.journal),
            dict(self.messages),
            dict(self.evidence),
            dict(self.uploads),
            dict(self.documents),
            dict(self.chunks),
            dict(self.jobs),
            dict(self.answers),
            self.identity.copy(),
        )


class MemoryDatabase:
    """The committed rows, and the lock that writers take one after another."""

    def __init__(self) -> None:
        self.tables = Tables()
        self.lock = asyncio.Lock()


class MemoryTransaction:
    """What repositories read and write; refuses to after the unit ended."""

    def __init__(self, database: MemoryDatabase, *, read_only: bool) -> None:
        self._database, self._read_only = database, read_only
        self._tables: Tables | None = None
        self._used = self._failed = False

    @property
    def tables(self) -> Tables:
        """The rows as this unit sees them."""
        if self._tables is None:
            raise ConflictError("This unit of work has ended.")
        if self._failed:
            raise ConflictError("This unit of work has failed; nothing of it is kept.")
        return self._tables

    def refused(self, error: FaultMavenError) -> FaultMavenError:
        """The error of a row that cannot be kept; the unit can only be left then, as with a real database."""
        self._failed = True
        return error

    async def begin(self) -> None:
        """See UnitOfWork."""
        if self._used:
            raise ConflictError("A unit of work is used once; make a new one.")
        self._used = True
        if not self._read_only:
            try:
                await asyncio.wait_for(self._database.lock.acquire(), WAIT_SECONDS)
            except TimeoutError as error:
                raise BackendUnavailableError("Another unit of work holds the database.") from error
        self._tables = self._database.tables.copy()

    def commit(self) -> None:
        """See UnitOfWork."""
        tables = self.tables
        if self._read_only:
            raise ConflictError("A read-only unit of work has nothing to commit.")
        self._database.tables = tables
        self.end()

    def end(self) -> None:
        """Drop what was not committed."""
        if self._tables is not None:
            self._tables = None
            if not self._read_only:
                self._database.lock.release()


class MemoryAnswerRepository(AnswerRepository):
    """See the port."""

    def __init__(self, transaction: MemoryTransaction, organization: OrganizationId) -> None:
        self._run, self._organization = transaction, organization

    async def find(self, caller: Caller) -> Answer | None:
        return self._run.tables.answers.get((self._organization, caller.user, caller.request_key))

    async def add(self, caller: Caller, answer: Answer) -> None:
        own(self._organization, caller.organization)
        key = (self._organization, caller.user, caller.request_key)
        if key in self._run.tables.answers:
            raise self._run.refused(AlreadyExistsError("There is a row with the same user_id and request_key already."))
        self._run.tables.answers[key] = answer

    async def sweep(self, before: datetime) -> int:
        rows = self._run.tables.answers
        old = [key for key, answer in rows.items() if key[0] == self._organization and answer.at < before][:MOST_SWEPT]
        for key in old:
            del rows[key]
        return len(old)


class MemoryUnitOfWork(UnitOfWork):
    """The shape that all contexts' units share."""

    def __init__(
        self, transaction: MemoryTransaction, outbox: CollectingOutbox, notify: Notify, organization: OrganizationId
    ) -> None:
        self.transaction = transaction
        self.answers = MemoryAnswerRepository(transaction, organization)
        self.outbox: CollectingOutbox = outbox
        self._notify = notify

    async def __aenter__(self) -> Self:
        await self.transaction.begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.transaction.end()

    async def commit(self) -> None:
        self.transaction.commit()
        if self.outbox.asked:
            self._notify(self.outbox.asked)
