"""What investigations need of the other contexts; their services satisfy it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from faultmaven_core.cases.commands import (
    BeginInvestigation,
    CasePage,
    CaseView,
    ListCases,
    ReadReport,
    ShowCase,
    StoredReport,
    StoreRecord,
)
from faultmaven_core.cases.turn_commands import (
    AddNotice,
    Asked,
    KeepTurn,
    MessagePage,
    MessageView,
    ReadMessages,
    TurnKept,
)
from faultmaven_core.evidence.commands import (
    AddContent,
    ClassifyEvidence,
    DeleteEvidence,
    EvidenceDeleted,
    EvidenceDetail,
    EvidencePage,
    EvidenceView,
    KeepReading,
    ListEvidence,
    SearchEvidence,
    ShowEvidence,
)
from faultmaven_core.evidence.commands import SearchResult as LinesFound
from faultmaven_core.evidence.custody import CheckedOut
from faultmaven_core.knowledge.commands import SearchKnowledge, SearchResult
from faultmaven_core.ports.extraction_runner import Extracted, Progress
from faultmaven_core.shared.caller import Caller

Watch = Callable[[Progress | Extracted], None]
"""Is told on the event loop how the reading goes, and of each source as soon as it was read."""


class CaseBook(Protocol):
    """The case as an investigation changes it, and the cases before it."""

    @abstractmethod
    async def begin(self, command: BeginInvestigation, caller: Caller) -> CaseView:
        """Start or resume."""

    @abstractmethod
    async def store(self, command: StoreRecord, caller: Caller) -> CaseView:
        """Keep the conclusion."""

    @abstractmethod
    async def report(self, command: ReadReport, caller: Caller) -> StoredReport:
        """The last conclusion. Raises NotFoundError before the first."""

    @abstractmethod
    async def show(self, command: ShowCase, caller: Caller) -> CaseView:
        """One case."""

    @abstractmethod
    async def list(self, command: ListCases, caller: Caller) -> CasePage:
        """A page of cases."""

    @abstractmethod
    async def messages(self, command: ReadMessages, caller: Caller) -> MessagePage:
        """What was said, oldest first."""

    @abstractmethod
    async def answered(self, asked: Asked, caller: Caller) -> TurnKept | None:
        """The turn that was kept under the caller's request key before."""

    @abstractmethod
    async def keep_turn(self, command: KeepTurn, caller: Caller) -> TurnKept:
        """Keep a turn. Raises CaseChangedError where another one came first."""

    @abstractmethod
    async def notify(self, command: AddNotice, caller: Caller) -> MessageView:
        """Add a message of the system, outside of turns."""


class EvidenceReader(Protocol):
    """The evidence as an investigation reads it."""

    @abstractmethod
    def checkout(self, case_id: str, caller: Caller) -> AbstractAsyncContextManager[CheckedOut]:
        """All evidence of a case as local files."""

    @abstractmethod
    async def keep_reading(self, command: KeepReading, caller: Caller) -> None:
        """Keep what was seen."""

    @abstractmethod
    async def add_content(self, command: AddContent, chunks: AsyncIterable[bytes], caller: Caller) -> EvidenceView:
        """Keep a copy of content. Raises TooLargeError, PreconditionFailedError where the case has ended."""

    @abstractmethod
    async def list(self, command: ListEvidence, caller: Caller) -> EvidencePage:
        """A page of a case's evidence."""

    @abstractmethod
    async def show(self, command: ShowEvidence, caller: Caller) -> EvidenceDetail:
        """One piece, and what was read of it."""

    @abstractmethod
    async def search(self, command: SearchEvidence, caller: Caller) -> LinesFound:
        """Lines of what was read."""

    @abstractmethod
    async def classify(self, command: ClassifyEvidence, caller: Caller) -> EvidenceView:
        """Take a person's word for what a file is."""

    @abstractmethod
    async def delete(self, command: DeleteEvidence, caller: Caller) -> EvidenceDeleted:
        """Take a piece off its case."""

    @abstractmethod
    async def was_deleted(self, caller: Caller) -> bool:
        """Whether a piece was taken off its case under the caller's request key."""


class KnowledgeSearch(Protocol):
    """The knowledge as an investigation asks it."""

    @abstractmethod
    async def search(self, command: SearchKnowledge, caller: Caller) -> SearchResult:
        """Find passages. Raises BackendError where a store is down that the search needs."""
