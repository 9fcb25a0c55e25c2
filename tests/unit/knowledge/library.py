"""A whole knowledge context over memory backends that can be killed, taken away, and looked into."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from inspect import isasyncgenfunction, iscoroutinefunction
from pathlib import Path
from typing import Any, Self

from faultmaven.composition.compute import tools
from faultmaven_adapters.blobs.memory import MemoryBlobStore
from faultmaven_adapters.embedding.hashing import HashingEmbedder
from faultmaven_adapters.extraction.document_files import LocalDocumentFiles
from faultmaven_adapters.extraction.in_process import InProcessDocumentReader
from faultmaven_adapters.sql.memory import MemoryStorage
from faultmaven_adapters.vectors.memory import MemoryVectorStore
from faultmaven_core import codec
from faultmaven_core.analysis.extract.tools import Tools
from faultmaven_core.cases.service import CaseService
from faultmaven_core.jobs.context import Handler, JobContext
from faultmaven_core.jobs.model import Job, JobState
from faultmaven_core.jobs.ports import JobQuery
from faultmaven_core.jobs.runner import JobRunner
from faultmaven_core.knowledge import vectors
from faultmaven_core.knowledge.model import Document, DocumentState, KnowledgeScope, Tier, chunk_of
from faultmaven_core.knowledge.operations import OPERATIONS
from faultmaven_core.knowledge.ports import DocumentQuery
from faultmaven_core.knowledge.service import KnowledgeService
from faultmaven_core.ports.blobs import BlobStore
from faultmaven_core.ports.embedding import Embedder
from faultmaven_core.ports.vectors import CollectionMissingError, Scope, VectorStore
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.ids import OrganizationId, RandomIds, UserId
from faultmaven_core.shared.operation import Operation

ACME, OTHER = OrganizationId("acme"), OrganizationId("other")
ANN = Caller(ACME, UserId("ann"))
BOB = Caller(ACME, UserId("bob"))
EVE = Caller(OTHER, UserId("ann"))
GLOBAL = KnowledgeScope(Tier.GLOBAL)


@cache
def _tools() -> Tools:
    return tools()


class Watched:
    """Stands in front of a port and tells of every call before it is made; a telling that raises prevents the call."""

    def __init__(self, target: Any, tell: Callable[[str], None]) -> None:
        self._target, self._tell = target, tell

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not callable(found):
            return found
        title = f"{type(self._target).__name__}.{name}"

        async def awaited(*args: Any, **named: Any) -> Any:
            self._tell(title)
            return await found(*args, **named)

        def called(*args: Any, **named: Any) -> Any:
            self._tell(title)
            return found(*args, **named)

        return awaited if iscoroutinefunction(found) and not isasyncgenfunction(found) else called


class Unit:
    """A unit of work whose commits are told of."""

    def __init__(self, unit: Any, tell: Callable[[str], None]) -> None:
        self._unit, self._tell = unit, tell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)

    async def __aenter__(self) -> Self:
        self._tell("unit")
        await self._unit.__aenter__()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._unit.__aexit__(*raised)

    async def commit(self) -> None:
        """Tell before and after: a commit may be lost, and so may the news of it."""
        self._tell("commit")
        await self._unit.commit()
        self._tell("committed")


class Library:
    """The service over stores that outlive it, with its jobs."""

    def __init__(self, *, embedder: Embedder | None) -> None:
        self.clock = FixedClock(datetime.now(UTC))  # as the blob store has it, whose blobs age by the real time
        self.ids = RandomIds(self.clock)
        self.storage = MemoryStorage("", self.clock, self.ids, lambda _: None)
        self.blobs: BlobStore = MemoryBlobStore()
        self.vectors: VectorStore = MemoryVectorStore()
        self.embedder = embedder
        self.files = LocalDocumentFiles()
        self.known = ""
        self.tell: Callable[[str], None] = lambda _: None
        self.cases = CaseService(self.storage.cases, self.clock, self.ids)
        self.service = self.begun()

    def begun(self) -> KnowledgeService:
        """The service of a new process over the same stores."""

        def tell(what: str) -> None:
            self.tell(what)

        self.service = KnowledgeService(
            lambda *args, **named: Unit(self.storage.knowledge(*args, **named), tell),
            self.cases,
            self.files,
            InProcessDocumentReader(_tools()),
            Watched(self.blobs, tell),
            Watched(self.vectors, tell),
            Watched(self.embedder, tell) if self.embedder else None,
            self.clock,
            self.ids,
        )
        return self.service

    async def run_jobs(self) -> int:
        """Run all jobs that are due, as a worker does; how many."""
        known: Mapping[str, Handler] = {operation.name: self._handler(operation) for operation in OPERATIONS}
        return await JobRunner(self.storage.jobs, known, self.clock, self.ids, lambda: 0.0).run_due()

    def _handler(self, operation: Operation[KnowledgeService, Any, Any]) -> Handler:
        async def handle(payload: bytes, context: JobContext) -> object:
            command = codec.decode(operation.command, payload)
            return await operation.work(self.service, command, context.caller, context.progress)

        return handle

    async def jobs(self, state: JobState) -> list[Job]:
        """The organization's jobs in a state."""
        async with self.storage.job_units(ACME, read_only=True) as unit:
            return list((await unit.jobs.page(JobQuery((state,)), after=None, limit=1000)).items)

    async def documents(
        self, organization: OrganizationId = ACME, scope: KnowledgeScope = GLOBAL
    ) -> dict[str, Document]:
        """All of a scope that are not deleted, by the last part of their name."""
        async with self.storage.knowledge(organization, read_only=True) as unit:
            page = await unit.knowledge.page(DocumentQuery([scope]), after=None, limit=1000)
        return {document.name.rpartition("/")[2]: document for document in page.items}

    async def by_name(self, name: str, scope: KnowledgeScope = GLOBAL) -> Document:
        """The document with this name."""
        async with self.storage.knowledge(ACME, read_only=True) as unit:
            return (await unit.knowledge.by_name(scope, [name]))[name]

    def fingerprint(self) -> str:
        """The embedder's."""
        return self.embedder.fingerprint if self.embedder else ""

    async def texts(self, document: Document) -> str:
        """A document's text, from its chunks."""
        async with self.storage.knowledge(document.organization, read_only=True) as unit:
            return "".join(chunk.text for chunk in await unit.knowledge.chunks(document.key))

    async def embedded(self, organization: OrganizationId = ACME, tier: Tier = Tier.GLOBAL) -> dict[str, set[int]]:
        """The numbers of the chunks that have a vector, by document key."""
        found: dict[str, set[int]] = {}
        if self.embedder is None:
            return found
        scope = Scope(vectors.collection(tier, self.embedder.fingerprint), organization)
        try:
            async for vector_id in self.vectors.scan(scope):
                key, number = chunk_of(vector_id)
                found.setdefault(key.hex, set()).add(number)
        except CollectionMissingError:
            return {}
        return found

    async def originals(self, organization: OrganizationId = ACME) -> set[str]:
        """The keys of stored originals."""
        return {str(info.key) async for info in self.blobs.list(f"{organization}/knowledge/")}

    async def state(self) -> dict[str, object]:
        """All that a person could tell apart: documents with their text, and whether vectors and originals fit them."""
        documents = await self.documents()
        embedded = await self.embedded()
        originals = await self.originals()
        known = {
            name: (d.state, d.title, d.tags, d.sha256, d.problem, d.chunks, d.words, await self.texts(d))
            for name, d in documents.items()
        }
        ready = [d for d in documents.values() if d.state is DocumentState.READY]
        fingerprint = self.fingerprint()
        return {
            "documents": known,
            "all embedded": all(d.embedded == fingerprint for d in ready),
            "vectors fit": embedded == ({d.key.hex: set(range(d.chunks)) for d in ready} if fingerprint else {}),
            "originals fit": originals == {d.blob for d in documents.values()},
        }


@asynccontextmanager
async def library(*, embedder: Embedder | None) -> AsyncIterator[Library]:
    """A library that is closed at the end."""
    made = Library(embedder=embedder)
    await made.storage.start()
    try:
        yield made
    finally:
        await made.files.aclose()
        await made.storage.aclose()


def hashed() -> AbstractAsyncContextManager[Library]:
    """A library with the embedder of tests."""
    return library(embedder=HashingEmbedder(64))


def write(folder: Path, **texts: str) -> None:
    """Files `NAME.md` with these texts."""
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(text)
