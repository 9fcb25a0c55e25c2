"""Rows in memory with real transactions: a unit works on copies, and its commit puts them in the place of the originals."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self
from uuid import UUID

from faultmaven_adapters.sql.outbox import CollectingOutbox
from faultmaven_core.cases.journal import JournalEntry
from faultmaven_core.cases.model import Case
from faultmaven_core.cases.ports import StoredRecord
from faultmaven_core.evidence.model import Evidence
from faultmaven_core.jobs.model import Job
from faultmaven_core.ports.job_queue import Notify
from faultmaven_core.ports.transactions import UnitOfWork
from faultmaven_core.shared.errors import BackendUnavailableError, ConflictError

WAIT_SECONDS = 5
"""How long a writing unit waits for the one before it."""


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job with what its row says besides."""

    job: Job
    dedupe_key: str
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tables:
    """All rows by key, the organization first."""

    cases: dict[tuple[str, str], Case] = field(default_factory=dict)
    records: dict[tuple[str, str, int], StoredRecord] = field(default_factory=dict)
    journal: dict[tuple[str, str, int], JournalEntry] = field(default_factory=dict)
    evidence: dict[tuple[str, str], Evidence] = field(default_factory=dict)
    jobs: dict[UUID, JobRow] = field(default_factory=dict)

    def copy(self) -> Tables:
        """Tables that can be changed without these noticing; the rows themselves are immutable."""
        return Tables(dict(self.cases), dict(self.records), dict(self.journal), dict(self.evidence), dict(self.jobs))


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
        self._used = False

    @property
    def tables(self) -> Tables:
        """The rows as this unit sees them."""
        if self._tables is None:
            raise ConflictError("This unit of work has ended.")
        return self._tables

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
        self._database.tables = self.tables
        self.end()

    def end(self) -> None:
        """Drop what was not committed."""
        if self._tables is not None:
            self._tables = None
            if not self._read_only:
                self._database.lock.release()


class MemoryUnitOfWork(UnitOfWork):
    """The shape that all contexts' units share."""

    def __init__(self, transaction: MemoryTransaction, outbox: CollectingOutbox, notify: Notify) -> None:
        self.transaction = transaction
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
