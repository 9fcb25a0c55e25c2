"""Evidence: a file that belongs to a case, left in place or copied, and what the last reading of it saw."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from faultmaven_core.analysis.model import Role
from faultmaven_core.shared.ids import CaseId, EvidenceId, OrganizationId, UserId


class Custody(StrEnum):
    """Whether the file stays where it is, or we hold a copy in the blob store."""

    REFERENCE = "reference"
    COPY = "copy"


class State(StrEnum):
    """Whether the file is still what was read. MOVED: nothing stands at its place any more."""

    AVAILABLE = "available"
    MOVED = "moved"
    CHANGED = "changed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class SeenSource:
    """A source that a reading found in the file: itself, or one member of an archive (`members`: names inward).

    `size` and `lines` are of the unpacked content that `sha256` is the digest of.
    """

    name: str
    sha256: str
    kind: str
    size: int
    lines: int
    members: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file of a case.

    `location` is the path of a reference, `blob` the key of a copy. `size` (bytes) and `modified_ns` (nanoseconds since
    the epoch) are of the file when it was last read or added; `sha256` is empty until a reference was read once.
    `kind` is a person's classification, empty where detection decides. `problem` says why it was never read. `turn` is the
    turn of the conversation that brought it, 0 for none; `origin` says how it came (file_upload, paste, page_capture) and
    `details` what its sender said of it; of a copy also its `content_type`, and a sentence as `mismatch` where its name says
    another one.
    """

    key: UUID
    id: EvidenceId
    organization: OrganizationId
    case_id: CaseId
    name: str
    role: Role
    custody: Custody
    added_at: datetime
    added_by: UserId
    location: str = ""
    blob: str = ""
    size: int = 0
    modified_ns: int = 0
    sha256: str = ""
    kind: str = ""
    problem: str = ""
    sources: tuple[SeenSource, ...] = ()
    turn: int = 0
    origin: str = ""
    details: dict[str, str] = field(default_factory=dict)
    version: int = 1


def read(item: Evidence, sources: tuple[SeenSource, ...], size: int, modified_ns: int) -> Evidence:
    """The file was read as it is now. A copy keeps its stamp: it was read from a scratch file."""
    whole = sources[0].sha256 if len(sources) == 1 and not sources[0].members else item.sha256
    if item.custody is Custody.COPY:
        return replace(item, sources=sources)
    return replace(item, sources=sources, sha256=whole, size=size, modified_ns=modified_ns)


def classify(item: Evidence, kind: str) -> Evidence:
    """A person says what the file is; empty goes back to detection."""
    return replace(item, kind=kind)


def renew(item: Evidence, size: int, modified_ns: int, problem: str) -> Evidence:
    """The file was added once more, as it is now."""
    if (item.size, item.modified_ns, item.problem) == (size, modified_ns, problem):
        return item
    return replace(item, size=size, modified_ns=modified_ns, problem=problem, sha256="", sources=())
