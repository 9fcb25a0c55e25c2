"""What is stored of a case shows when somebody changed it behind our back; what older versions stored still loads."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven import FaultMaven, Settings, load_settings
from faultmaven_core import codec
from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.cases import commands as c
from faultmaven_core.cases import journal, model
from faultmaven_core.evidence.commands import AddEvidence
from faultmaven_core.investigation.commands import Investigate
from faultmaven_core.shared.errors import CorruptDataError


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home of its own."""
    return load_settings({"FM_HOME": str(tmp_path / "home"), "FM_EXTRACTION_PROCESSES": "1"})


async def investigated(settings: Settings, crash: Path) -> str:
    """A case with a record, in a database file."""
    async with FaultMaven.open(settings) as fm:
        case = await fm.cases.open(c.OpenCase("Why does web crash?"), fm.caller)
        await fm.evidence.add(AddEvidence(case.case_id, str(crash)), fm.caller)
        await fm.investigation.investigate(Investigate(case.case_id), fm.caller)
    return case.case_id


def change(settings: Settings, sql: str) -> None:
    """Somebody with a database tool."""
    with sqlite3.connect(settings.database.url.place) as connection:
        assert connection.execute(sql).rowcount == 1
    connection.close()


async def test_a_changed_record_and_a_changed_journal_are_noticed(settings: Settings, crash: Path) -> None:
    """And a record that an older version stored, with a field that is gone and one that came, is read."""
    case = await investigated(settings, crash)
    change(settings, "UPDATE cases_journal SET actor = 'mallory' WHERE sequence = 2")
    change(
        settings,
        'UPDATE cases_record SET body = CAST(replace(CAST(body AS TEXT), \'"verdict":"\', \'"verdict":"un\') AS BLOB)',
    )
    async with FaultMaven.open(settings) as fm:
        assert not (await fm.cases.journal(c.ReadJournal(case), fm.caller)).intact
        assert (await fm.cases.journal(c.ReadJournal(case, after=3), fm.caller)).intact
        with pytest.raises(CorruptDataError, match="changed after it was stored"):
            await fm.cases.report(c.ReadReport(case), fm.caller)


async def test_a_record_with_fields_of_another_version_is_read(fm: FaultMaven, crash: Path) -> None:
    """What it has more is passed over; what it lacks is an error that says so."""
    case = await fm.cases.open(c.OpenCase("q"), fm.caller)
    await fm.evidence.add(AddEvidence(case.case_id, str(crash)), fm.caller)
    record = (await fm.investigation.investigate(Investigate(case.case_id), fm.caller)).record
    raw = json.loads(codec.encode(record))
    raw["invented_later"] = {"x": 1}
    assert codec.restore(RcaRecord, json.dumps(raw).encode()) == record
    del raw["verdict"]
    with pytest.raises(CorruptDataError, match="verdict"):
        codec.restore(RcaRecord, json.dumps(raw).encode())


@given(st.lists(st.text(max_size=5), min_size=1, max_size=6), st.data())
def test_any_change_to_any_entry_breaks_the_chain(texts: list[str], data: st.DataObject) -> None:
    """Also one entry left out, or two exchanged."""
    from dataclasses import replace
    from datetime import UTC, datetime

    from faultmaven_core.shared.ids import CaseId, UserId, uuid7

    at = datetime(2026, 1, 1, tzinfo=UTC)
    chain: list[journal.JournalEntry] = []
    for number, text in enumerate(texts):
        last = chain[-1] if chain else None
        key = uuid7(0, 0, number)
        chain.append(journal.following(last, CaseId("case_1"), key, at, UserId("u"), "k", {"t": text}))
    assert journal.intact(chain)
    place = data.draw(st.integers(0, len(chain) - 1))
    changed = list(chain)
    changed[place] = replace(chain[place], detail={"t": texts[place] + "x"})
    assert not journal.intact(changed)
    if place < len(chain) - 1:
        assert not journal.intact([*chain[:place], *chain[place + 1 :]])


@pytest.mark.parametrize(
    ("text", "expected"), [("Größe ÉTÉ", ("grosse", "ete")), ("a-b a", ("a", "b")), ("", ()), ("ﬁx İ", ("fix", "i"))]
)
def test_words_are_compared_without_case_accents_and_signs(text: str, expected: tuple[str, ...]) -> None:
    """Each once, in order."""
    assert model.words(text) == expected
