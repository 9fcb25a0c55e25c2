"""What can be asked of knowledge, and what is answered.

A scope is `global`, `team:NAME`, `personal` (always the caller's own) or `case:CASE_ID`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class AddDocuments:
    """Add a file, or every file of a folder."""

    path: str
    scope: str = "global"
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddDocumentContent:
    """Add content that has no place of its own (standard input, an upload) under a name; the ending tells its kind.

    A `title` goes before the one that stands in its text. `details` are kept and shown, and mean nothing here.
    """

    name: str
    scope: str = "global"
    tags: tuple[str, ...] = ()
    title: str = ""
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UpdateDocument:
    """Say other things of a document; what is None stays. An empty `title` goes back to the one in its text."""

    document_id: str
    title: str | None = None
    tags: tuple[str, ...] | None = None
    details: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class SyncDocuments:
    """Make a scope hold what a folder or git checkout holds: new and changed files come, removed ones go."""

    path: str
    scope: str = "global"
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchKnowledge:
    """Find documents for a question, an alert, an error message or a name.

    `lexical_only` does without vectors where their store is down or their model too slow. `explain` fills each hit's `why`.
    """

    text: str
    scopes: tuple[str, ...]
    limit: int = 10
    lexical_only: bool = False
    explain: bool = False


@dataclass(frozen=True, slots=True)
class ListDocuments:
    """The documents of some scopes, oldest or `newest` first. `state`: pending | ready | failed, empty for all.

    `kind` is what their details call `document_type`, `other` where they do not; `after` is an earlier page's `next`, and the
    first `offset` from there on are left out. With `counted` the page says how many there are in all.
    """

    scopes: tuple[str, ...]
    state: str = ""
    source: str = ""
    tags: tuple[str, ...] = ()
    after: str | None = None
    limit: int = 200
    kind: str = ""
    offset: int = 0
    newest: bool = False
    counted: bool = False


@dataclass(frozen=True, slots=True)
class ShowDocument:
    """A document and `characters` characters of its text from `start` on."""

    document_id: str
    start: int = 0
    characters: int = 0


@dataclass(frozen=True, slots=True)
class DeleteDocument:
    """Delete a document: no search finds it any more; its chunks, vectors and original go by a job."""

    document_id: str


@dataclass(frozen=True, slots=True)
class ReindexKnowledge:
    """Read every original again, and embed what is not embedded under the present model."""

    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CountKnowledge:
    """How much stands in some scopes, and how much of it the present model has embedded."""

    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document. `warning` is a sentence where its text should not be relied on: stale, a draft."""

    document_id: str
    scope: str
    title: str
    name: str
    source: str
    media_type: str
    state: str
    problem: str
    status: str
    warning: str
    tags: tuple[str, ...]
    reviewed_on: date | None
    sha256: str
    size: int
    chunks: int
    characters: int
    embedded: bool
    added_at: datetime
    added_by: str
    updated_at: datetime
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Some documents; `next` continues, None at the end. `total` counts all that match, where that was asked for."""

    items: tuple[DocumentView, ...]
    next: str | None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class DocumentDetail:
    """A document and the part of its text that was asked for; `text` begins at `start`."""

    item: DocumentView
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a hit stands where it stands. Ranks count from 1; 0 where that search did not find it.

    `terms` are the words of the question that were found, the weightiest first; `names` the exact names. `cosine` is
    the likeness of meaning, -1 to 1. `lexical` and `vector` are the shares of the hit's score that come from each.
    """

    lexical_rank: int
    bm25: float
    terms: tuple[str, ...]
    vector_rank: int
    cosine: float
    names: tuple[str, ...]
    lexical: float
    vector: float


@dataclass(frozen=True, slots=True)
class Snippet:
    """A passage; `highlights` are spans [start, end) of `text` in characters, in order, not overlapping."""

    text: str
    highlights: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class KnowledgeHit:
    """A passage of a document, from `start` to `end` (characters of the document's text).

    `score` orders hits of one search and means nothing between searches. `warning` is as in DocumentView.
    """

    document_id: str
    title: str
    name: str
    scope: str
    headings: tuple[str, ...]
    start: int
    end: int
    snippet: Snippet
    score: float
    warning: str
    why: Explanation | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a search could look at: of `documents`, `embedded` also by meaning. `notes` are sentences on what it could not.

    vectors: used | none (no embedding model) | skipped (the caller did without).
    """

    documents: int
    embedded: int
    vectors: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, best first, and what was looked at: no hits mean that nothing was found there and nothing else."""

    hits: tuple[KnowledgeHit, ...]
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class KnowledgeCounts:
    """What stands in the scopes. `states` counts documents by state, `model` is the present embedder, empty for none."""

    documents: int
    states: dict[str, int] = field(default_factory=dict)
    chunks: int = 0
    characters: int = 0
    size: int = 0
    embedded: int = 0
    model: str = ""


@dataclass(frozen=True, slots=True)
class DocumentsTaken:
    """What adding or syncing did. `documents` are the ids of new and changed ones; `jobs` read and embed them.

    `unchanged` were there already, `duplicates` have the content of another document of the scope and are not taken
    twice; where one content was given, `same` is the id of the document that holds it already. `ignored` are files of kinds
    that are no documents. `problems` are sentences on what was not taken, and why.
    """

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    duplicates: int = 0
    ignored: int = 0
    documents: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    same: str = ""


@dataclass(frozen=True, slots=True)
class DocumentDeleted:
    """The document that is gone, and the job that destroys what is left of it."""

    document_id: str
    job: str


@dataclass(frozen=True, slots=True)
class ReindexAsked:
    """How many documents are read and embedded again, and by which jobs."""

    documents: int
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IngestDocuments:
    """Read the originals of these documents (their keys) and embed them. `again`: also those that were read before."""

    documents: tuple[str, ...]
    again: bool = False


@dataclass(frozen=True, slots=True)
class DocumentsIngested:
    """How many documents were read, could not be read, and were embedded."""

    read: int
    failed: int
    embedded: int


@dataclass(frozen=True, slots=True)
class EmbedKnowledge:
    """Embed searchable documents that are not embedded under the present model, after it was changed or was away.

    Only those that nothing happened to for `idle_seconds`: the others are in the hands of the jobs that read them.
    """

    idle_seconds: int = 300


@dataclass(frozen=True, slots=True)
class KnowledgeEmbedded:
    """How many documents were embedded; `more` are left to another job."""

    documents: int
    more: bool


@dataclass(frozen=True, slots=True)
class DiscardDocuments:
    """Destroy the vectors, chunks and originals of deleted documents (their keys)."""

    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiscardOriginal:
    """Destroy an original that another one has replaced."""

    blob: str


@dataclass(frozen=True, slots=True)
class DiscardCaseKnowledge:
    """Delete the documents of a case that is gone."""

    case_id: str


@dataclass(frozen=True, slots=True)
class SweepKnowledge:
    """Take up what crashes left behind: originals and vectors that no document names, documents that no job cares for."""


@dataclass(frozen=True, slots=True)
class KnowledgeDiscarded:
    """How many documents, and originals and vectors that nothing named, were destroyed."""

    documents: int = 0
    originals: int = 0
    vectors: int = 0
