"""Documents of knowledge as clients read and write them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class DocumentForm:
    """A document that is uploaded. `document_type` and `category` are kept as given; `tags` are between commas.

    Only the common documents take a `scope`: personal | global | case:CASE_ID.
    """

    title: str = ""
    document_type: str = "other"
    category: str = ""
    tags: str = ""
    source_url: str = ""
    description: str = ""
    scope: str = ""
    file: bytes = b""


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """What is to be said of a document; what is absent or null stays."""

    title: str | None = None
    document_type: str | None = None
    category: str | None = None
    tags: tuple[str, ...] | None = None
    source_url: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """Which documents: those behind `cursor`, the `next_cursor` of the page before, or from `offset` on."""

    limit: int = 50
    offset: int = 0
    cursor: str = ""
    document_type: str = ""
    scope: str = ""
    tags: str = ""


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document. `content` is its text as far as it was read, in lists null; `owner_id` is `user_id`.

    status: processing | processed | failed, and then `metadata.problem` says why; scope: personal | team | global | case.
    """

    document_id: str
    title: str
    document_type: str
    tags: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    content: str | None
    category: str | None
    status: str
    source_url: str | None
    description: str | None
    user_id: str
    owner_id: str
    scope: str
    verification_status: str
    verification_level: int
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DocumentList:
    """Some documents, newest first; `total` is `total_count` by its older name.

    With `next_cursor` as `cursor` the list goes on; it is null at the end.
    """

    documents: tuple[DocumentRow, ...]
    total_count: int
    total: int
    limit: int
    offset: int
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A question, an alert, an error message or a name. Without `scopes` one's own and everybody's are looked in.

    `rank_by` and `similarity_threshold` are taken and mean nothing: scores of one search order its hits only.
    """

    query: str
    limit: int = 10
    document_type: str | None = None
    category: str | None = None
    tags: str | None = None
    similarity_threshold: float | None = None
    rank_by: str | None = None
    filters: dict[str, Any] | None = None
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class SearchRow:
    """A passage; `highlights` are spans of `content` in characters."""

    document_id: str
    title: str
    content: str
    score: float
    scope: str
    document_type: str
    tags: tuple[str, ...]
    headings: tuple[str, ...]
    start: int
    end: int
    highlights: tuple[tuple[int, int], ...]
    warning: str
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SearchRows:
    """Passages, best first; `notes` are sentences on what could not be looked at."""

    query: str
    results: tuple[SearchRow, ...]
    total_results: int
    searched_documents: int
    notes: tuple[str, ...]
