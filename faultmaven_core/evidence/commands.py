"""What can be asked of evidence, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from faultmaven_core.evidence.model import SeenSource


@dataclass(frozen=True, slots=True)
class AddEvidence:
    """Add a file, an archive, or every file of a folder. It stays in place unless `copy`; role: incident | baseline."""

    case_id: str
    path: str
    role: str = "incident"
    copy: bool = False


@dataclass(frozen=True, slots=True)
class AddContent:
    """Add content that has no place of its own (standard input, an upload): always a copy.

    `origin` says how it came (file_upload, paste, page_capture), `turn` which turn of the conversation brought it, and
    `details` what its sender said of it. With a `sha256` the content must be what that is the digest of, in hexadecimal.
    `size` is how many bytes it has at most, -1 where nobody told.
    """

    case_id: str
    name: str
    role: str = "incident"
    origin: str = ""
    turn: int = 0
    details: dict[str, str] = field(default_factory=dict)
    sha256: str = ""
    size: int = -1


@dataclass(frozen=True, slots=True)
class ReadContent:
    """The whole content of a piece of evidence that we hold a copy of."""

    case_id: str
    evidence_id: str


@dataclass(frozen=True, slots=True)
class LinkContent:
    """An address from which a copy can be fetched for `seconds`, 300 at most, by whoever has it."""

    case_id: str
    evidence_id: str
    seconds: int = 300


@dataclass(frozen=True, slots=True)
class ListEvidence:
    """The evidence of a case, oldest first, as each file is now; if `quick` as it was when it was last seen.

    `after` is an earlier page's `next`; the first `offset` from there on are left out.
    """

    case_id: str
    after: str | None = None
    limit: int = 200
    quick: bool = False
    offset: int = 0


@dataclass(frozen=True, slots=True)
class ShowEvidence:
    """One piece of evidence, and `lines` lines of it from `first_line` (1 is the first) on.

    `source` picks a member of an archive by its name; without it the first source that was read.
    """

    case_id: str
    evidence_id: str
    source: str = ""
    first_line: int = 1
    lines: int = 0


@dataclass(frozen=True, slots=True)
class ClassifyEvidence:
    """Say what kind of file it is, for the next investigation; empty goes back to detection."""

    case_id: str
    evidence_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class SearchEvidence:
    """Lines that hold all words of `text` in any case, or match it as a regular expression (RE2 syntax).

    Searches what an investigation has read, in one piece of evidence or in all of the case.
    """

    case_id: str
    text: str
    regex: bool = False
    evidence_id: str = ""
    limit: int = 200


@dataclass(frozen=True, slots=True)
class DeleteEvidence:
    """Take a piece of evidence off its case; a copy is destroyed, a referenced file is left alone."""

    case_id: str
    evidence_id: str


@dataclass(frozen=True, slots=True)
class DiscardEvidence:
    """Remove all evidence of a case that is gone."""

    case_id: str


@dataclass(frozen=True, slots=True)
class SweepCopies:
    """Destroy copies that no evidence names: left by a crash between the copy and the row."""


@dataclass(frozen=True, slots=True)
class DiscardBlob:
    """Destroy one stored copy."""

    blob: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was seen in a file of a case, and the file's size and time of change then."""

    evidence_id: str
    sources: tuple[SeenSource, ...]
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class KeepReading:
    """Keep what an investigation saw."""

    case_id: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class SourceView:
    """What was read: the file itself or a member of the archive; `problems` are sentences."""

    name: str
    sha256: str
    kind: str
    size: int
    lines: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A file of a case.

    state: available | moved | changed | unreadable; `explanation` is a sentence where it is not available. `sha256` is
    empty until a file left in place was read; `kind` is a person's classification.
    """

    evidence_id: str
    case_id: str
    name: str
    location: str
    custody: str
    state: str
    explanation: str
    sha256: str
    size: int
    role: str
    kind: str
    added_at: datetime
    added_by: str
    turn: int = 0
    origin: str = ""
    details: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContentLink:
    """Where a copy can be fetched, and until when."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class EvidenceAdded:
    """What was added; `problems` are sentences about files that cannot be read."""

    items: tuple[EvidenceView, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvidencePage:
    """Some evidence; `next` continues, None at the end."""

    items: tuple[EvidenceView, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class LineView:
    """A line by its number, without its line end."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class EvidenceDetail:
    """A piece of evidence, what was read of it, and the lines asked for."""

    item: EvidenceView
    sources: tuple[SourceView, ...]
    text: tuple[LineView, ...]


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A line that was found; `name` is the source's, a member of an archive has its own."""

    evidence_id: str
    name: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits by source and line. `truncated`: there may be more. `problems` name what could not be searched."""

    hits: tuple[SearchHit, ...]
    truncated: bool
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvidenceDeleted:
    """The evidence that is gone."""

    evidence_id: str


@dataclass(frozen=True, slots=True)
class Discarded:
    """How many stored copies were destroyed."""

    blobs: int
