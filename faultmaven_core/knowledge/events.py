"""What happens to knowledge; told to a case's journal where the document is the case's."""

from __future__ import annotations

from dataclasses import dataclass

from faultmaven_core.shared.events import Event


@dataclass(frozen=True, slots=True)
class DocumentsAdded(Event):
    """Documents were added; `names` are the first ones."""

    count: int
    names: str


@dataclass(frozen=True, slots=True)
class DocumentDeleted(Event):
    """A document was deleted."""

    document_id: str
    name: str
