"""Cases and their messages as clients read and write them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class NewCase:
    """What opens a case. Without a title it gets one that says its day and number."""

    title: str | None = None
    description: str | None = None
    priority: str | None = None
    metadata: dict[str, Any] | None = None
    initial_message: str | None = None
    source: str | None = None
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class CaseChange:
    """What is to be different; what is absent or null stays. `shared_team_ids` are all teams that the case is shared with."""

    title: str | None = None
    description: str | None = None
    priority: str | None = None
    metadata: dict[str, Any] | None = None
    shared_team_ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case. `status` is `state` by its older name, `owner_id` is `user_id`, `message_count` counts messages of both sides.

    state: inquiry | investigating | resolved | closed; priority: low | medium | high | critical.
    """

    case_id: str
    title: str
    state: str
    status: str
    created_at: datetime
    updated_at: datetime
    last_activity_at: datetime
    priority: str
    description: str
    current_turn: int
    message_count: int
    user_id: str
    owner_id: str
    organization_id: str
    closure_reason: str | None
    closed_at: datetime | None
    resolved_at: datetime | None
    is_terminal: bool
    source: str
    stage: str | None
    turns_without_progress: int
    valid_next_states: tuple[str, ...]
    shared_team_ids: tuple[str, ...]
    metadata: dict[str, Any]
    version: int
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseDetail(CaseRow):
    """A case, and how far its investigation is; `solution_count` counts the remedies of its last record.

    current_stage: as `stage`.
    """

    milestones_completed: tuple[str, ...]
    pending_milestones: tuple[str, ...]
    current_stage: str | None
    evidence_count: int
    hypothesis_count: int
    solution_count: int
    escalated: bool


@dataclass(frozen=True, slots=True)
class CaseList:
    """A page of cases, the last active first; `total` is `total_count` by its older name.

    With `next_cursor` as `cursor` the list goes on; it is null at the end.
    """

    cases: tuple[CaseRow, ...]
    total_count: int
    total: int
    limit: int
    offset: int
    has_more: bool
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases, and which part of them. `state` goes before `status`, `offset` before `page`.

    A page begins behind `cursor`, the `next_cursor` of the page before; or at `offset`, or at `page` from 0 with `page_size`.
    """

    limit: int = 50
    offset: int | None = None
    cursor: str = ""
    page: int | None = None
    page_size: int | None = None
    state: str = ""
    status: str = ""
    source: str = ""
    priority: str = ""
    team_id: str = ""
    text: str = ""
    date_from: datetime | None = None
    date_to: datetime | None = None
    include_empty: bool = True
    include_archived: bool = False


@dataclass(frozen=True, slots=True)
class CaseSearch:
    """Words that title, question or cause must have, or the id of a case; `page` counts from 0."""

    query: str = ""
    page: int = 0
    page_size: int = 50


@dataclass(frozen=True, slots=True)
class TitleWish:
    """How a case is to be named."""

    max_words: int = 8
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class CaseTitle:
    """The name that a case has now."""

    title: str
    schema_version: str = "2.0.0"


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which part of a conversation: after so many messages, so many; or from the `next_cursor` of the page before on."""

    limit: int = 100
    offset: int = 0
    cursor: str = ""
    include_debug: bool = False


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One thing that was said; role: user | assistant | system. `token_count` is null: nothing counts them."""

    message_id: str
    role: str
    content: str
    created_at: datetime
    turn_number: int
    author_id: str | None
    metadata: dict[str, Any] = field(default_factory=dict)
    token_count: int | None = None


@dataclass(frozen=True, slots=True)
class MessageList:
    """Part of a conversation, oldest first; `next_offset` and `next_cursor` are null at its end."""

    messages: tuple[MessageRow, ...]
    total_count: int
    retrieved_count: int
    has_more: bool
    next_offset: int | None
    next_cursor: str | None = None
    debug_info: None = None
