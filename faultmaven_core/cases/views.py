"""Cases as callers are shown them."""

from __future__ import annotations

from faultmaven_core.cases import commands as c
from faultmaven_core.cases.dialogue import Message
from faultmaven_core.cases.milestones import as_judged
from faultmaven_core.cases.model import Case, Judgement
from faultmaven_core.cases.turn_commands import MessageView


def view(case: Case, grown: int = 0) -> c.CaseView:
    """The case; `grown` is by how much saving it grew its version."""
    return c.CaseView(
        case.id,
        case.title,
        case.question,
        str(case.status),
        case.verdict,
        case.cause,
        str(case.judgement),
        case.actual_cause,
        case.closure_reason,
        case.owner,
        case.created_at,
        case.updated_at,
        case.closed_at,
        case.version + grown,
        tuple(c.TransitionView(str(t.from_status), str(t.to_status), t.at, t.by, t.reason) for t in case.history),
        case.mechanism,
        case.description,
        str(case.priority),
        case.source,
        case.metadata,
        case.turns,
        case.messages,
        case.dialogue,
        case.records,
        case.archived_at,
        case.teams,
        as_judged(
            case.figures,
            confirmed=case.judgement is Judgement.CONFIRMED and bool(case.cause),
            rejected=case.judgement is Judgement.REJECTED,
        ),
    )


def message_view(message: Message) -> MessageView:
    """The message."""
    return MessageView(
        message.id,
        str(message.role),
        message.text,
        message.at,
        message.turn,
        message.author,
        message.metadata,
    )
