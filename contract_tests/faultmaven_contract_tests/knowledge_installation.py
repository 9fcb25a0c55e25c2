"""The whole knowledge context over the ports of a binding, with the jobs that it asks for."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from faultmaven_contract_tests.samples import Storage
from faultmaven_core import codec
from faultmaven_core.cases.service import CaseService
from faultmaven_core.jobs.context import Handler, JobContext
from faultmaven_core.jobs.runner import JobRunner
from faultmaven_core.knowledge.operations import OPERATIONS
from faultmaven_core.knowledge.ports import DocumentFiles, Found, FoundDocument, Scratch
from faultmaven_core.knowledge.service import KnowledgeService
from faultmaven_core.ports.blobs import BlobStore
from faultmaven_core.ports.document_reader import DocumentReader, DocumentReading, ReadDocument, UnreadableDocumentError
from faultmaven_core.ports.embedding import Embedder
from faultmaven_core.ports.vectors import Embedding, VectorStore
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import NotFoundError
from faultmaven_core.shared.ids import RandomIds


class Shelf(DocumentFiles, Scratch, DocumentReader, DocumentReading):
    """Files in memory, as source, as scratch and as what reads them: a first line `broken` cannot be read."""

    def __init__(self) -> None:
        self.folders: dict[str, dict[str, str]] = {}
        self._scratch: dict[str, bytes] = {}

    async def find(self, path: str) -> Found:
        """The files of a folder, all of one size and time."""
        files = self.folders[path]
        found = [
            FoundDocument(f"{path}/{name}", f"{path}/{name}", len(text), 1) for name, text in sorted(files.items())
        ]
        return Found(path, tuple(found))

    async def chunks(self, path: str) -> AsyncGenerator[bytes, None]:
        """One block."""
        folder, _, name = path.rpartition("/")
        yield self.folders[folder][name].encode()

    @asynccontextmanager
    async def scratch(self) -> AsyncIterator[Scratch]:
        """Itself."""
        yield self

    async def write(self, chunks: AsyncIterable[bytes]) -> str:
        """Under the next number."""
        path = str(len(self._scratch))
        self._scratch[path] = b"".join([chunk async for chunk in chunks])
        return path

    async def remove(self, path: str) -> None:
        """Emptied: the number stays taken."""
        self._scratch[path] = b""

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[DocumentReading]:
        """Itself."""
        yield self

    async def read(self, path: str, name: str, media_type: str) -> ReadDocument:
        """The text as it is."""
        text = self._scratch[path].decode()
        if text.startswith("broken"):
            raise UnreadableDocumentError(f"{name} was not read: {text.strip()}.")
        return ReadDocument(text)


class Letters(Embedder):
    """Texts by how often each letter stands in them: enough to be close, and quick on every machine."""

    fingerprint, dimension = "letters:1", 26

    async def embed(self, texts: Any, purpose: Any = None) -> list[Embedding]:
        """Never without a direction."""
        return [
            Embedding.of([1.0 + len(re.findall(chr(97 + letter), text.lower())) for letter in range(26)])
            for text in texts
        ]

    async def ping(self) -> None:
        """It is always there."""

    async def inspect(self) -> Any:
        """Nobody asks."""
        raise NotFoundError("Nothing is known of letters.")

    async def aclose(self) -> None:
        """It holds nothing."""


@dataclass
class KnowledgeInstallation:
    """What a binding opens: rows, originals and vectors, with the services over them."""

    storage: Storage
    blobs: BlobStore
    vectors: VectorStore
    clock: Clock
    shelf: Shelf = field(default_factory=Shelf)

    def __post_init__(self) -> None:
        self.ids = RandomIds(self.clock)
        self.cases = CaseService(self.storage.cases, self.clock, self.ids)
        self.service = KnowledgeService(
            self.storage.knowledge,
            self.cases,
            self.shelf,
            self.shelf,
            self.blobs,
            self.vectors,
            Letters(),
            self.clock,
            self.ids,
        )

    async def call(self, name: str, command: object, caller: Caller) -> Any:
        """An operation of the table."""
        operation = next(operation for operation in OPERATIONS if operation.name == name)
        return await operation.call(self.service, command, caller)

    async def run_jobs(self) -> None:
        """All that are due, whoever asked for them."""

        def handler(name: str) -> Handler:
            async def handle(payload: bytes, context: JobContext) -> object:
                operation = next(operation for operation in OPERATIONS if operation.name == name)
                return await self.call(name, codec.decode(operation.command, payload), context.caller)

            return handle

        known: Mapping[str, Handler] = {operation.name: handler(operation.name) for operation in OPERATIONS}
        await JobRunner(self.storage.jobs, known, self.clock, self.ids, lambda: 0.0).run_due()
