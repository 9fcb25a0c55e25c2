"""What happens to evidence; told to the case's journal by a job."""

from __future__ import annotations

from dataclasses import dataclass

from faultmaven_core.shared.events import Event


@dataclass(frozen=True, slots=True)
class EvidenceAdded(Event):
    """Files were added; `names` are the first ones."""

    count: int
    names: str
    custody: str
    role: str


@dataclass(frozen=True, slots=True)
class EvidenceClassified(Event):
    """A person said what a file is."""

    evidence_id: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class EvidenceRead(Event):
    """An investigation read the files; `digest` covers the digests of all sources."""

    sources: int
    digest: str


@dataclass(frozen=True, slots=True)
class EvidenceDeleted(Event):
    """A file was taken off the case."""

    evidence_id: str
    name: str
