"""What is said about a case: messages that only grow, and what both sides have agreed on so far."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from faultmaven_core.shared.ids import CaseId, MessageId, UserId


class MessageRole(StrEnum):
    """Who speaks. SYSTEM tells what happened outside of turns."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"


class Gate(StrEnum):
    """What the last answer asked a person to agree to."""

    NONE = ""
    STATEMENT = "statement"
    RESOLVED = "resolved"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that was said, at its place in the conversation (from 1); `author` is empty but for persons."""

    key: UUID
    id: MessageId
    case_id: CaseId
    sequence: int
    turn: int
    role: MessageRole
    author: UserId
    text: str
    at: datetime
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What a conversation has come to.

    `statement` is the problem in a sentence, `agreed` that a person took it as theirs. `judged` is what persons said of
    hypotheses by their ids: validated | refuted | retired. `idle` counts the last turns that brought nothing new.
    """

    statement: str = ""
    agreed: bool = False
    gate: Gate = Gate.NONE
    judged: tuple[tuple[str, str], ...] = ()
    idle: int = 0

    def judging(self, hypothesis: str, judgement: str) -> Dialogue:
        """With what a person says of a hypothesis now."""
        kept = {**dict(self.judged), hypothesis: judgement}
        return replace(self, judged=tuple(sorted(kept.items())))
