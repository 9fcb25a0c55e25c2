"""A case at a glance, in each of its states, with the fields that clients read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from faultmaven import FaultMaven
from faultmaven_core import codec
from faultmaven_core.cases.commands import CloseCase, ConfirmCause, OpenCase, RejectCause, TitleCase
from faultmaven_core.evidence.commands import AddEvidence
from faultmaven_core.investigation.commands import Investigate
from faultmaven_core.investigation.screen_views import CaseScreen, Eligibility, ReadScreen
from faultmaven_core.investigation.turn_commands import Attachment, TakeTurn
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError


async def content(data: bytes) -> AsyncIterator[bytes]:
    """A file as it comes."""
    yield data


async def seen(fm: FaultMaven, case: str) -> CaseScreen:
    """The screen; it can be sent."""
    view = await fm.application.turns.screen(ReadScreen(case), fm.caller)
    assert codec.restore(CaseScreen, codec.encode(view)) == view
    return view


async def opened(fm: FaultMaven, crash: Path | None = None) -> str:
    """A case, perhaps with a root cause."""
    case = (await fm.cases.open(OpenCase(), fm.caller)).case_id
    if crash is not None:
        attached = [Attachment("describe.txt", content((crash / "describe.txt").read_bytes()))]
        await fm.application.turns.take(TakeTurn(case, "Why does web crash?"), fm.caller, attached)
    return case


async def test_an_inquiry_shows_what_is_agreed_on(fm: FaultMaven) -> None:
    """Nothing yet; then a proposal."""
    case = await opened(fm)
    view = await seen(fm, case)
    assert (view.state, view.current_turn, view.uploaded_files_count) == ("inquiry", 0, 0)
    assert view.valid_next_states == ("investigating", "closed")
    assert view.disposition_eligibility == Eligibility("not_eligible", "ready")
    assert view.inquiry is not None
    assert view.inquiry.proposed_problem_statement is None
    await fm.application.turns.take(TakeTurn(case, "checkout is slow"), fm.caller)
    view = await seen(fm, case)
    assert view.inquiry is not None
    assert (view.inquiry.proposed_problem_statement, view.inquiry.problem_statement_confirmed) == (
        "Checkout is slow",
        False,
    )
    assert view.title == "Checkout is slow"
    assert view.progress is None


async def test_an_investigation_shows_how_far_it_is(fm: FaultMaven, crash: Path) -> None:
    """Milestones, explanations, evidence, what is held for the cause."""
    view = await seen(fm, await opened(fm, crash))
    assert (view.state, view.uploaded_files_count, view.inquiry) == ("investigating", 1, None)
    assert view.valid_next_states == ("resolved", "closed")
    assert view.disposition_eligibility == Eligibility("ready", "ready")
    assert view.progress is not None
    assert view.progress.current_stage in {"diagnosis", "mitigation", "treatment"}
    allowed = {"symptom_verified", "scope_assessed", "timeline_established", "changes_identified"}
    allowed |= {"root_cause_identified", "solution_proposed"}
    assert set(view.progress.completed_indicators) <= allowed
    assert "symptom_verified" in view.progress.completed_indicators
    assert view.progress.total_evidence == 1
    assert view.working_conclusion is not None
    assert 0 <= view.working_conclusion.confidence <= 1
    assert view.active_hypotheses[0].state == "active"
    assert 0 <= view.active_hypotheses[0].likelihood <= 1
    assert [(one.summary, one.collected_at_turn) for one in view.latest_evidence] == [("describe.txt", 1)]
    assert view.next_actions


async def test_what_a_person_says_of_an_explanation_is_shown(fm: FaultMaven, crash: Path) -> None:
    """By its id, which is the same in every record."""
    case = await opened(fm, crash)
    named = (await seen(fm, case)).active_hypotheses[0].hypothesis_id
    data = {"type": "hypothesis_action", "hypothesis_id": named, "action": "retire"}
    await fm.application.turns.take(TakeTurn(case, "no", intent_type="hypothesis_action", intent_data=data), fm.caller)
    shown = {one.hypothesis_id: one.state for one in (await seen(fm, case)).active_hypotheses}
    assert shown[named] == "retired"


@pytest.mark.parametrize("confirmed", [True, False])
async def test_a_resolved_case_shows_its_cause_and_who_found_it_right(
    fm: FaultMaven, crash: Path, clock: FixedClock, *, confirmed: bool
) -> None:
    """With what was done, as far as somebody said so."""
    case = await opened(fm, crash)
    if confirmed:
        await fm.cases.confirm(ConfirmCause(case), fm.caller)
    clock.advance(timedelta(minutes=90))
    await fm.cases.close(CloseCase(case, "resolved"), fm.caller)
    view = await seen(fm, case)
    assert (view.state, view.valid_next_states, view.disposition_eligibility) == ("resolved", (), None)
    assert view.root_cause is not None
    assert "serv" in view.root_cause.description
    assert (view.root_cause.cause_assurance, view.root_cause.cause_overclaim) == (
        "confirmed" if confirmed else "mechanistic",
        False,
    )
    assert view.verification_status is not None
    assert view.verification_status.verified is confirmed
    assert view.resolution_summary is not None
    assert view.resolution_summary.total_duration_minutes == 90
    assert [(one.report_type, one.status) for one in view.reports_available] == [
        ("resolution_summary", "auto_generated")
    ]
    assert view.resolved_at == clock.now()
    assert view.progress is None


async def test_a_closed_case_without_a_cause_claims_none(fm: FaultMaven, crash: Path) -> None:
    """Nor a solution; the cause that a person named instead is theirs."""
    case = await opened(fm)
    await fm.cases.close(CloseCase(case, "inquiry_only"), fm.caller)
    view = await seen(fm, case)
    assert (view.root_cause, view.solution_applied, view.closure_reason) == (None, None, "inquiry_only")
    assert view.reports_available[0].status == "skipped"
    other = await opened(fm, crash)
    await fm.cases.reject(RejectCause(other, "a full disk"), fm.caller)
    await fm.cases.close(CloseCase(other, "escalated"), fm.caller)
    view = await seen(fm, other)
    assert view.root_cause is not None
    assert view.root_cause.description == "a full disk"


async def test_a_cause_that_was_rejected_is_asserted_nowhere(fm: FaultMaven, crash: Path) -> None:
    """Not by the stage, not as ready to resolve, not as the reason of its end; a cause that a person named is theirs."""
    case = await opened(fm, crash)
    before = await seen(fm, case)
    assert before.progress is not None
    assert before.progress.current_stage == "treatment"
    await fm.cases.reject(RejectCause(case, ""), fm.caller)
    view = await seen(fm, case)
    assert view.disposition_eligibility == Eligibility("needs_info", "ready")
    assert view.progress is not None
    assert (view.progress.current_stage, view.progress.completed_stage_gates) == ("diagnosis", ())
    data = {"type": "status_transition", "to_state": "closed", "user_confirmed": True}
    end = TakeTurn(case, "close", intent_type="status_transition", intent_data=data)
    await fm.application.turns.take(end, fm.caller)
    assert (await seen(fm, case)).closure_reason == "closed_insufficient_evidence"
    other = await opened(fm, crash)
    await fm.cases.reject(RejectCause(other, "a full disk"), fm.caller)
    assert (await seen(fm, other)).disposition_eligibility == Eligibility("ready", "ready")


async def test_a_case_is_not_named_after_a_rejected_cause(fm: FaultMaven, crash: Path) -> None:
    """Though it was investigated without a word."""
    case = await opened(fm)
    await fm.evidence.add(AddEvidence(case, str(crash / "describe.txt")), fm.caller)
    await fm.investigation.investigate(Investigate(case), fm.caller)
    await fm.cases.reject(RejectCause(case, ""), fm.caller)
    with pytest.raises(InvalidInputError, match="nothing to name"):
        await fm.cases.title(TitleCase(case), fm.caller)


async def test_a_foreign_case_has_no_screen(fm: FaultMaven, foreigner: Caller) -> None:
    """It looks like none."""
    with pytest.raises(NotFoundError):
        await fm.application.turns.screen(ReadScreen(await opened(fm)), foreigner)


async def test_an_explanation_keeps_its_id(fm: FaultMaven, crash: Path) -> None:
    """Across investigations and cases."""
    first, second = await opened(fm, crash), await opened(fm, crash)
    shown = [(await seen(fm, case)).active_hypotheses[0].hypothesis_id for case in (first, second)]
    assert shown[0] == shown[1]
    assert shown[0].startswith("hyp_")
