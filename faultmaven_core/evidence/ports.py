"""What evidence needs: a database, the machine's files, and to know that a case is open."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from faultmaven_core.analysis.model import Role, Span
from faultmaven_core.evidence.model import Evidence, State
from faultmaven_core.evidence.uploads import UploadRepository
from faultmaven_core.ports.extraction_runner import Input, Place
from faultmaven_core.ports.transactions import UnitOfWork, UnitOfWorkFactory
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.ids import CaseId, EvidenceId
from faultmaven_core.shared.page import Page

ReadSpan = Callable[[Span], bytes]
"""The bytes that stand at a span. Raises NotFoundError where the source is gone, CorruptDataError where it changed."""


class EvidenceRepository(Protocol):
    """The evidence of the unit's organization."""

    @abstractmethod
    async def add(self, items: Sequence[Evidence]) -> None:
        """Keep new evidence. Raises AlreadyExistsError where a key or id is taken; then none is kept."""

    @abstractmethod
    async def get(self, case_id: CaseId, evidence_id: EvidenceId) -> Evidence:
        """One piece of a case's evidence. Raises NotFoundError, for another organization's or case's too."""

    @abstractmethod
    async def save(self, items: Sequence[Evidence]) -> None:
        """Keep changed evidence; each stored version grows by one. Raises StaleVersionError as soon as one lost a race."""

    @abstractmethod
    async def remove(self, items: Sequence[Evidence]) -> None:
        """Remove evidence; what is gone already is no error."""

    @abstractmethod
    async def page(self, case_id: CaseId, *, after: UUID | None, limit: int, offset: int = 0) -> Page[Evidence]:
        """A case's evidence, oldest first, from the one after `after` on and without the first `offset` of these."""

    @abstractmethod
    async def count(self, case_id: CaseId) -> int:
        """How many pieces a case has."""

    @abstractmethod
    async def blobs(self) -> Collection[str]:
        """The keys of all copies that the organization's evidence names."""

    @abstractmethod
    async def of_case(self, case_id: CaseId) -> Sequence[Evidence]:
        """All evidence of a case, oldest first."""


class EvidenceUnitOfWork(UnitOfWork, Protocol):
    """A transaction over evidence."""

    evidence: EvidenceRepository
    uploads: UploadRepository


EvidenceUnits = UnitOfWorkFactory[EvidenceUnitOfWork]


class CaseDirectory(Protocol):
    """What the evidence context asks of the cases."""

    @abstractmethod
    async def require(self, case_id: str, caller: Caller) -> None:
        """Raises NotFoundError where there is no such case."""

    @abstractmethod
    async def require_open(self, case_id: str, caller: Caller) -> None:
        """Raises NotFoundError where there is no such case, PreconditionFailedError where it has ended."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file to add, with its size and time of change as they are now."""

    input: Input
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file as it is at a moment: its path, size in bytes and time of change in nanoseconds since the epoch."""

    path: str
    size: int
    modified_ns: int


class Scratch(Protocol):
    """A private folder that ends with its context."""

    @abstractmethod
    async def write(self, chunks: AsyncIterable[bytes]) -> FileStamp:
        """A new file with this content."""


class EvidenceFiles(Protocol):
    """The files of the machine that the investigation runs on."""

    @abstractmethod
    async def find(self, path: str, role: Role) -> Sequence[FoundFile]:
        """The file at a path, or every file under a folder, by name; what cannot be read has its `problem` set."""

    @abstractmethod
    async def state(self, path: str, size: int, modified_ns: int) -> tuple[State, str]:
        """Whether a file is still the one with this size and time, and a sentence where it is not."""

    @abstractmethod
    def chunks(self, path: str) -> AsyncGenerator[bytes, None]:
        """A file's content in blocks.

        Raises NotFoundError, PermissionDeniedError, or CorruptDataError (a disk that fails) naming the file.
        """

    @abstractmethod
    def scratch(self) -> AbstractAsyncContextManager[Scratch]:
        """A new private folder."""

    @abstractmethod
    def reader(self, places: Sequence[Place]) -> AbstractAsyncContextManager[ReadSpan]:
        """Reads spans of sources by the places where they stand. Its errors are those of ReadSpan."""
