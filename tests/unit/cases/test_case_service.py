"""The life of a case, as callers see it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from faultmaven import FaultMaven
from faultmaven_core.cases import commands as c
from faultmaven_core.evidence.commands import AddEvidence
from faultmaven_core.investigation.commands import Investigate
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError, PreconditionFailedError


async def investigated(fm: FaultMaven, folder: Path) -> c.CaseView:
    """A case with a root cause."""
    case = await fm.cases.open(c.OpenCase("Why does web crash?"), fm.caller)
    await fm.evidence.add(AddEvidence(case.case_id, str(folder)), fm.caller)
    return (await fm.investigation.investigate(Investigate(case.case_id), fm.caller)).case


async def kinds(fm: FaultMaven, case_id: str) -> list[str]:
    """What the journal says happened."""
    page = await fm.cases.journal(c.ReadJournal(case_id), fm.caller)
    assert page.intact
    return [entry.kind for entry in page.entries]


async def test_a_new_case_is_an_inquiry_named_after_its_question(fm: FaultMaven) -> None:
    """The title is one line of the question; the public id shows nothing of the inside."""
    case = await fm.cases.open(c.OpenCase("Why is\n  checkout slow?"), fm.caller)
    assert (case.status, case.title, case.version, case.verdict) == ("inquiry", "Why is checkout slow?", 1, "")
    assert case.case_id.startswith("case_")
    assert len(case.case_id) == 17
    assert await fm.cases.show(c.ShowCase(case.case_id), fm.caller) == case
    assert await kinds(fm, case.case_id) == ["case_opened"]


@pytest.mark.parametrize("text", ["with \0 NUL", "half \ud83d a pair", "x" * 20_001])
async def test_text_that_cannot_be_stored_is_refused(fm: FaultMaven, text: str) -> None:
    """In the core, once, before any database sees it."""
    with pytest.raises(InvalidInputError) as caught:
        await fm.cases.open(c.OpenCase(text), fm.caller)
    assert "question" in caught.value.fields


async def test_a_foreign_case_looks_like_none(fm: FaultMaven, foreigner: Caller) -> None:
    """In every operation on one case."""
    case = (await fm.cases.open(c.OpenCase("q"), fm.caller)).case_id
    cases = fm.cases
    for attempt in (
        cases.show(c.ShowCase(case), foreigner),
        cases.begin(c.BeginInvestigation(case), foreigner),
        cases.report(c.ReadReport(case), foreigner),
        cases.confirm(c.ConfirmCause(case), foreigner),
        cases.reject(c.RejectCause(case), foreigner),
        cases.close(c.CloseCase(case), foreigner),
        cases.delete(c.DeleteCase(case), foreigner),
        cases.journal(c.ReadJournal(case), foreigner),
        fm.evidence.add(AddEvidence(case, "/etc/hostname"), foreigner),
        fm.investigation.investigate(Investigate(case), foreigner),
    ):
        with pytest.raises(NotFoundError, match=f"There is no case {case}"):
            await attempt
    assert (await cases.list(c.ListCases(), foreigner)).items == ()
    assert (await cases.show(c.ShowCase(case), fm.caller)).version == 1


async def test_a_person_confirms_the_cause(fm: FaultMaven, crash: Path) -> None:
    """The verdict of case and report is then confirmed, and stays so when the analysis finds the same again."""
    case = await investigated(fm, crash)
    assert case.status == "investigating"
    assert case.cause
    confirmed = await fm.cases.confirm(c.ConfirmCause(case.case_id, "seen on the node"), fm.caller)
    assert (confirmed.verdict, confirmed.judgement, confirmed.actual_cause) == ("confirmed", "confirmed", case.cause)
    assert (await fm.investigation.report(c.ReadReport(case.case_id), fm.caller)).verdict == "confirmed"
    again = await fm.investigation.investigate(Investigate(case.case_id), fm.caller)
    assert (again.case.verdict, again.record.verdict) == ("confirmed", "confirmed")


async def test_a_person_rejects_the_cause(fm: FaultMaven, crash: Path) -> None:
    """It is then ruled out, in the report too, until a person says otherwise; nothing of it stays asserted."""
    case = await investigated(fm, crash)
    rejected = await fm.cases.reject(c.RejectCause(case.case_id, "a full disk"), fm.caller)
    assert (rejected.verdict, rejected.actual_cause) == ("insufficient_evidence", "a full disk")
    record = await fm.investigation.report(c.ReadReport(case.case_id), fm.caller)
    assert record.root_cause is None
    assert record.verdict == "insufficient_evidence"
    assert record.ruled_out[0].because == "rejected by a person: it was a full disk"
    assert record.ruled_out[0].statement == case.cause
    assert "leading" not in {h.status for h in record.hypotheses}
    assert record.actions == ()
    again = await fm.investigation.investigate(Investigate(case.case_id), fm.caller)
    assert again.record.root_cause is None
    assert (await fm.cases.confirm(c.ConfirmCause(case.case_id), fm.caller)).verdict == "confirmed"


async def test_there_must_be_a_cause_to_judge(fm: FaultMaven) -> None:
    """And a record to report."""
    case = (await fm.cases.open(c.OpenCase("q"), fm.caller)).case_id
    with pytest.raises(PreconditionFailedError, match="no root cause"):
        await fm.cases.confirm(c.ConfirmCause(case), fm.caller)
    with pytest.raises(PreconditionFailedError, match="no root cause"):
        await fm.cases.reject(c.RejectCause(case), fm.caller)
    with pytest.raises(NotFoundError, match="no record yet"):
        await fm.cases.report(c.ReadReport(case), fm.caller)


async def test_an_ended_case_is_immutable(fm: FaultMaven, crash: Path) -> None:
    """But it can be read, reported and deleted."""
    case = await investigated(fm, crash)
    closed = await fm.cases.close(c.CloseCase(case.case_id, "resolved", "rolled back"), fm.caller)
    assert (closed.status, closed.closure_reason, closed.closed_at is None) == ("resolved", "resolved", False)
    assert [(step.from_status, step.to_status) for step in closed.history] == [
        ("inquiry", "investigating"),
        ("investigating", "resolved"),
    ]
    name = case.case_id
    for attempt in (
        fm.cases.close(c.CloseCase(name), fm.caller),
        fm.cases.confirm(c.ConfirmCause(name), fm.caller),
        fm.cases.reject(c.RejectCause(name), fm.caller),
        fm.evidence.add(AddEvidence(name, str(crash)), fm.caller),
        fm.investigation.investigate(Investigate(name), fm.caller),
    ):
        with pytest.raises(PreconditionFailedError, match="open a new case"):
            await attempt
    assert await fm.investigation.report(c.ReadReport(name), fm.caller)
    assert await fm.cases.delete(c.DeleteCase(name), fm.caller) == c.CaseDeleted(name)


async def test_what_was_never_investigated_is_closed_but_not_resolved(fm: FaultMaven) -> None:
    """And the reason must be one that is known."""
    case = (await fm.cases.open(c.OpenCase("q"), fm.caller)).case_id
    with pytest.raises(PreconditionFailedError, match="never investigated"):
        await fm.cases.close(c.CloseCase(case, "resolved"), fm.caller)
    with pytest.raises(InvalidInputError, match="abandoned"):
        await fm.cases.close(c.CloseCase(case, "bored"), fm.caller)
    assert (await fm.cases.close(c.CloseCase(case, "duplicate"), fm.caller)).status == "closed"


async def test_a_question_may_be_sharpened_when_the_investigation_begins(fm: FaultMaven) -> None:
    """A record can only be stored by a case under investigation."""
    case = (await fm.cases.open(c.OpenCase("slow"), fm.caller)).case_id
    begun = await fm.cases.begin(c.BeginInvestigation(case, "why is checkout slow"), fm.caller)
    assert (begun.question, begun.status, begun.version) == ("why is checkout slow", "investigating", 2)
    resumed = await fm.cases.begin(c.BeginInvestigation(case), fm.caller)
    assert (resumed.question, len(resumed.history)) == ("why is checkout slow", 1)


async def test_a_record_belongs_to_an_investigation(fm: FaultMaven, crash: Path) -> None:
    """One that is put into an inquiry is refused."""
    record = await fm.investigation.report(c.ReadReport((await investigated(fm, crash)).case_id), fm.caller)
    case = (await fm.cases.open(c.OpenCase("q"), fm.caller)).case_id
    with pytest.raises(PreconditionFailedError, match="not under investigation"):
        await fm.cases.store(c.StoreRecord(case, record, b"{}"), fm.caller)


async def test_pruning_takes_ended_cases_that_nobody_touched(fm: FaultMaven, clock: FixedClock) -> None:
    """Open ones stay however old; a dry run only names them."""
    old, still_open, young = [(await fm.cases.open(c.OpenCase("q"), fm.caller)).case_id for _ in range(3)]
    await fm.cases.close(c.CloseCase(old), fm.caller)
    clock.advance(timedelta(days=30))
    await fm.cases.close(c.CloseCase(young), fm.caller)
    limit = clock.now() - timedelta(days=7)
    for dry_run in (True, False):
        pruned = await fm.cases.prune(c.PruneCases(limit, dry_run), fm.caller)
        assert pruned.case_ids == (old,)
    left = [case.case_id for case in (await fm.cases.list(c.ListCases(), fm.caller)).items]
    assert left == [young, still_open]
    with pytest.raises(InvalidInputError, match="time zone"):
        await fm.cases.prune(c.PruneCases(datetime(2026, 1, 1)), fm.caller)  # noqa: DTZ001 - the point of it


async def test_pruning_goes_through_all_pages(fm: FaultMaven, clock: FixedClock) -> None:
    """More than one transaction's worth."""
    for _ in range(203):
        case = await fm.cases.open(c.OpenCase("q"), fm.caller)
        await fm.cases.close(c.CloseCase(case.case_id), fm.caller)
    clock.advance(timedelta(seconds=1))
    assert len((await fm.cases.prune(c.PruneCases(clock.now()), fm.caller)).case_ids) == 203
    assert (await fm.cases.list(c.ListCases(), fm.caller)).items == ()


async def test_lists_are_paged_and_filtered(fm: FaultMaven) -> None:
    """And say what is wrong with a filter."""
    names = [(await fm.cases.open(c.OpenCase(f"question {n}"), fm.caller)).case_id for n in range(5)]
    page = await fm.cases.list(c.ListCases(limit=3), fm.caller)
    rest = await fm.cases.list(c.ListCases(limit=3, after=page.next), fm.caller)
    assert [case.case_id for case in (*page.items, *rest.items)] == names[::-1]
    assert rest.next is None
    assert [case.case_id for case in (await fm.cases.list(c.ListCases(text="quest 3"), fm.caller)).items] == [names[3]]
    for wrong in (c.ListCases(limit=0), c.ListCases(limit=1001), c.ListCases(after="no"), c.ListCases(status="x")):
        with pytest.raises(InvalidInputError):
            await fm.cases.list(wrong, fm.caller)


async def test_the_journal_is_read_in_pages_that_link(fm: FaultMaven) -> None:
    """Each page proves that it follows from the one before."""
    case = (await fm.cases.open(c.OpenCase("q"), fm.caller)).case_id
    for number in range(4):
        await fm.cases.begin(c.BeginInvestigation(case, f"q{number}"), fm.caller)
    seen, after = [], 0
    while True:
        page = await fm.cases.journal(c.ReadJournal(case, after, limit=2), fm.caller)
        assert page.intact
        seen += [entry.sequence for entry in page.entries]
        if page.next is None:
            break
        after = page.next
    assert seen == [1, 2, 3, 4, 5]
    assert (await fm.cases.journal(c.ReadJournal(case, 5), fm.caller)).entries == ()


async def test_an_event_is_noted_once_and_outlives_no_case(fm: FaultMaven) -> None:
    """However often its job runs."""
    case = (await fm.cases.open(c.OpenCase("q"), fm.caller)).case_id
    note = c.NoteEvent(case, "018bcfe5-69f5-7000-8000-0000000001f5", "evidence_added", {"count": "1"})
    for _ in range(2):
        assert await fm.cases.note(note, fm.caller) == c.Noted(case_exists=True)
    assert await kinds(fm, case) == ["case_opened", "evidence_added"]
    await fm.cases.delete(c.DeleteCase(case), fm.caller)
    assert await fm.cases.note(note, fm.caller) == c.Noted(case_exists=False)


async def test_an_archived_case_is_only_left_out_of_lists(fm: FaultMaven) -> None:
    """Shown, asked for and changed as before; twice is once, and the journal tells of both ways."""
    kept, put_away = [(await fm.cases.open(c.OpenCase(text), fm.caller)).case_id for text in ("one", "two")]
    seen = await fm.cases.archive(c.ArchiveCase(put_away), fm.caller)
    assert seen.archived_at is not None
    assert await fm.cases.archive(c.ArchiveCase(put_away), fm.caller) == seen
    assert await fm.cases.show(c.ShowCase(put_away), fm.caller) == seen
    assert [one.case_id for one in (await fm.cases.browse(c.BrowseCases(), fm.caller)).items] == [kept]
    assert [one.case_id for one in (await fm.cases.list(c.ListCases(), fm.caller)).items] == [kept]
    assert len((await fm.cases.list(c.ListCases(archived=True), fm.caller)).items) == 2
    every = await fm.cases.browse(c.BrowseCases(include_archived=True), fm.caller)
    assert {one.case_id for one in every.items} == {kept, put_away}
    back = await fm.cases.unarchive(c.UnarchiveCase(put_away), fm.caller)
    assert (back.archived_at, back.updated_at) == (None, seen.updated_at)
    assert (await fm.cases.browse(c.BrowseCases(), fm.caller)).total == 2
    assert await kinds(fm, put_away) == ["case_opened", "case_archived", "case_unarchived"]


async def test_a_case_is_shared_with_teams_by_their_ids(fm: FaultMaven) -> None:
    """Each once; what is no id is refused."""
    case = (await fm.cases.open(c.OpenCase("q"), fm.caller)).case_id
    teams = ("team_00000000000a", "team_00000000000b", "team_00000000000a")
    assert (await fm.cases.update(c.UpdateCase(case, teams=teams), fm.caller)).teams == teams[:2]
    assert (await fm.cases.browse(c.BrowseCases(team=teams[1]), fm.caller)).total == 1
    assert (await fm.cases.browse(c.BrowseCases(team="team_00000000000c"), fm.caller)).total == 0
    for wrong in (("red",), ("team_00000000000a team_00000000000b",), tuple(f"team_{n:012x}" for n in range(51))):
        with pytest.raises(InvalidInputError):
            await fm.cases.update(c.UpdateCase(case, teams=wrong), fm.caller)
    assert (await fm.cases.update(c.UpdateCase(case, teams=()), fm.caller)).teams == ()


async def test_the_last_record_is_told_in_figures(fm: FaultMaven, crash: Path) -> None:
    """With what it says of a cause as a person's word leaves it."""
    case = await investigated(fm, crash)
    assert {"symptom_verified", "root_cause_identified", "solution_proposed"} <= set(case.figures.milestones)
    assert case.figures.hypotheses > 0
    assert case.figures.solutions > 0
    rejected = (await fm.cases.reject(c.RejectCause(case.case_id), fm.caller)).figures
    assert "root_cause_identified" not in rejected.milestones
    assert (rejected.hypotheses, rejected.solutions) == (case.figures.hypotheses, 0)
    assert (await fm.cases.confirm(c.ConfirmCause(case.case_id), fm.caller)).figures == case.figures
