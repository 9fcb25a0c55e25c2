"""What is said to FaultMaven in a turn of a case's conversation, and what it answers."""

from __future__ import annotations

from collections.abc import AsyncIterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class TakeTurn:
    """Say something about a case, and be answered.

    `query` is the question, `pasted_content` text to be taken as evidence. `input_type` says where the evidence comes from
    (file, paste, page_capture), `source_url` its page and `observed_at` when it was seen. `intent_type` and `intent_data` say
    what a click meant; unknown ones are a plain question.
    """

    case_id: str
    query: str = ""
    pasted_content: str = ""
    input_type: str = ""
    source_url: str = ""
    observed_at: datetime | None = None
    intent_type: str = ""
    intent_data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that comes with a turn, under the name that its sender gave it.

    By its `sha256`, in hexadecimal, another file of the same name is told apart under one request key.
    """

    name: str
    chunks: AsyncIterable[bytes]
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Brought:
    """A piece of evidence that came with a turn, by the name that it came under; `fresh` where it is only there by it.

    `duplicate_of` is the piece that has the same content, where the case had that before. `step` is the step of the turn's key
    under which it came.
    """

    evidence_id: str
    filename: str
    duplicate_of: str = ""
    fresh: bool = False
    step: str = ""


@dataclass(frozen=True, slots=True)
class FinishTurn:
    """Answer a turn whose files are evidence by now, once for its `key`; `request` is the digest of all that was sent.

    One that is `cut` cannot be begun anew: its text was too long to be kept with the job.
    """

    turn: TakeTurn
    request: str
    key: str
    brought: tuple[Brought, ...] = ()
    cut: bool = False


@dataclass(frozen=True, slots=True)
class TurnPlace:
    """Where a turn's answer stands: the number of its message in the conversation, from 1."""

    case_id: str
    turn_number: int
    message: int


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """What became of an attachment.

    `data_type` is the kind that was detected, `source_type` its class: logs | metrics | configuration | code | text | image.
    processing_status: completed | failed | pending. Of content that the case had already, `duplicate_of` is the id.
    """

    file_id: str
    evidence_id: str
    filename: str
    file_size: int
    data_type: str
    source_type: str
    upload_source: str
    processing_status: str
    uploaded_at: datetime
    duplicate_of: str | None = None
    duplicate_turn: int | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SuggestedAction:
    """type: DECIDE (a click sends `payload`) | RUN (`payload` is a command to copy) | EVIDENCE | FREE_SPEECH."""

    type: str
    label: str
    payload: str | None = None
    intent: dict[str, Any] | None = None
    body: str | None = None
    hints: tuple[str, ...] | None = None
    evidence_need_id: str | None = None


@dataclass(frozen=True, slots=True)
class Transparency:
    """Whether an investigation stands still, and what would bring it on."""

    active: bool
    pending_milestone: str | None = None
    milestone_description: str | None = None
    repair_type: str | None = None


@dataclass(frozen=True, slots=True)
class TurnView:
    """The answer, as Markdown, and what the turn changed.

    cause_assurance: None before a record | no_root | mechanistic | confirmed. `cause_overclaim` is whether a cause is told as
    surer than the evidence makes it.
    """

    agent_response: str
    turn_number: int
    case_state: str
    attachments_processed: tuple[AttachmentView, ...] = ()
    suggested_actions: tuple[SuggestedAction, ...] = ()
    milestones_completed: tuple[str, ...] = ()
    progress_made: bool = False
    progress_transparency: Transparency | None = None
    cause_assurance: str | None = None
    cause_overclaim: bool | None = None
