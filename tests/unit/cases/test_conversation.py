"""What cases keep beside their findings: names, priorities, messages; and that deleting can be taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from faultmaven import FaultMaven
from faultmaven_core.cases import commands as c
from faultmaven_core.cases import turn_commands as t
from faultmaven_core.cases.dialogue import Dialogue
from faultmaven_core.cases.ports import CaseChangedError
from faultmaven_core.cases.removal import KEEP_DELETED
from faultmaven_core.cases.titles import title_of
from faultmaven_core.evidence import commands as ev
from faultmaven_core.jobs.commands import ListJobs
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError
from tests.unit.investigation.talking import once


async def opened(fm: FaultMaven, **fields: Any) -> c.CaseView:
    """A case."""
    return await fm.cases.open(c.OpenCase(**fields), fm.caller)


def turn(case: c.CaseView, number: int = 1, **changes: Any) -> t.KeepTurn:
    """The nth turn, upon a case as it was seen."""
    fields: dict[str, Any] = {"question": f"q{number}", "answer": f"a{number}", **changes}
    asked = t.Asked(case.case_id, f"digest {number}")
    return t.KeepTurn(asked, number, case.status, case.version, **fields)


async def browsed(fm: FaultMaven, **fields: Any) -> list[str]:
    """The titles of a list."""
    return [one.title for one in (await fm.cases.browse(c.BrowseCases(**fields), fm.caller)).items]


async def test_cases_without_a_word_are_numbered_by_day(fm: FaultMaven, clock: FixedClock) -> None:
    """Deleted ones count, so that no number comes back."""
    first = await opened(fm)
    await fm.cases.delete(c.DeleteCase(first.case_id), fm.caller)
    second = await opened(fm)
    named = await opened(fm, question="why?")
    clock.advance(timedelta(days=1))
    next_day = await opened(fm)
    titles = [one.title for one in (first, second, named, next_day)]
    assert titles == ["Case-260301-1", "Case-260301-2", "why?", "Case-260302-1"]


async def test_what_a_client_says_of_a_case_comes_back(fm: FaultMaven) -> None:
    """Its own metadata too, to the letter."""
    meta = {"created_via": "paste", "n": [1, 2.5, None, {"é": True}]}
    case = await opened(fm, description="d", priority="critical", source="slack", metadata=meta)
    seen = await fm.cases.show(c.ShowCase(case.case_id), fm.caller)
    assert (seen.description, seen.priority, seen.source, seen.metadata) == ("d", "critical", "slack", meta)


@pytest.mark.parametrize(
    "fields",
    [
        {"priority": "urgent"},
        {"metadata": {"a": "\0"}},
        {"metadata": {"\ud800": 1}},
        {"metadata": {"a": "x" * 20_000}},
        {"description": "x" * 20_001},
        {"source": "x" * 33},
    ],
)
async def test_what_cannot_be_kept_is_refused(fm: FaultMaven, fields: dict[str, Any]) -> None:
    """Before any database sees it; in a change as at the opening."""
    with pytest.raises(InvalidInputError):
        await opened(fm, **fields)
    case = await opened(fm)
    fields.pop("source", None)
    if fields:
        with pytest.raises(InvalidInputError):
            await fm.cases.update(c.UpdateCase(case.case_id, **fields), fm.caller)


async def test_metadata_has_a_depth(fm: FaultMaven) -> None:
    """What is nested without end is refused, not followed."""
    deep: dict[str, Any] = {}
    for _ in range(30):
        deep = {"a": deep}
    with pytest.raises(InvalidInputError, match="levels deep"):
        await opened(fm, metadata=deep)


async def test_cases_are_browsed_by_their_last_change(fm: FaultMaven, clock: FixedClock, foreigner: Caller) -> None:
    """With a count of all that match, by offset."""
    cases = []
    for number in range(4):
        clock.advance(timedelta(minutes=1))
        cases.append(await opened(fm, title=f"case {number}", source="slack" if number % 2 else "copilot"))
    await fm.cases.open(c.OpenCase("theirs"), foreigner)
    clock.advance(timedelta(minutes=1))
    await fm.cases.keep_turn(turn(cases[0]), fm.caller)
    assert await browsed(fm) == ["case 0", "case 3", "case 2", "case 1"]
    page = await fm.cases.browse(c.BrowseCases(offset=1, limit=2), fm.caller)
    assert ([one.title for one in page.items], page.total) == (["case 3", "case 2"], 4)
    assert await browsed(fm, source="slack") == ["case 3", "case 1"]
    assert await browsed(fm, text="case 2") == ["case 2"]
    assert await browsed(fm, status="closed") == []
    assert await browsed(fm, since=cases[2].created_at) == ["case 3", "case 2"]
    assert await browsed(fm, until=cases[1].created_at) == ["case 0"]
    clock.advance(timedelta(hours=1))
    assert await browsed(fm, include_empty=False) == ["case 0"]
    for wrong in (
        {"offset": -1},
        {"limit": 0},
        {"status": "new"},
        {"since": datetime(2026, 1, 1)},  # noqa: DTZ001 - what is refused
        {"source": "a\0b"},
        {"source": "s" * 33},
        {"team": "a\0b"},
        {"team": "t" * 65},
    ):
        with pytest.raises(InvalidInputError):
            await browsed(fm, **wrong)


async def test_a_change_upon_an_old_version_is_refused_with_both_versions(fm: FaultMaven) -> None:
    """Without a version the last word counts."""
    case = await opened(fm)
    renamed = await fm.cases.update(c.UpdateCase(case.case_id, title="  Checkout \n is slow ", version=1), fm.caller)
    assert (renamed.title, renamed.version) == ("Checkout is slow", 2)
    with pytest.raises(CaseChangedError) as caught:
        await fm.cases.update(c.UpdateCase(case.case_id, title="other", version=1), fm.caller)
    assert (caught.value.expected, caught.value.actual, caught.value.code) == (1, 2, "case_version_conflict")
    same = await fm.cases.update(c.UpdateCase(case.case_id), fm.caller)
    assert same.version == 2
    with pytest.raises(InvalidInputError):
        await fm.cases.update(c.UpdateCase(case.case_id, title=" "), fm.caller)


async def test_an_ended_case_may_be_renamed(fm: FaultMaven) -> None:
    """How it is called is not what it found."""
    case = await opened(fm)
    await fm.cases.close(c.CloseCase(case.case_id), fm.caller)
    assert (await fm.cases.update(c.UpdateCase(case.case_id, title="Old"), fm.caller)).title == "Old"


async def test_a_title_is_made_of_what_is_known_and_never_of_a_title(fm: FaultMaven) -> None:
    """The hint first; a case of which nothing is known says so; a name that somebody gave is kept."""
    case = await opened(fm)
    with pytest.raises(InvalidInputError, match="nothing to name"):
        await fm.cases.title(c.TitleCase(case.case_id), fm.caller)
    made = await fm.cases.title(c.TitleCase(case.case_id, 3, "hello, checkout is slow for everybody"), fm.caller)
    assert made == c.CaseTitled("Checkout is slow", "hint")
    assert (await fm.cases.title(c.TitleCase(case.case_id, 8, "x"), fm.caller)).source == "kept"
    for words in (2, 13):
        with pytest.raises(InvalidInputError, match="3 to 12"):
            await fm.cases.title(c.TitleCase(case.case_id, words), fm.caller)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hi, can you help me with the payment service? It is down.", "The payment service?"),
        (
            "checkout answers with errors since we moved to the new cluster",
            "Checkout answers with errors since we moved",
        ),
        ("  \n ?! \n", ""),
        ("x" * 300, "X" + "x" * 79),
    ],
)
def test_titles_are_short_and_end_in_a_word(text: str, title: str) -> None:
    """Without politeness, in eight words."""
    assert title_of(text) == title


async def test_a_deleted_case_looks_like_none_until_it_is_restored(fm: FaultMaven) -> None:
    """Then it is as it was, but for its version and its journal."""
    case = await opened(fm, question="why?")
    await fm.cases.keep_turn(turn(case), fm.caller)
    item = (
        await fm.evidence.add_content(ev.AddContent(case.case_id, "app.log"), once(b"ERROR\n"), fm.caller)
    ).evidence_id
    before = await fm.cases.show(c.ShowCase(case.case_id), fm.caller)
    assert await fm.cases.delete(c.DeleteCase(case.case_id), fm.caller) == c.CaseDeleted(case.case_id)
    for attempt in (
        fm.evidence.list(ev.ListEvidence(case.case_id), fm.caller),
        fm.evidence.show(ev.ShowEvidence(case.case_id, item), fm.caller),
        fm.evidence.content(ev.ReadContent(case.case_id, item), fm.caller),
        fm.evidence.link(ev.LinkContent(case.case_id, item), fm.caller),
        fm.evidence.search(ev.SearchEvidence(case.case_id, "error", evidence_id=item), fm.caller),
        fm.evidence.search(ev.SearchEvidence(case.case_id, "error"), fm.caller),
        fm.cases.show(c.ShowCase(case.case_id), fm.caller),
        fm.cases.messages(t.ReadMessages(case.case_id), fm.caller),
        fm.cases.delete(c.DeleteCase(case.case_id), fm.caller),
        fm.cases.update(c.UpdateCase(case.case_id, title="x"), fm.caller),
        fm.cases.keep_turn(turn(before, 2), fm.caller),
        fm.cases.journal(c.ReadJournal(case.case_id), fm.caller),
    ):
        with pytest.raises(NotFoundError, match="There is no case"):
            await attempt
    assert await browsed(fm) == []
    assert (await fm.cases.list(c.ListCases(), fm.caller)).items == ()
    restored = await fm.cases.restore(c.RestoreCase(case.case_id), fm.caller)
    assert restored.version == before.version + 2
    content = await fm.evidence.content(ev.ReadContent(case.case_id, item), fm.caller)
    assert content.item.evidence_id == item
    assert len((await fm.cases.messages(t.ReadMessages(case.case_id), fm.caller)).messages) == 2
    with pytest.raises(NotFoundError):
        await fm.cases.restore(c.RestoreCase(case.case_id), fm.caller)


async def test_a_case_that_nobody_restores_goes_with_all_that_belongs_to_it(fm: FaultMaven, clock: FixedClock) -> None:
    """By a job that is due after thirty days; one that was restored meanwhile stays."""
    gone, back = await opened(fm), await opened(fm)
    for case in (gone, back):
        await fm.cases.delete(c.DeleteCase(case.case_id), fm.caller)
    deleted_at = clock.now()
    jobs = [one for one in (await fm.jobs.list(ListJobs(), fm.caller)).jobs if one.operation == "case.purge"]
    assert {one.due_at for one in jobs} == {deleted_at + KEEP_DELETED}
    await fm.cases.restore(c.RestoreCase(back.case_id), fm.caller)
    clock.advance(timedelta(hours=1))
    await fm.cases.delete(c.DeleteCase(back.case_id), fm.caller)
    for case in (gone, back):
        await fm.cases.purge(c.PurgeCase(case.case_id, deleted_at), fm.caller)
        await fm.cases.purge(c.PurgeCase(case.case_id, deleted_at), fm.caller)
    assert await fm.cases.restore(c.RestoreCase(back.case_id), fm.caller)
    with pytest.raises(NotFoundError):
        await fm.cases.restore(c.RestoreCase(gone.case_id), fm.caller)
    operations = [one.operation for one in (await fm.jobs.list(ListJobs(), fm.caller)).jobs]
    assert operations.count("evidence.discard") == 1


async def test_for_ever_is_at_once_for_what_was_deleted_before_too(fm: FaultMaven) -> None:
    """Nothing is left to restore."""
    for before in (False, True):
        case = await opened(fm)
        if before:
            await fm.cases.delete(c.DeleteCase(case.case_id), fm.caller)
        await fm.cases.delete(c.DeleteCase(case.case_id, forever=True), fm.caller)
        with pytest.raises(NotFoundError):
            await fm.cases.restore(c.RestoreCase(case.case_id), fm.caller)


async def test_a_turn_upon_another_state_or_another_turn_is_refused_whole(fm: FaultMaven) -> None:
    """No message, no change."""
    case = await opened(fm)
    await fm.cases.keep_turn(turn(case), fm.caller)
    for stale in (turn(case), turn(case, 3), turn(c.CaseView(**{**_fields(case), "status": "closed"}), 2)):
        with pytest.raises(CaseChangedError):
            await fm.cases.keep_turn(stale, fm.caller)
    assert (await fm.cases.messages(t.ReadMessages(case.case_id), fm.caller)).total == 2


async def test_what_a_turn_decides_is_kept_with_it_and_told_in_the_journal(fm: FaultMaven) -> None:
    """State, title, dialogue: in one step."""
    case = await opened(fm)
    decided = turn(case, dialogue=Dialogue("the shop is down", agreed=True), title="The shop is down")
    kept = await fm.cases.keep_turn(
        t.KeepTurn(**{**_fields(decided), "decision": t.Decision("investigating")}), fm.caller
    )
    assert (kept.case.status, kept.case.title, kept.case.question) == (
        "investigating",
        "The shop is down",
        "the shop is down",
    )
    assert kept.case == await fm.cases.show(c.ShowCase(case.case_id), fm.caller)
    entries = (await fm.cases.journal(c.ReadJournal(case.case_id), fm.caller)).entries
    assert [one.kind for one in entries] == ["case_opened", "turn_taken", "investigation_begun"]


async def test_messages_of_the_system_stand_between_turns(fm: FaultMaven) -> None:
    """They have the number of the turn before, and shift no offset."""
    case = await opened(fm)
    await fm.cases.keep_turn(turn(case), fm.caller)
    await fm.cases.notify(t.AddNotice(case.case_id, "An investigation ended."), fm.caller)
    page = await fm.cases.messages(t.ReadMessages(case.case_id), fm.caller)
    assert [(one.role, one.turn_number) for one in page.messages] == [("user", 1), ("assistant", 1), ("system", 1)]
    assert [one.author_id for one in page.messages] == [fm.caller.user, "", ""]
    for wrong in (
        t.ReadMessages(case.case_id, -1),
        t.ReadMessages(case.case_id, 0, 101),
        t.ReadMessages(case.case_id, 0, 0),
    ):
        with pytest.raises(InvalidInputError):
            await fm.cases.messages(wrong, fm.caller)
    assert (await fm.cases.messages(t.ReadMessages(case.case_id, 99), fm.caller)).messages == ()
    assert page.messages[0].created_at == datetime(2026, 3, 1, 12, tzinfo=UTC)


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in type(value).__dataclass_fields__}
