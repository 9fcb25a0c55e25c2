"""A turn's answer as it is kept, and as it is read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from faultmaven_core import codec
from faultmaven_core.cases.commands import CaseView
from faultmaven_core.cases.titles import title_of
from faultmaven_core.cases.turn_commands import Asked, KeepTurn, TurnKept
from faultmaven_core.investigation.answers.known import Known
from faultmaven_core.investigation.handshakes import Move
from faultmaven_core.investigation.markdown import code
from faultmaven_core.investigation.questions import understood
from faultmaven_core.investigation.turn_commands import AttachmentView, TakeTurn, TurnPlace, TurnView
from faultmaven_core.shared.text import storable


def view_of(kept: TurnKept) -> TurnView:
    """The answer as it was kept."""
    return codec.restored(TurnView, kept.reply)


def place_of(kept: TurnKept) -> TurnPlace:
    """Where it stands: the answer is the last that was said in the case of then."""
    return TurnPlace(kept.case.case_id, kept.case.current_turn, kept.case.message_count)


def shown(view: TurnView) -> TurnView:
    """The answer without what no database can hold: evidence may have characters of which nothing can be shown either."""
    return codec.restored(TurnView, _storable(codec.to_builtins(view)))


def kept(asked: Asked, seen: CaseView, command: TakeTurn, known: Known, decided: Move, view: TurnView) -> KeepTurn:
    """What is to be kept of a turn on a case that was seen."""
    about = {
        "attachments": [one.file_id for one in view.attachments_processed],
        "intent_type": command.intent_type,
        "source_url": command.source_url,
    }
    subject = known.record.root_cause.statement if known.record and known.record.root_cause else ""
    decision = decided.decision
    return KeepTurn(
        asked,
        view.turn_number,
        seen.status,
        seen.version,
        command.query.strip() or _implied(view.attachments_processed),
        view.agent_response,
        {key: value for key, value in about.items() if value},
        codec.to_builtins(view),
        {name: value for name, value in codec.to_builtins(view).items() if name != "agent_response"},
        known.case.dialogue,
        # Reading the evidence opened the investigation already.
        replace(decision, status="") if decision.status == seen.status else decision,
        _title(known.case.dialogue.statement) or storable(title_of(subject)),
    )


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {key: _storable(below) for key, below in value.items()}
    return [_storable(below) for below in value] if isinstance(value, list | tuple) else value


def _title(statement: str) -> str:
    """A title made of a statement, if it says what it is about: `What is wrong?` does not."""
    return title_of(statement) if understood(statement).names else ""


def _implied(attached: Sequence[AttachmentView]) -> str:
    """What a turn without words says."""
    names = ", ".join(code(one.filename) for one in attached)
    return f"I attached {names}." if names else "(a click)"
