"""What knowledge needs of a database and of the cases."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from faultmaven_core.knowledge.model import Chunk, Document, DocumentState, KnowledgeScope
from faultmaven_core.ports.transactions import UnitOfWork, UnitOfWorkFactory
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.ids import DocumentId
from faultmaven_core.shared.page import Page

Scopes = Sequence[KnowledgeScope]
"""Where to look: never empty. An adapter raises InvalidInputError on an empty one, whatever the caller checked."""


@dataclass(frozen=True, slots=True)
class DocumentQuery:
    """Which documents: of these scopes and states, of one source (None = any), with all of the tags.

    `kind` is what their details call `document_type` ("" = any); a document that says none is of the kind `other`.
    """

    scopes: Scopes
    states: tuple[DocumentState, ...] = (DocumentState.PENDING, DocumentState.READY, DocumentState.FAILED)
    source: str | None = None
    tags: tuple[str, ...] = ()
    kind: str = ""


KIND, OTHER = "document_type", "other"
"""Where details say what kind of document it is, and what it is where they do not."""


@dataclass(frozen=True, slots=True)
class ChunkTerms:
    """How often the terms that were asked for stand in a chunk's text and in its labels; `length` counts all of its terms."""

    number: int
    length: int
    terms: Mapping[str, int]
    labels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A searchable document with the chunks in which a term was found, by number."""

    document: UUID
    chunks: tuple[ChunkTerms, ...]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the searchable documents of some scopes: how many, their chunks and words, and how many of them hold each term.

    A document holds a term where a chunk has it among its terms or labels; a term that none holds may be missing.
    """

    documents: int
    chunks: int
    words: int
    frequency: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class NamedChunk:
    """A chunk of a searchable document that holds an exact name."""

    document: UUID
    number: int
    name: str


@dataclass(frozen=True, slots=True)
class Census:
    """What stands in some scopes. `embedded` counts searchable documents under the fingerprint that was asked for."""

    states: Mapping[DocumentState, int]
    searchable: int
    embedded: int
    chunks: int
    characters: int
    size: int


class KnowledgeRepository(Protocol):
    """The documents and chunks of the unit's organization.

    "Searchable" is `Document.searchable`. Whatever database holds them, each query gives the same answer in the same order.
    """

    @abstractmethod
    async def add(self, documents: Sequence[Document]) -> None:
        """Keep new documents. Raises AlreadyExistsError where a key or id is taken, or a scope has the name already."""

    @abstractmethod
    async def get(self, document_id: DocumentId) -> Document:
        """A document, a REMOVED one too. Raises NotFoundError, for another organization's too."""

    @abstractmethod
    async def get_many(self, keys: Collection[UUID]) -> Mapping[UUID, Document]:
        """The documents with these keys; what is missing is left out."""

    @abstractmethod
    async def save(self, documents: Sequence[Document]) -> None:
        """Keep changed documents; each stored version grows by one. Raises StaleVersionError as soon as one lost a race."""

    @abstractmethod
    async def remove(self, documents: Collection[UUID]) -> None:
        """Remove documents and their chunks; what is gone already is no error."""

    @abstractmethod
    async def page(
        self, query: DocumentQuery, *, after: UUID | None, limit: int, offset: int = 0, newest: bool = False
    ) -> Page[Document]:
        """Matching documents, oldest or `newest` first, from the one after `after` on, without the first `offset` of these."""

    @abstractmethod
    async def count(self, query: DocumentQuery) -> int:
        """How many documents match."""

    @abstractmethod
    async def by_name(self, scope: KnowledgeScope, names: Collection[str]) -> Mapping[str, Document]:
        """The scope's documents with these names, but for REMOVED ones."""

    @abstractmethod
    async def by_digest(self, scope: KnowledgeScope, sha256: str) -> Sequence[Document]:
        """The scope's documents whose original has this digest, oldest first, but for REMOVED ones."""

    @abstractmethod
    async def of_source(self, scope: KnowledgeScope, source: str) -> Sequence[Document]:
        """All documents of a source, oldest first, but for REMOVED ones."""

    @abstractmethod
    async def in_state(self, state: DocumentState, limit: int) -> Sequence[Document]:
        """Documents of a state in any scope, oldest first: what a job still has to do."""

    @abstractmethod
    async def not_embedded(self, fingerprint: str, limit: int) -> Sequence[Document]:
        """Searchable documents of any scope that are not embedded under the fingerprint, oldest first."""

    @abstractmethod
    async def blobs(self) -> Collection[str]:
        """The keys of all originals that a document names."""

    @abstractmethod
    async def census(self, scopes: Scopes, fingerprint: str) -> Census:
        """Counts over the scopes' documents; REMOVED ones count in `states` alone."""

    @abstractmethod
    async def replace_chunks(self, document: UUID, chunks: Sequence[Chunk]) -> None:
        """These are the document's chunks from now on. Raises NotFoundError where there is no such document."""

    @abstractmethod
    async def chunks(self, document: UUID, *, first: int = 0, limit: int | None = None) -> Sequence[Chunk]:
        """A document's chunks from number `first` on, in order."""

    @abstractmethod
    async def chunks_at(self, places: Collection[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], Chunk]:
        """The chunks at these documents and numbers; what is missing is left out."""

    @abstractmethod
    async def statistics(self, scopes: Scopes, terms: Collection[str]) -> Statistics:
        """What weighs terms: counted over the searchable documents of the scopes, exactly."""

    @abstractmethod
    async def candidates(self, scopes: Scopes, weights: Mapping[str, int], limit: int) -> Sequence[Candidate]:
        """The searchable documents whose terms weigh most.

        A document weighs the sum of the weights of the terms that any of its chunks holds, among terms or labels, each
        counted once. The `limit` heaviest that weigh over 0 come, heaviest first, ties by key.
        """

    @abstractmethod
    async def named(self, scopes: Scopes, names: Collection[str], limit: int) -> Sequence[NamedChunk]:
        """Chunks of searchable documents that hold one of the names, by name, document and number."""


class KnowledgeUnitOfWork(UnitOfWork, Protocol):
    """A transaction over knowledge."""

    knowledge: KnowledgeRepository


KnowledgeUnits = UnitOfWorkFactory[KnowledgeUnitOfWork]


class CaseDirectory(Protocol):
    """What the knowledge context asks of the cases."""

    @abstractmethod
    async def require(self, case_id: str, caller: Caller) -> None:
        """Raises NotFoundError where there is no such case."""

    @abstractmethod
    async def is_gone(self, case_id: str, caller: Caller) -> bool:
        """Whether there is no such case, not even a deleted one that may come back."""


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A file that may be taken: its name among documents, where it stands, and its size and time of change now.

    With a `problem`, a sentence, it cannot be taken, nor, where it is a folder, what is below it.
    """

    name: str
    path: str
    size: int = 0
    modified_ns: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at a path. `source` names a folder or checkout, the same for every copy of a checkout; empty for a file.

    `ignored` files are of other kinds; `untracked` ones are documents that the checkout has and git does not know of.
    """

    source: str
    documents: tuple[FoundDocument, ...]
    ignored: int = 0
    untracked: int = 0


class Scratch(Protocol):
    """A private folder that ends with its context."""

    @abstractmethod
    async def write(self, chunks: AsyncIterable[bytes]) -> str:
        """The path of a new file with this content."""

    @abstractmethod
    async def remove(self, path: str) -> None:
        """Remove a file that was written."""


class DocumentFiles(Protocol):
    """The files of the machine that the program runs on."""

    @abstractmethod
    async def find(self, path: str) -> Found:
        """The file at a path; or those of a folder whose endings tell of documents, of a git checkout those it tracks.

        In order of their names. Raises NotFoundError where nothing stands there, UnsupportedTypeError for a file whose
        ending tells of no document, PreconditionFailedError for a checkout of which nobody can tell what it tracks.
        """

    @abstractmethod
    def chunks(self, path: str) -> AsyncGenerator[bytes, None]:
        """A file's content in blocks.

        Raises NotFoundError, PermissionDeniedError, or CorruptDataError (a disk that fails) naming the file.
        """

    @abstractmethod
    def scratch(self) -> AbstractAsyncContextManager[Scratch]:
        """A new private folder."""
