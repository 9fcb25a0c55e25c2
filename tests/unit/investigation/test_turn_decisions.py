"""What turns decide: the two handshakes of a case, clicks, and what a person says of an explanation."""

from __future__ import annotations

from pathlib import Path

import pytest

from faultmaven import FaultMaven
from faultmaven_core.cases.commands import CloseCase, ReadReport
from faultmaven_core.evidence.commands import ListEvidence
from faultmaven_core.investigation.suggesting import LONGEST_LABEL
from faultmaven_core.shared.errors import (
    InvalidInputError,
    PreconditionFailedError,
)
from tests.unit.investigation.talking import click, found, offered, opened, said, say, shown


async def test_the_problem_is_agreed_on_in_two_turns(fm: FaultMaven) -> None:
    """Proposed, then agreed; the investigation is open then."""
    case = await opened(fm)
    first = await say(fm, case, "checkout answers with errors since noon")
    assert "**checkout answers with errors since noon**".lower() in first.agent_response.lower()
    yes = offered(first, "Yes, that is the problem")
    second = await click(fm, case, yes, user_confirmed=True)
    assert second.case_state == "investigating"
    view = await shown(fm, case)
    assert (view.dialogue.agreed, view.dialogue.gate) == (True, "")
    assert view.question == "Checkout answers with errors since noon"
    assert view.title == "Checkout answers with errors since noon"


@pytest.mark.parametrize("no", ["no", "button"])
async def test_a_problem_that_is_not_it_is_asked_for_anew(fm: FaultMaven, no: str) -> None:
    """By word or by click; another sentence is the next proposal."""
    case = await opened(fm)
    first = await say(fm, case, "checkout is slow")
    if no == "no":
        second = await say(fm, case, "no")
    else:
        second = await click(fm, case, offered(first, "No, let me say it differently"))
    assert second.case_state == "inquiry"
    third = await say(fm, case, "payments time out for users in Asia")
    assert "payments time out" in third.agent_response.lower()
    assert (await shown(fm, case)).dialogue.statement.lower() == "payments time out for users in asia"


async def test_an_end_is_asked_for_before_it_counts_and_anything_else_is_the_way_out(
    fm: FaultMaven, crash: Path
) -> None:
    """Words propose; a yes decides; a question drops the proposal."""
    case = await found(fm, crash)
    asked = await say(fm, case, "it is fixed now")
    assert asked.case_state == "investigating"
    assert "Shall I resolve this case?" in asked.agent_response
    await say(fm, case, "why do you think so?")
    assert (await say(fm, case, "yes")).case_state == "investigating"
    again = await say(fm, case, "please mark it as resolved")
    done = await click(fm, case, offered(again, "Yes, resolve the case"))
    assert done.case_state == "resolved"
    ended = await shown(fm, case)
    assert (ended.status, ended.closure_reason) == ("resolved", "resolved")
    assert len(await said(fm, case)) == 2 * done.turn_number


@pytest.mark.parametrize("investigated", [True, False])
@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("why do you think so?", {}),
        ("stay", {"type": "status_transition", "to_state": ""}),
        ("stay", {"type": "status_transition", "to_state": "nowhere"}),
        ("this", {"type": "hypothesis_action", "hypothesis_id": "hyp_0", "action": "validate"}),
    ],
)
async def test_an_end_that_was_not_agreed_to_lapses_in_either_state(
    fm: FaultMaven, crash: Path, text: str, intent: dict[str, str], *, investigated: bool
) -> None:
    """Whatever came in between, by word or by click; a later yes is none to it."""
    case = await found(fm, crash) if investigated else await opened(fm)
    state = (await shown(fm, case)).status
    assert "Shall I close this case" in (await say(fm, case, "close the case")).agent_response
    data = {**intent, "to_state": intent["to_state"] or state} if "to_state" in intent else intent
    await say(fm, case, text, intent_type=intent.get("type", ""), intent_data=data)
    view = await say(fm, case, "yes")
    assert (view.case_state, (await shown(fm, case)).status) == (state, state)


async def test_a_proposed_problem_waits_for_its_answer(fm: FaultMaven) -> None:
    """A question in between does not make it another's."""
    case = await opened(fm)
    await say(fm, case, "checkout answers with errors since noon")
    await say(fm, case, "what do you need?")
    assert (await say(fm, case, "yes")).case_state == "investigating"


@pytest.mark.parametrize(
    ("to", "investigated", "state", "reason"),
    [
        ("closed", False, "closed", "inquiry_only"),
        ("closed", True, "closed", "solution_deferred"),
        ("resolved", True, "resolved", "resolved"),
        ("investigating", False, "investigating", ""),
        ("resolved", False, "inquiry", ""),
        ("nowhere", False, "inquiry", ""),
    ],
)
async def test_the_menus_transitions_are_done_as_they_are_asked(
    fm: FaultMaven, crash: Path, to: str, *, investigated: bool, state: str, reason: str
) -> None:
    """With an answer and a pair of messages; one that cannot be is explained."""
    case = await found(fm, crash) if investigated else await opened(fm)
    data = {"type": "status_transition", "from_state": "x", "to_state": to, "user_confirmed": True, "extra": 1}
    view = await say(fm, case, f"Set to {to}", intent_type="status_transition", intent_data=data)
    after = await shown(fm, case)
    assert (view.case_state, after.status, after.closure_reason) == (state, state, reason)
    assert view.agent_response
    assert after.message_count == 2 * view.turn_number


async def test_an_ended_case_answers_questions_and_takes_nothing(fm: FaultMaven, crash: Path) -> None:
    """No file, no paste, no transition; a refused turn leaves no message."""
    case = await found(fm, crash)
    await fm.cases.close(CloseCase(case, "resolved"), fm.caller)
    before = await said(fm, case)
    for attempt in (
        say(fm, case, "look", crash / "app.log"),
        say(fm, case, "look", pasted_content="x"),
        say(fm, case, "open", intent_type="status_transition", intent_data={"to_state": "investigating"}),
    ):
        with pytest.raises(PreconditionFailedError, match="is resolved"):
            await attempt
    assert await said(fm, case) == before
    view = await say(fm, case, "what was the root cause?")
    assert "Root cause" in view.agent_response
    assert view.case_state == "resolved"
    assert [one.type for one in view.suggested_actions] == ["DECIDE", "DECIDE"]
    ended = await shown(fm, case)
    assert (ended.message_count, ended.status) == (len(before) + 2, "resolved")


async def test_a_person_judges_an_explanation(fm: FaultMaven, crash: Path) -> None:
    """The cause is then confirmed, or ruled out, by their word."""
    case = await found(fm, crash)
    view = await say(fm, case, "what is the root cause?")
    confirmed = await click(fm, case, offered(view, "This is the cause"))
    assert confirmed.cause_assurance == "confirmed"
    assert (await shown(fm, case)).judgement == "confirmed"
    refuted = await click(fm, case, offered(view, "This is not the cause"))
    assert refuted.cause_assurance == "no_root"
    assert "rejected by a person" in (await say(fm, case, "what did you rule out?")).agent_response
    unknown = {"type": "hypothesis_action", "hypothesis_id": "hyp_0", "action": "validate"}
    view = await say(fm, case, "this", intent_type="hypothesis_action", intent_data=unknown)
    assert "do not know this explanation" in view.agent_response


async def test_a_cause_that_was_rejected_can_be_held_for_right_after_all(fm: FaultMaven, crash: Path) -> None:
    """It is then confirmed, not rejected once more in favour of itself; the answer says so at once."""
    case = await found(fm, crash)
    view = await say(fm, case, "what is the root cause?")
    right, wrong = offered(view, "This is the cause"), offered(view, "This is not the cause")
    await click(fm, case, wrong)
    again = await click(fm, case, right)
    assert again.cause_assurance == "confirmed"
    after = await shown(fm, case)
    assert (after.judgement, after.verdict, after.actual_cause) == ("confirmed", "confirmed", after.cause)
    record = await fm.investigation.report(ReadReport(case), fm.caller)
    assert record.root_cause is not None
    assert not any("rejected by a person" in one.because for one in record.ruled_out)


async def test_a_file_is_read_as_what_a_person_says_it_is(fm: FaultMaven, crash: Path) -> None:
    """Both names of its id are known; an id of nowhere is not found."""
    case = await opened(fm)
    lines = ["import os", "def restart(pod):", "    return os.kill(pod, 9)", "class Pod:", "    name = 'web'", ""]
    (crash / "notes.txt").write_text("\n".join(lines))
    view = await say(fm, case, "our notes", crash / "notes.txt")
    assert view.attachments_processed[0].source_type == "code"
    button = offered(view, "Read notes.txt as a log")
    after = await click(fm, case, button)
    assert after.turn_number == 2
    (item,) = (await fm.evidence.list(ListEvidence(case), fm.caller)).items
    assert item.kind == "log"
    nowhere = {"file_id": "ev_000000000000", "kind": "log"}
    with pytest.raises(InvalidInputError, match="no file"):
        await say(fm, case, "read", intent_type="file_reclassification", intent_data=nowhere)


@pytest.mark.parametrize("intent", ["conversation", "evidence_need", "dance", "confirmation"])
async def test_an_intent_that_is_not_known_is_a_plain_question(fm: FaultMaven, intent: str) -> None:
    """Never an error."""
    case = await opened(fm)
    view = await say(fm, case, "hello", intent_type=intent, intent_data={"type": intent, "x": [1]})
    assert view.agent_response


async def test_every_suggestion_is_one_that_clients_can_show(fm: FaultMaven, crash: Path) -> None:
    """Labels that fit, a payload for each click, lists where lists are joined."""
    case = await opened(fm)
    views = [
        await say(fm, case, "the database of checkout is slow, and pods restart"),
        await say(fm, case, "", crash / "describe.txt"),
        await say(fm, case, "it is fixed"),
        await say(fm, case, "yes"),
    ]
    for one in (action for view in views for action in view.suggested_actions):
        assert one.type in {"DECIDE", "RUN", "EVIDENCE", "FREE_SPEECH"}
        assert 0 < len(one.label) <= LONGEST_LABEL
        assert bool(one.payload) is (one.type in {"DECIDE", "RUN"})
        assert one.intent is None or (one.type == "DECIDE" and one.intent["type"])
        assert one.hints is None or isinstance(one.hints, tuple)
        assert (one.evidence_need_id is not None) is (one.type == "EVIDENCE")
    assert all(len(view.suggested_actions) <= 10 for view in views)


async def test_an_ended_case_takes_a_pasted_question_as_a_question(fm: FaultMaven, crash: Path) -> None:
    """It is asked about, and keeps nothing more."""
    case = await found(fm, crash)
    await fm.cases.close(CloseCase(case, "resolved"), fm.caller)
    text = "\n".join(f"2026-03-01T12:00:0{n}Z ERROR x" for n in range(6)) + "\nwhat was the root cause?"
    assert "Root cause" in (await say(fm, case, text)).agent_response


async def test_what_says_nothing_names_no_case(fm: FaultMaven, crash: Path) -> None:
    """Its cause does."""
    case = await opened(fm)
    await say(fm, case, "what is wrong?")
    assert (await shown(fm, case)).title.startswith("Case-")
    await say(fm, case, "what is wrong?", crash / "describe.txt")
    assert "serv" in (await shown(fm, case)).title or "web" in (await shown(fm, case)).title
