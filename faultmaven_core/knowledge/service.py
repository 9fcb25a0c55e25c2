"""Use cases over knowledge: documents that are added, kept up to date, found, shown and deleted."""

from __future__ import annotations

from collections.abc import AsyncIterable

from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge.access import Access
from faultmaven_core.knowledge.catalogue import Catalogue
from faultmaven_core.knowledge.curation import Curation, unwatched
from faultmaven_core.knowledge.index import VectorIndex
from faultmaven_core.knowledge.ingestion import Ingestion
from faultmaven_core.knowledge.intake import DocumentIntake
from faultmaven_core.knowledge.originals import Originals
from faultmaven_core.knowledge.ports import CaseDirectory, DocumentFiles, KnowledgeUnits
from faultmaven_core.knowledge.removal import Removal
from faultmaven_core.knowledge.search import KnowledgeSearch
from faultmaven_core.ports.blobs import BlobStore
from faultmaven_core.ports.document_reader import DocumentReader
from faultmaven_core.ports.embedding import Embedder
from faultmaven_core.ports.vectors import VectorStore
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.ids import Ids
from faultmaven_core.shared.operation import Watch

MOST_DOCUMENT = 64 << 20
"""Bytes of an original; a larger one is an archive or a recording sooner than a document."""


class KnowledgeService:
    """Knowledge of the caller's organization; without an embedder it is found by words and names alone.

    Adding, syncing and deleting change rows at once; jobs read, embed and destroy afterwards. Ended at any point, a job
    that is run again ends in the same state.
    """

    def __init__(
        self,
        units: KnowledgeUnits,
        cases: CaseDirectory,
        files: DocumentFiles,
        reader: DocumentReader,
        blobs: BlobStore,
        vectors: VectorStore,
        embedder: Embedder | None,
        clock: Clock,
        ids: Ids,
    ) -> None:
        access = Access(cases)
        originals = Originals(blobs, ids, MOST_DOCUMENT)
        index = VectorIndex(vectors, embedder)
        intake = DocumentIntake(units, originals, files, clock, ids)
        self._removal = Removal(units, originals, index, clock)
        self._curation = Curation(units, access, files, intake, self._removal, clock, ids)
        self._ingestion = Ingestion(units, access, self._removal, originals, files, reader, index, clock)
        self._catalogue = Catalogue(units, access, index.fingerprint, clock)
        self._search = KnowledgeSearch(units, access, vectors, embedder, clock)

    async def add(self, command: c.AddDocuments, caller: Caller, watch: Watch = unwatched) -> c.DocumentsTaken:
        """Take a file, or every document of a folder. What is there already, by name or content, is not taken twice.

        Raises NotFoundError where nothing stands at the path, UnsupportedTypeError for a file of another kind.
        """
        return await self._curation.add(command, caller, watch)

    async def add_content(
        self, command: c.AddDocumentContent, chunks: AsyncIterable[bytes], caller: Caller
    ) -> c.DocumentsTaken:
        """Take content that has no place of its own. Raises UnsupportedTypeError where its name tells of no document."""
        return await self._curation.add_content(command, chunks, caller)

    async def update(self, command: c.UpdateDocument, caller: Caller) -> c.DocumentsTaken:
        """Change what is said of a document. Raises NotFoundError."""
        return await self._curation.update(command, caller)

    async def sync(self, command: c.SyncDocuments, caller: Caller, watch: Watch = unwatched) -> c.DocumentsTaken:
        """Make a scope hold what a folder or checkout holds.

        Raises InvalidInputError for a file, PreconditionFailedError where a source that had documents has none now.
        """
        return await self._curation.sync(command, caller, watch)

    async def search(self, command: c.SearchKnowledge, caller: Caller) -> c.SearchResult:
        """Passages that answer a question, best first, and what was looked at.

        Raises InvalidInputError without a scope or question; BackendUnavailableError and its kind where the vector store or
        the model's server is away.
        """
        return await self._search.search(command, caller)

    async def list(self, command: c.ListDocuments, caller: Caller) -> c.DocumentPage:
        """A page of documents, oldest first."""
        return await self._catalogue.list(command, caller)

    async def show(self, command: c.ShowDocument, caller: Caller) -> c.DocumentDetail:
        """A document and a part of its text. Raises NotFoundError."""
        return await self._catalogue.show(command, caller)

    async def stats(self, command: c.CountKnowledge, caller: Caller) -> c.KnowledgeCounts:
        """How much there is in some scopes."""
        return await self._catalogue.count(command, caller)

    async def delete(self, command: c.DeleteDocument, caller: Caller) -> c.DocumentDeleted:
        """Delete a document: no search finds it from now on. Raises NotFoundError."""
        return await self._curation.delete(command, caller)

    async def reindex(self, command: c.ReindexKnowledge, caller: Caller) -> c.ReindexAsked:
        """Read every original of the scopes again and embed all anew; searches go on meanwhile with what there is."""
        return await self._curation.reindex(command, caller)

    async def ingest(self, command: c.IngestDocuments, caller: Caller, watch: Watch = unwatched) -> c.DocumentsIngested:
        """Read and embed documents."""
        return await self._ingestion.ingest(command, caller, watch)

    async def embed(self, command: c.EmbedKnowledge, caller: Caller, watch: Watch = unwatched) -> c.KnowledgeEmbedded:
        """Embed what is not embedded under the present embedder."""
        return await self._ingestion.embed(command, caller, watch)

    async def discard(self, command: c.DiscardDocuments, caller: Caller) -> c.KnowledgeDiscarded:
        """Destroy what is left of deleted documents."""
        return await self._removal.discard(command, caller)

    async def discard_original(self, command: c.DiscardOriginal, caller: Caller) -> c.KnowledgeDiscarded:
        """Destroy an original that another has replaced. Raises InvalidInputError on another organization's."""
        return await self._removal.discard_original(command, caller)

    async def discard_case(self, command: c.DiscardCaseKnowledge, caller: Caller) -> c.KnowledgeDiscarded:
        """Delete the documents of a case that is gone."""
        return await self._removal.discard_case(command, caller)

    async def sweep(self, _command: c.SweepKnowledge, caller: Caller) -> c.KnowledgeDiscarded:
        """Take up what crashes left behind."""
        return await self._removal.sweep(caller)
