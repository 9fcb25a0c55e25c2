"""Documents of the core in the words of clients."""

from __future__ import annotations

from collections.abc import Mapping

from faultmaven_core.knowledge.commands import DocumentView, KnowledgeHit
from faultmaven_http.shapes import knowledge as s

STATUSES = {"pending": "processing", "ready": "processed", "failed": "failed"}
LEVELS = {"verified": 2, "in-review": 1}
TOLD = ("document_type", "category", "source_url", "description")
"""What a client says of a document, which is kept among its details."""


def document_row(view: DocumentView, content: str | None = None) -> s.DocumentRow:
    """The row of a document."""
    told = view.details
    return s.DocumentRow(
        view.document_id,
        view.title,
        told.get("document_type") or "other",
        view.tags,
        view.added_at,
        view.updated_at,
        content,
        told.get("category") or None,
        STATUSES.get(view.state, view.state),
        told.get("source_url") or None,
        told.get("description") or None,
        view.added_by,
        view.added_by,
        view.scope.partition(":")[0],
        view.status or "unstated",
        LEVELS.get(view.status, 0),
        {
            "file_name": view.name,
            "media_type": view.media_type,
            "size": view.size,
            "chunks": view.chunks,
            "embedded": view.embedded,
            "problem": view.problem,
            "warning": view.warning,
        },
    )


def details_of(given: Mapping[str, str | None], before: Mapping[str, str] | None = None) -> dict[str, str]:
    """What is to be kept among a document's details."""
    new = {name: given[name] for name in TOLD if given.get(name) is not None}
    merged = {**(before or {}), **{name: text or "" for name, text in new.items()}}
    return {name: text for name, text in merged.items() if text}


def hit_row(hit: KnowledgeHit, view: DocumentView) -> s.SearchRow:
    """A passage that was found."""
    return s.SearchRow(
        hit.document_id,
        hit.title,
        hit.snippet.text,
        hit.score,
        hit.scope.partition(":")[0],
        view.details.get("document_type") or "other",
        view.tags,
        hit.headings,
        hit.start,
        hit.end,
        hit.snippet.highlights,
        hit.warning,
        {"document_id": hit.document_id, "title": hit.title, "source_url": view.details.get("source_url", "")},
    )
