"""What can be asked of a case's conversation, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from faultmaven_core.cases.commands import CaseView
from faultmaven_core.cases.dialogue import Dialogue


@dataclass(frozen=True, slots=True)
class ReadMessages:
    """What was said, oldest first, without the first `offset` messages; 100 at most."""

    case_id: str
    offset: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class MessageView:
    """role: user | assistant | system. Both messages of a turn have its number."""

    message_id: str
    role: str
    content: str
    created_at: datetime
    turn_number: int
    author_id: str
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Some messages, and how many there are in all."""

    messages: tuple[MessageView, ...]
    total: int
    offset: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What a turn changes of its case besides what is said: a person's word, as a state and a judgement.

    `status` is the state to go to (empty: none), `reason` why it ends there; `judgement` is confirmed or rejected, `cause`
    what it really was.
    """

    status: str = ""
    reason: str = ""
    judgement: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A turn as its client sent it, by the digest of all that was sent."""

    case_id: str
    request: str


@dataclass(frozen=True, slots=True)
class KeepTurn:
    """Keep a question and its answer as turn `turn` of a case that was seen in a state and a version.

    `reply` is the whole answer as its client gets it, `beside` what of it the stored message has beside its text; `title` takes the place of a title that says nothing yet.
    """

    asked: Asked
    turn: int
    status: str
    version: int
    question: str
    answer: str
    about: dict[str, Any] = field(default_factory=dict)
    reply: dict[str, Any] = field(default_factory=dict)
    beside: dict[str, Any] = field(default_factory=dict)
    dialogue: Dialogue = field(default_factory=Dialogue)
    decision: Decision = Decision()
    title: str = ""


@dataclass(frozen=True, slots=True)
class TurnKept:
    """The case afterwards, and the answer."""

    case: CaseView
    reply: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AddNotice:
    """Tell of something that happened outside of turns."""

    case_id: str
    text: str
