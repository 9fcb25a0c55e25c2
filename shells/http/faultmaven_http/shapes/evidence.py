"""Evidence and uploaded files as clients read and write them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from faultmaven_core.evidence.commands import EvidenceView


@dataclass(frozen=True, slots=True)
class EvidenceForm:
    """A file that comes as evidence, last in its form. `evidence_role`: incident | baseline.

    A body that is no form is the file itself; then all this stands in the query. `sha256` is checked where it is given.
    """

    name: str = ""
    evidence_role: str = "incident"
    source_url: str = ""
    sha256: str = ""
    file: bytes = b""


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which part of a list: `cursor` is the `next_cursor` of the page before; so is `after`, by its older name."""

    cursor: str = ""
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class LineFilter:
    """Which lines: `lines` from `first_line` (1 is the first) on; of an archive those of the member `source`."""

    source: str = ""
    first_line: int = 1
    lines: int = 0


@dataclass(frozen=True, slots=True)
class KindWish:
    """What a file is, by a person's word; empty goes back to detection."""

    kind: str


@dataclass(frozen=True, slots=True)
class LineSearch:
    """Words that a line must hold, or an expression (RE2) that it must match."""

    text: str
    regex: bool = False
    evidence_id: str = ""
    limit: int = 200


@dataclass(frozen=True, slots=True)
class LinkWish:
    """How many seconds a link is to live, 300 at most."""

    seconds: int = 300


@dataclass(frozen=True, slots=True)
class FileFilter:
    """Which uploaded files: those behind `cursor`, the `next_cursor` of the page before, or from `offset` on."""

    limit: int = 50
    offset: int = 0
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class DerivedEvidence:
    """What an uploaded file gave to a case."""

    evidence_id: str
    summary: str
    category: str
    related_hypothesis_ids: tuple[str, ...]
    collected_at_turn: int
    source_type: str
    primary_purpose: str


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file of a case. analysis_status: pending | completed | failed."""

    file_id: str
    filename: str
    size_bytes: int
    uploaded_at_turn: int
    evidence_count: int
    size_display: str
    uploaded_at: datetime
    source_type: str
    analysis_status: str
    summary: str
    source_metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UploadedFiles:
    """Some files of a case, oldest first. With `next_cursor` as `cursor` the list goes on; it is null at the end."""

    files: tuple[UploadedFile, ...]
    total_count: int
    limit: int
    offset: int
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class EvidenceList:
    """Some evidence, oldest first. With `next_cursor` as `cursor` the list goes on; `next` is its older name."""

    items: tuple[EvidenceView, ...]
    next: str | None
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class UploadedFileDetail:
    """A file of a case and what it gave."""

    file_id: str
    filename: str
    size_bytes: int
    uploaded_at_turn: int
    evidence_count: int
    size_display: str
    uploaded_at: datetime
    source_type: str
    analysis_status: str
    summary: str
    source_metadata: dict[str, str]
    derived_evidence: tuple[DerivedEvidence, ...]
    content_type: str
    content_hash: str
    upload_source: str
