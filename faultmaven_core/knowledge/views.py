"""Documents as callers are shown them."""

from __future__ import annotations

from datetime import date

from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge.model import Document, Status

_WARNINGS = {
    Status.DRAFT: "This is a draft that nobody has verified.",
    Status.IN_REVIEW: "This is in review and not verified yet.",
    Status.DEPRECATED: "This is deprecated and searches do not find it.",
}


def warning(document: Document, today: date) -> str:
    """A sentence where the text should not be relied on."""
    if document.is_stale(today):
        reviewed = f"; it was last reviewed on {document.reviewed_on.isoformat()}" if document.reviewed_on else ""
        return f"This is stale{reviewed}."
    return _WARNINGS.get(document.status, "")


def view(document: Document, today: date, fingerprint: str) -> c.DocumentView:
    """The document as it is under the present embedder (empty for none)."""
    return c.DocumentView(
        document.id,
        str(document.scope),
        document.title,
        document.name,
        document.source,
        document.media_type,
        str(document.state),
        document.problem,
        str(document.status),
        warning(document, today),
        document.tags,
        document.reviewed_on,
        document.sha256,
        document.size,
        document.chunks,
        document.characters,
        bool(fingerprint) and document.embedded == fingerprint,
        document.added_at,
        document.added_by,
        document.updated_at,
        document.details,
    )
