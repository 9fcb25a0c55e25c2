"""Conversations as clients hold them: one question, one answer, and nothing said that the evidence does not bear out."""

from __future__ import annotations

from pathlib import Path

import pytest

from faultmaven import FaultMaven
from faultmaven_core.cases.commands import ReadJournal, ReadReport
from faultmaven_core.cases.turn_commands import ReadMessages
from faultmaven_core.evidence.commands import ListEvidence, ShowEvidence
from faultmaven_core.investigation.commands import Investigate
from faultmaven_core.investigation.turn_commands import Attachment, TakeTurn
from faultmaven_core.operations import OPERATIONS
from tests.unit.investigation.talking import found, once, opened, said, say, shown


async def test_without_evidence_it_asks_for_it_with_the_exact_commands(fm: FaultMaven) -> None:
    """And names no cause."""
    case = await opened(fm)
    view = await say(fm, case, "Pod web-7d4b9c in our shop crashes since noon")
    assert (view.turn_number, view.case_state, view.cause_assurance) == (1, "inquiry", None)
    assert "kubectl describe pod web-7d4b9c" in view.agent_response
    assert "no evidence yet" in view.agent_response
    needs = [one for one in view.suggested_actions if one.type == "EVIDENCE"]
    assert needs[0].payload is None
    assert needs[0].evidence_need_id == "need_kubernetes"
    assert any("kubectl describe pod web-7d4b9c" in text for text in needs[0].hints or ())
    assert any(one.type == "RUN" and one.payload == (needs[0].hints or ("",))[0] for one in view.suggested_actions)


async def test_a_turn_is_one_question_and_one_answer(fm: FaultMaven, crash: Path) -> None:
    """Oldest first, with the turn's number, whatever came with it."""
    case = await opened(fm)
    views = [
        await say(fm, case, "web crashes"),
        await say(fm, case, "", crash / "describe.txt"),
        await say(fm, case, "why do you think so?"),
    ]
    messages = await said(fm, case)
    assert [(one.role, one.turn_number) for one in messages] == [
        (role, turn) for turn in (1, 2, 3) for role in ("user", "assistant")
    ]
    assert [one.content for one in messages[1::2]] == [view.agent_response for view in views]
    assert messages[2].content == "I attached `describe.txt`."
    assert len({one.message_id for one in messages}) == 6
    assert all(one.content.strip() for one in messages)
    part = await fm.cases.messages(ReadMessages(case, offset=3, limit=2), fm.caller)
    assert (part.messages, part.total) == (tuple(messages[3:5]), 6)
    assert (await fm.cases.journal(ReadJournal(case), fm.caller)).intact


async def test_evidence_is_read_and_answered_with_the_cause_and_its_places(fm: FaultMaven, crash: Path) -> None:
    """The places are those of the record's checked claims, and their lines say so."""
    case = await opened(fm)
    view = await say(fm, case, "Why does web crash?", crash / "describe.txt", crash / "app.log")
    assert (view.case_state, view.cause_assurance, view.cause_overclaim) == ("investigating", "mechanistic", False)
    assert view.progress_made
    assert "root_cause_identified" in view.milestones_completed
    record = await fm.investigation.report(ReadReport(case), fm.caller)
    assert record.root_cause is not None
    assert "serv" in view.agent_response
    assert "`describe.txt:" in view.agent_response
    assert [(one.filename, one.processing_status, one.source_type) for one in view.attachments_processed] == [
        ("describe.txt", "completed", "logs"),
        ("app.log", "completed", "logs"),
    ]
    items = (await fm.evidence.list(ListEvidence(case), fm.caller)).items
    assert {(one.name, one.turn, one.origin) for one in items} == {
        ("describe.txt", 1, "file_upload"),
        ("app.log", 1, "file_upload"),
    }
    assert (await shown(fm, case)).title == "Why does web crash?"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("why do you think so?", "I hold this for the cause"),
        ("what did you rule out?", "I ruled nothing out"),
        ("what should I do?", "What is usually done"),
        ("should we restart web?", "I cannot judge"),
        ("who is affected?", "shows to be affected"),
        ("what happened at 11:58?", "`2026-03-01T11:58:01Z ERROR cannot start` (`app.log:2`)"),
        ("show errors", "`app.log:2`"),
        ("show errors of app", "`app.log:2`"),
        ("search for executable", "`describe.txt:"),
        ("is it the database?", "does not speak of database"),
        ("is it the web pod?", "Yes, as far as the evidence goes"),
        ("what files do you have?", "2 pieces of evidence"),
        ("what is the root cause?", "Root cause"),
        ("when did it start?", "happened, in order"),
        ("what do you need?", "Run `kubectl -n shop logs web-7d4b9c-x2x1p"),
        ("what happened at 03:15?", "does not reach it"),
        ("show errors of checkout", "no line for errors and warnings of checkout"),
        ("will it rain tomorrow in Paris?", "cannot answer"),
    ],
)
async def test_questions_about_the_evidence_are_answered_from_it(
    fm: FaultMaven, crash: Path, question: str, expected: str
) -> None:
    """Or it is said that they cannot be."""
    case = await found(fm, crash)
    view = await say(fm, case, question)
    assert expected in view.agent_response
    assert view.agent_response.strip()


async def test_every_place_that_is_named_holds_what_is_quoted(fm: FaultMaven, crash: Path) -> None:
    """Lines that are shown are read from the evidence, to the letter."""
    case = await found(fm, crash)
    view = await say(fm, case, "search for executable")
    items = (await fm.evidence.list(ListEvidence(case), fm.caller)).items
    described = next(one for one in items if one.name == "describe.txt")
    place = view.agent_response.partition("`describe.txt:")[2].partition("`")[0]
    detail = await fm.evidence.show(
        ShowEvidence(case, described.evidence_id, first_line=int(place), lines=1), fm.caller
    )
    assert detail.text[0].text.strip() in view.agent_response


async def test_the_same_file_again_is_said_to_be_there_already(fm: FaultMaven, crash: Path) -> None:
    """By its content, whatever it is called; the case keeps one."""
    case = await found(fm, crash)
    again = crash / "other-name.txt"
    again.write_bytes((crash / "describe.txt").read_bytes())
    view = await say(fm, case, "look again", again)
    (one,) = view.attachments_processed
    assert (one.filename, one.duplicate_turn) == ("other-name.txt", 1)
    assert one.duplicate_of == one.file_id == one.evidence_id
    assert len((await fm.evidence.list(ListEvidence(case), fm.caller)).items) == 2


async def test_a_file_that_says_nothing_is_failed_and_the_rest_is_used(fm: FaultMaven, crash: Path) -> None:
    """With the reason in the answer."""
    case = await opened(fm)
    (crash / "empty.log").write_bytes(b"")
    (crash / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8)
    names = ("empty.log", "photo.png", "describe.txt")
    view = await say(fm, case, "Why does web crash?", *(crash / name for name in names))
    states = {one.filename: one.processing_status for one in view.attachments_processed}
    assert states == {"empty.log": "failed", "photo.png": "failed", "describe.txt": "completed"}
    assert {one.filename: one.source_type for one in view.attachments_processed}["photo.png"] == "image"
    assert "`empty.log` could not be used: The file is empty." in view.agent_response
    assert "Root cause" in view.agent_response


async def test_pasted_text_is_evidence_under_a_name_that_clients_know(fm: FaultMaven, crash: Path) -> None:
    """A paste, and a page."""
    case = await opened(fm)
    text = (crash / "describe.txt").read_text()
    first = await say(fm, case, "see this", pasted_content=text, input_type="paste", source_url="https://x.example/t/1")
    second = await say(fm, case, "and this", pasted_content=text + "\n", input_type="page_capture")
    assert first.attachments_processed[0].filename == "pasted-content-1.txt"
    assert first.attachments_processed[0].upload_source == "paste"
    assert second.attachments_processed[0].filename.startswith("page-capture-")
    items = (await fm.evidence.list(ListEvidence(case), fm.caller)).items
    assert items[0].details["source_url"] == "https://x.example/t/1"
    assert "Root cause" in first.agent_response


async def test_a_conversation_that_stands_still_says_what_would_bring_it_on(fm: FaultMaven, crash: Path) -> None:
    """After three turns without anything new."""
    case = await opened(fm)
    await say(fm, case, "why?", crash / "app.log")
    views = [await say(fm, case, "why do you think so?") for _ in range(3)]
    assert [view.progress_transparency is not None for view in views] == [False, False, True]
    assert views[-1].progress_transparency is not None
    assert views[-1].progress_transparency.pending_milestone


async def test_a_files_name_is_shown_and_is_no_place(fm: FaultMaven) -> None:
    """Of a path its last part, without what steers terminals."""
    case = await opened(fm)
    names = ("../../etc/passwd", "C:\\logs\\app.log", "a\x1b[31m\u202ex.log", "")
    files = [Attachment(name, once(b"2026-03-01T12:00:00Z ERROR %d\n" % number)) for number, name in enumerate(names)]
    view = await fm.application.turns.take(TakeTurn(case, "look"), fm.caller, files)
    assert [one.filename for one in view.attachments_processed] == ["passwd", "app.log", "a[31mx.log", "unnamed"]
    assert [one.name for one in (await fm.evidence.list(ListEvidence(case), fm.caller)).items][:2] == [
        "passwd",
        "app.log",
    ]


async def test_what_was_pasted_into_the_question_is_evidence(fm: FaultMaven, crash: Path) -> None:
    """The question is the rest; the message keeps all of it."""
    case = await opened(fm)
    text = "Why does it crash?\n" + (crash / "describe.txt").read_text()
    view = await say(fm, case, text)
    assert [one.filename for one in view.attachments_processed] == ["pasted-content-1.txt"]
    assert "Root cause" in view.agent_response
    assert (await said(fm, case))[0].content == text.strip()
    assert (await shown(fm, case)).question == "Why does it crash?"


async def test_an_investigation_beside_the_conversation_is_told_in_it_once(fm: FaultMaven, crash: Path) -> None:
    """As a message of the system; a case that nobody spoke about has none."""
    spoken, silent = await found(fm, crash), await opened(fm)

    def unwatched(*_: object) -> None:
        """Nobody looks."""

    for case in (spoken, silent):
        operation = OPERATIONS["investigation.run"]
        done = await operation.work(fm.application, Investigate(case), fm.caller, unwatched)
        await fm.investigation.announce(done, fm.caller)
    assert [one.role for one in await said(fm, spoken)] == ["user", "assistant", "system"]
    assert "Root cause" in (await said(fm, spoken))[-1].content
    assert "`describe.txt:" in (await said(fm, spoken))[-1].content
    assert await said(fm, silent) == ()
    assert (await say(fm, spoken, "why do you think so?")).turn_number == 2
