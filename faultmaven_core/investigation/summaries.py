"""An ended case on one page: what it was, how it ended, and what is to be remembered of it."""

from __future__ import annotations

from collections.abc import Iterator

from faultmaven_core.cases.model import CaseStatus
from faultmaven_core.investigation.markdown import bullets, many, plain
from faultmaven_core.investigation.screen_views import CaseScreen, CauseScreen

_SURE = {
    "confirmed": "A person found it right.",
    "mechanistic": "It follows from the evidence; nobody confirmed it.",
}


def summary(screen: CaseScreen) -> str:
    """Markdown, told from what is shown of the case, whose secrets are masked."""
    return "\n\n".join(_parts(screen)) + "\n"


def _parts(screen: CaseScreen) -> Iterator[str]:
    resolved = screen.state == CaseStatus.RESOLVED
    yield f"# {plain(screen.title)}"
    yield f"{_end(screen)} {plain(screen.case_id)}."
    if screen.problem_statement:
        yield f"## Problem\n\n{plain(screen.problem_statement)}"
    yield f"## Root cause\n\n{_cause(screen.root_cause)}"
    if resolved:
        done = screen.solution_applied
        yield f"## Solution\n\n{plain(done.description) if done else 'No remedy was recorded.'}"
    if screen.verification_status:
        yield f"## Verification\n\n{plain(screen.verification_status.details)}"
    numbers = screen.resolution_summary
    if numbers:
        reached = ", ".join(name.replace("_", " ") for name in numbers.milestones_completed) or "none"
        lines = [
            f"Open for {many(numbers.total_duration_minutes, 'minute')}",
            f"{many(numbers.evidence_collected, 'piece')} of evidence, {many(numbers.hypotheses_tested, 'explanation')} tried",
            f"Milestones: {reached}",
        ]
        yield f"## In numbers\n\n{bullets(lines)}"
        if numbers.key_insights:
            yield f"## What was found\n\n{bullets(plain(one) for one in numbers.key_insights)}"


def _end(screen: CaseScreen) -> str:
    if screen.state == CaseStatus.RESOLVED:
        return "The case is resolved."
    return f"The case was closed ({plain((screen.closure_reason or 'other').replace('_', ' '))})."


def _cause(cause: CauseScreen | None) -> str:
    if cause is None:
        return "No cause was found."
    return f"{plain(cause.description)} {_SURE.get(cause.cause_assurance or '', '')}".rstrip()
