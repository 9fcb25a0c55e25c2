"""What can be asked of cases, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.cases.dialogue import Dialogue
from faultmaven_core.cases.milestones import Figures


@dataclass(frozen=True, slots=True)
class OpenCase:
    """Open a case. Without a title, the question's beginning is the title; without both, the case's number of its day.

    priority: low | medium | high | critical. `source` names the client, `metadata` is its own and comes back as it is.
    """

    question: str = ""
    title: str = ""
    description: str = ""
    priority: str = "medium"
    source: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListCases:
    """Cases, newest first. `text` holds words that title, question or cause must have; `after` is a page's `next`.

    `judgement` is what a person said of the cause: confirmed | rejected. Archived cases are left out unless `archived`.
    """

    status: str | None = None
    text: str = ""
    after: str | None = None
    limit: int = 50
    judgement: str | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class BrowseCases:
    """Cases, the last changed first, without the first `offset` of those that match; `team` is one they are shared with.

    `since` and `until` bound the moment of opening. Without `include_empty`, cases that have waited for their first turn for
    some minutes are left out. `cursor` is an earlier page's `next`; the list then goes on behind it.
    """

    status: str = ""
    text: str = ""
    source: str = ""
    priority: str = ""
    since: datetime | None = None
    until: datetime | None = None
    include_empty: bool = True
    offset: int = 0
    limit: int = 50
    cursor: str = ""
    team: str = ""
    include_archived: bool = False


@dataclass(frozen=True, slots=True)
class UpdateCase:
    """Change what is given; None leaves it as it is. An ended case may still be renamed.

    With `version`, only a case that is still as it was read with that version is changed. `teams` are the ids of those that
    it is shared with.
    """

    case_id: str
    title: str | None = None
    description: str | None = None
    priority: str | None = None
    metadata: dict[str, Any] | None = None
    version: int | None = None
    teams: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TitleCase:
    """Name a case after what is known of it, in 3 to `max_words` words; a title that a person gave is kept.

    `hint` is said to be what the case is about.
    """

    case_id: str
    max_words: int = 8
    hint: str = ""


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
    """Take a case away. It can be restored for 30 days, and then goes with its records, journal and evidence copies.

    `forever` removes all of it now, also of a case that was taken away before.
    """

    case_id: str
    forever: bool = False


@dataclass(frozen=True, slots=True)
class ArchiveCase:
    """Leave a case out of lists from now on; nothing else of it changes."""

    case_id: str


@dataclass(frozen=True, slots=True)
class UnarchiveCase:
    """Have a case in lists again."""

    case_id: str


@dataclass(frozen=True, slots=True)
class RestoreCase:
    """Bring a deleted case back as it was."""

    case_id: str


@dataclass(frozen=True, slots=True)
class PurgeCase:
    """Remove a case that was deleted at a moment and has not been restored since."""

    case_id: str
    deleted_at: datetime


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
    """A record as a person's judgement leaves it, its exhibits as JSON, and the record as the analysis `found` it."""

    record: RcaRecord
    exhibits: bytes
    found: RcaRecord


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
    """A case. `verdict` and `cause` are empty before the first of its `records`; `judgement`: confirmed | rejected | empty.

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
    description: str = ""
    priority: str = "medium"
    source: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    current_turn: int = 0
    message_count: int = 0
    dialogue: Dialogue = field(default_factory=Dialogue)
    records: int = 0
    archived_at: datetime | None = None
    teams: tuple[str, ...] = ()
    figures: Figures = field(default_factory=Figures)


@dataclass(frozen=True, slots=True)
class CasePage:
    """Some cases; `next` continues, None at the end."""

    items: tuple[CaseView, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class CaseList:
    """Some cases, and how many match in all. `next` continues, None at the end."""

    items: tuple[CaseView, ...]
    total: int
    offset: int
    limit: int
    next: str | None = None


@dataclass(frozen=True, slots=True)
class CaseTitled:
    """The title; `source` says what it was made of: kept | hint | cause | statement | question."""

    title: str
    source: str


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
