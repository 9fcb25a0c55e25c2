"""What can be asked of cases, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from faultmaven_core.analysis.record import RcaRecord


@dataclass(frozen=True, slots=True)
class OpenCase:
    """Open a case. Without a title, the question's beginning is the title."""

    question: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class ListCases:
    """Cases, newest first. `text` holds words that title, question or cause must have; `after` is a page's `next`.

    `judgement` is what a person said of the cause: confirmed | rejected.
    """

    status: str | None = None
    text: str = ""
    after: str | None = None
    limit: int = 50
    judgement: str | None = None


@dataclass(frozen=True, slots=True)
class ShowCase:
    """One case."""

    case_id: str


@dataclass(frozen=True, slots=True)
class BeginInvestigation:
    """Say that the analysis of the evidence starts."""

    case_id: str
    question: str = ""


@dataclass(frozen=True, slots=True)
class StoreRecord:
    """Keep a record as the case's conclusion, with its exhibits as JSON."""

    case_id: str
    record: RcaRecord
    exhibits: bytes


@dataclass(frozen=True, slots=True)
class ConfirmCause:
    """A person says that the cause is right."""

    case_id: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class RejectCause:
    """A person says that the cause is wrong; `cause` is what it really was, if known."""

    case_id: str
    cause: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class CloseCase:
    """End a case: resolved | abandoned | escalated | inquiry_only | duplicate | other."""

    case_id: str
    reason: str = "other"
    note: str = ""


@dataclass(frozen=True, slots=True)
class DeleteCase:
    """Remove a case with its records, its journal and all copies of its evidence."""

    case_id: str


@dataclass(frozen=True, slots=True)
class PruneCases:
    """Remove ended cases that nothing has changed since `older_than`; open ones stay. `dry_run` only lists them."""

    older_than: datetime
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ReadJournal:
    """What happened to a case, oldest first; `after` is the last sequence number already seen."""

    case_id: str
    after: int = 0
    limit: int = 200


@dataclass(frozen=True, slots=True)
class ReadReport:
    """The last record of a case."""

    case_id: str


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A record as a person's judgement leaves it, and its exhibits as JSON."""

    record: RcaRecord
    exhibits: bytes


@dataclass(frozen=True, slots=True)
class NoteEvent:
    """Write what happened in another context into the case's journal, once per `key` (a UUID)."""

    case_id: str
    key: str
    kind: str
    detail: dict[str, str]


@dataclass(frozen=True, slots=True)
class TransitionView:
    """A change of status."""

    from_status: str
    to_status: str
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case. `verdict` and `cause` are empty before the first record; `judgement` is empty, confirmed or rejected.

    `mechanism` tells causes apart: the mechanism's id, and the kind and `namespace/name` of what it broke.
    """

    case_id: str
    title: str
    question: str
    status: str
    verdict: str
    cause: str
    judgement: str
    actual_cause: str
    closure_reason: str
    owner: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    version: int
    history: tuple[TransitionView, ...]
    mechanism: str = ""


@dataclass(frozen=True, slots=True)
class CasePage:
    """Some cases; `next` continues, None at the end."""

    items: tuple[CaseView, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class CaseDeleted:
    """The case that is gone."""

    case_id: str


@dataclass(frozen=True, slots=True)
class CasesPruned:
    """The cases that are gone, or would be."""

    case_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JournalEntryView:
    """One event. `digest` covers the entry and the digest before it."""

    sequence: int
    at: datetime
    actor: str
    kind: str
    detail: dict[str, str]
    digest: str


@dataclass(frozen=True, slots=True)
class JournalPage:
    """Some events. `intact` is False where the chain of digests does not hold: somebody changed the stored journal."""

    entries: tuple[JournalEntryView, ...]
    next: int | None
    intact: bool


@dataclass(frozen=True, slots=True)
class Noted:
    """The journal has the event; `case_exists` is False where its case is gone."""

    case_exists: bool
