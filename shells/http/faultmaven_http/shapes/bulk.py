"""Many things at once, each with an outcome of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CaseIds:
    """Cases, 100 at most; one that is named twice counts once."""

    case_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentIds:
    """Documents, 100 at most; one that is named twice counts once."""

    document_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentUpdates:
    """What is to be said of documents, 100 at most; what is absent or null stays."""

    documents: tuple[DocumentUpdate, ...]


@dataclass(frozen=True, slots=True)
class DocumentUpdate:
    """What is to be said of one document."""

    document_id: str
    title: str | None = None
    document_type: str | None = None
    category: str | None = None
    tags: tuple[str, ...] | None = None
    source_url: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What became of one. `status` and `code` are what a request for it alone would have been answered; `detail` says why.

    Of what was not tried any more, because a backend was down, they are those of the failure before. `item` is what it is
    now, where there is something to show.
    """

    id: str
    status: int
    code: str = ""
    detail: str = ""
    item: Any = None


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """All of them, in the order in which they were named."""

    results: tuple[ItemOutcome, ...]
    succeeded: int
    failed: int
    failed_ids: tuple[str, ...]
