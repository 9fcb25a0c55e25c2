"""The jobs that read originals and embed what was read. Each step ends in a commit, so a job that is killed goes on.

In this order: the row names the original; chunks and what is known of the text are committed together, and found by words
from then on; vectors are stored; the row says that they are. What a repeated job finds done it does not do again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from types import NoneType
from uuid import UUID

from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge import model, requests
from faultmaven_core.knowledge.access import Access
from faultmaven_core.knowledge.chunking import cut
from faultmaven_core.knowledge.front_matter import described
from faultmaven_core.knowledge.index import VectorIndex
from faultmaven_core.knowledge.model import Chunk, Document, DocumentState
from faultmaven_core.knowledge.originals import Originals
from faultmaven_core.knowledge.ports import DocumentFiles, KnowledgeUnitOfWork, KnowledgeUnits, Scratch
from faultmaven_core.knowledge.removal import Removal
from faultmaven_core.ports.blobs import BlobNotFoundError
from faultmaven_core.ports.document_reader import DocumentReader, DocumentReading, UnreadableDocumentError
from faultmaven_core.ports.embedding import MOST_TEXTS
from faultmaven_core.ports.writes import Writes
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.operation import Watch

MOST_EMBEDDED = 500
"""Documents that one job embeds; further ones are another job's, so that none reaches its time limit."""


class Ingestion:
    """Reads and embeds documents."""

    def __init__(
        self,
        units: KnowledgeUnits,
        access: Access,
        removal: Removal,
        originals: Originals,
        files: DocumentFiles,
        reader: DocumentReader,
        index: VectorIndex,
        clock: Clock,
    ) -> None:
        self._units, self._access, self._removal = units, access, removal
        self._originals, self._files = originals, files
        self._reader, self._index, self._clock = reader, index, clock
        self._write = Writes(units, clock)

    async def ingest(self, command: c.IngestDocuments, caller: Caller, watch: Watch) -> c.DocumentsIngested:
        """Read documents, then embed them. Documents that are gone or were changed since are left to other jobs."""
        keys = [UUID(hex=key) for key in command.documents]
        caller = replace(caller, request_key="")  # a repeated step must look again, not repeat an answer
        await self._leave_gone_cases(keys, caller)
        to_read = [
            document
            for document in await self._documents(keys, caller)
            if document.state is DocumentState.PENDING
            or (command.again and document.state in (DocumentState.READY, DocumentState.FAILED))
        ]
        failed = 0
        async with self._reader.reading() as reading, self._files.scratch() as scratch:
            for number, document in enumerate(to_read):
                watch(number, len(keys), f"reading {document.name}")
                failed += not await self._read(document, reading, scratch, caller)
        embedded = await self._embed(await self._documents(keys, caller), caller, watch)
        watch(len(keys), len(keys), "")
        return c.DocumentsIngested(len(to_read) - failed, failed, embedded)

    async def embed(self, command: c.EmbedKnowledge, caller: Caller, watch: Watch) -> c.KnowledgeEmbedded:
        """Embed what is not embedded, and ask for another job where that is much."""
        if not self._index.fingerprint:
            return c.KnowledgeEmbedded(0, more=False)
        async with self._units(caller.organization, read_only=True) as unit:
            found = await unit.knowledge.not_embedded(self._index.fingerprint, MOST_EMBEDDED + 1)
        idle_since = self._clock.now() - timedelta(seconds=command.idle_seconds)
        left = [document for document in found if document.updated_at <= idle_since]
        more = len(left) > MOST_EMBEDDED
        caller = replace(caller, request_key="")  # as above
        embedded = await self._embed(left[:MOST_EMBEDDED], caller, watch)

        async def work(unit: KnowledgeUnitOfWork) -> c.KnowledgeEmbedded:
            if more:
                await unit.outbox.add(requests.embed(caller, command.idle_seconds))
            return c.KnowledgeEmbedded(embedded, more)

        return await self._write(None, caller, c.KnowledgeEmbedded, work)

    async def _leave_gone_cases(self, keys: Collection[UUID], caller: Caller) -> None:
        """Delete what came while its case was being removed, which the removal's own job may not have seen."""
        for scope in {document.scope for document in await self._documents(keys, caller)}:
            if await self._access.is_gone(scope, caller):
                await self._removal.discard_case(c.DiscardCaseKnowledge(scope.owner), caller)

    async def _read(self, document: Document, reading: DocumentReading, scratch: Scratch, caller: Caller) -> bool:
        """Read one document and keep what came of it; whether it could be read."""
        try:
            async with self._originals.fetched(document.blob, scratch) as path:
                found = await reading.read(path, document.name, document.media_type)
        except BlobNotFoundError:
            # Replaced or deleted meanwhile, and then its row says so; or lost, which only a person can put right.
            problem = f"The stored original of {document.name} is gone; add the document again."
            # Without digest and size, whatever is added under its name is taken as new.
            lost = replace(document, sha256="", size=0, problem=problem)
            if document.state is DocumentState.READY:
                await self._note(lost, caller)
            else:
                await self._keep(document, model.failed(lost, problem, self._clock.now()), (), caller)
            return False
        except UnreadableDocumentError as error:
            await self._keep(document, model.failed(document, str(error), self._clock.now()), (), caller)
            return False
        told = described(document, found)
        # Cutting a large text takes seconds; in a thread the loop stays free.
        chunks = await asyncio.to_thread(cut, told.title, found.text, found.headings, document.key)
        await self._keep(document, model.ready(told, chunks, self._clock.now()), chunks, caller)
        return True

    async def _note(self, lost: Document, caller: Caller) -> None:
        """Keep what is said of a lost original. What was read of it stays: it is all that is left."""

        async def work(unit: KnowledgeUnitOfWork) -> None:
            now = (await unit.knowledge.get_many([lost.key])).get(lost.key)
            if now is not None and now.blob == lost.blob and _is_read(now):
                await unit.knowledge.save([replace(now, sha256="", size=0, problem=lost.problem)])

        await self._write(None, caller, NoneType, work)

    async def _keep(self, before: Document, read: Document, chunks: Sequence[Chunk], caller: Caller) -> None:
        """Commit what was read, unless the document has another original by now, or is gone."""
        # Once the row says that nothing is embedded, nobody knows any more where the vectors of old were.
        await (self._index.leave([before]) if chunks else self._index.remove([before]))

        async def work(unit: KnowledgeUnitOfWork) -> None:
            now = (await unit.knowledge.get_many([read.key])).get(read.key)
            if now is None or now.state is DocumentState.REMOVED:
                return
            if now.blob != read.blob:
                if not chunks:  # what stood there of its newer text went with the vectors of the old one
                    await unit.knowledge.save([replace(now, embedded="", updated_at=self._clock.now())])
                    await unit.outbox.add(requests.embed(caller))
                return
            await unit.knowledge.replace_chunks(read.key, chunks)
            kept = replace(read, version=now.version, source=now.source, modified_ns=now.modified_ns)
            await unit.knowledge.save([kept])

        await self._write(None, caller, NoneType, work)

    async def _embed(self, documents: Sequence[Document], caller: Caller, watch: Watch) -> int:
        """Embed those of the documents that are not embedded under the embedder in force; how many."""
        fingerprint = self._index.fingerprint
        left = [d for d in documents if fingerprint and d.state is DocumentState.READY and d.embedded != fingerprint]
        done = 0
        async with aclosing(self._groups(left, caller)) as groups:
            async for group in groups:
                watch(done, len(left), f"embedding {group[0][0].name}")
                await self._index.put(group)
                await self._index.leave(document for document, _ in group)
                await self._embedded([document for document, _ in group], caller)
                done += len(group)
        return done

    async def _groups(
        self, documents: Sequence[Document], caller: Caller
    ) -> AsyncGenerator[Sequence[tuple[Document, Sequence[Chunk]]], None]:
        """Documents with their chunks, as many at a time as fill a call of the embedder."""
        group: list[tuple[Document, Sequence[Chunk]]] = []
        count = 0
        for document in documents:
            async with self._units(caller.organization, read_only=True) as unit:
                chunks = await unit.knowledge.chunks(document.key)
            group.append((document, chunks))
            count += len(chunks)
            if count >= MOST_TEXTS:
                yield group
                group, count = [], 0
        if group:
            yield group

    async def _embedded(self, documents: Sequence[Document], caller: Caller) -> None:
        """Say of the documents that they are embedded, and put right what happened to them meanwhile."""
        read = {document.key: document for document in documents}
        overtaken: list[Document] = []

        async def work(unit: KnowledgeUnitOfWork) -> None:
            alive = {key: one for key, one in (await unit.knowledge.get_many(read)).items() if _is_read(one)}
            same = {key for key, one in alive.items() if _same_text(one, read[key])}
            # The vectors of one that was read again may be those of its old text now: they are made once more.
            saved = [
                replace(one, embedded=self._index.fingerprint if key in same else "") for key, one in alive.items()
            ]
            await unit.knowledge.save(saved)
            overtaken[:] = [one for key, one in alive.items() if one.embedded != read[key].embedded]
            if len(same) < len(alive):
                await unit.outbox.add(requests.embed(caller))

        await self._write(None, caller, NoneType, work)
        # A process with another model may have embedded them meanwhile: no row names those vectors any more.
        await self._index.leave(overtaken)
        now = {document.key: document for document in await self._documents(read, caller)}
        await self._index.remove(
            document for key, document in read.items() if key not in now or now[key].state is DocumentState.REMOVED
        )

    async def _documents(self, keys: Collection[UUID], caller: Caller) -> Sequence[Document]:
        async with self._units(caller.organization, read_only=True) as unit:
            found = await unit.knowledge.get_many(keys)
        return [found[key] for key in keys if key in found]


def _same_text(now: Document, read: Document) -> bool:
    """Whether a document's chunks are still those that were read: they change with the original and with every reading."""
    return (now.blob, now.updated_at) == (read.blob, read.updated_at)


def _is_read(document: Document) -> bool:
    return document.state is DocumentState.READY
