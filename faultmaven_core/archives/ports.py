"""What archives need: a database in which a case and its evidence are one, and a place to put an archive down."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterable
from contextlib import AbstractAsyncContextManager
from typing import BinaryIO, Protocol

from faultmaven_core.cases.model import Case
from faultmaven_core.cases.ports import CaseUnitOfWork
from faultmaven_core.evidence.ports import EvidenceUnitOfWork
from faultmaven_core.ports.transactions import UnitOfWorkFactory
from faultmaven_core.shared.ids import CaseId


class ArchiveUnitOfWork(CaseUnitOfWork, EvidenceUnitOfWork, Protocol):
    """A transaction over cases and their evidence."""

    @abstractmethod
    async def overview(self, case_id: CaseId) -> tuple[Case, int]:
        """A case that is not deleted, and the number of its pieces of evidence. Raises NotFoundError."""


ArchiveUnits = UnitOfWorkFactory[ArchiveUnitOfWork]


class Spool(Protocol):
    """Puts down what comes in order, so that it can be read in any order."""

    @abstractmethod
    def spooled(self, chunks: AsyncIterable[bytes]) -> AbstractAsyncContextManager[BinaryIO]:
        """The content as an open file that nobody else can read; it ends with its context."""
