"""Evidence as callers are shown it."""

from __future__ import annotations

from collections.abc import Sequence

from faultmaven_core.evidence import commands as c
from faultmaven_core.evidence.model import Evidence, State


def unsearchable(item: Evidence) -> Sequence[str]:
    """Why nothing, or not all, of a piece of evidence can be searched."""
    if item.problem:
        return (item.problem,)
    if not item.sources:
        return (f"{item.name} was not read yet; investigate the case first.",)
    return [problem for source in item.sources if not source.sha256 for problem in source.problems]


def as_found(item: Evidence) -> tuple[State, str]:
    """The state of what was found this very moment."""
    return (State.UNREADABLE, item.problem) if item.problem else (State.AVAILABLE, "")


def view(item: Evidence, state: State, explanation: str) -> c.EvidenceView:
    """The evidence in a state."""
    return c.EvidenceView(
        item.id,
        item.case_id,
        item.name,
        item.location,
        str(item.custody),
        str(state),
        explanation,
        item.sha256,
        item.size,
        str(item.role),
        item.kind,
        item.added_at,
        item.added_by,
        item.turn,
        item.origin,
        item.details,
    )
