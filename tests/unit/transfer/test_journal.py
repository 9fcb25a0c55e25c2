"""The journal: whatever ended the program, what it confirmed is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from faultmaven_adapters.transfer.journal import FileJournal
from faultmaven_core.shared.errors import (
    ConflictError,
    CorruptDataError,
    FaultMavenError,
    InvalidInputError,
    MisconfiguredError,
)
from faultmaven_core.transfer.model import Confirmed, Kind, Part

ABOUT = {"places": {"blobs": ["file:a", "file:b"]}, "organizations": []}
PART, OTHER = Part(Kind.BLOBS, "*", 3), Part(Kind.DATABASE, "acme/cases_case", 2)


async def written(path: Path) -> None:
    """A journal with two parts."""
    journal = FileJournal(path, ABOUT)
    assert await journal.open() is None
    await journal.begin()
    await journal.confirm(PART, Confirmed("a/1", 1, 10))
    await journal.confirm(OTHER, Confirmed('["\\n"]', 2, done=True))
    await journal.confirm(PART, Confirmed("a/2", 2, 20))
    await journal.aclose()


async def reopened(path: Path) -> object:
    """What it says now."""
    journal = FileJournal(path, ABOUT)
    try:
        return await journal.open()
    finally:
        await journal.aclose()


async def test_the_last_word_on_each_part_counts(tmp_path: Path) -> None:
    """Also after it was opened and closed without a word."""
    path = tmp_path / "new" / "folder" / "journal.jsonl"
    await written(path)
    for _ in range(2):
        assert await reopened(path) == {
            str(PART): Confirmed("a/2", 2, 20),
            str(OTHER): Confirmed('["\\n"]', 2, done=True),
        }
    assert path.stat().st_mode & 0o077 == 0


async def test_a_line_that_was_cut_short_was_not_written(tmp_path: Path) -> None:
    """Wherever it was cut; what comes next is written in its place."""
    path = tmp_path / "journal.jsonl"
    await written(path)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for cut in (len(lines[0]) - 1, len(lines[0]) // 2, len(whole) - 1, len(whole) - 5):
        path.write_bytes(whole[:cut])
        journal = FileJournal(path, ABOUT)
        found = await journal.open()
        if cut < len(lines[0]):
            assert found is None
            await journal.begin()
        else:
            assert found is not None
            assert found[str(PART)] == Confirmed("a/1", 1, 10)
        await journal.confirm(PART, Confirmed("a/9", 9))
        await journal.aclose()
        kept = await reopened(path)
        assert isinstance(kept, dict)
        assert kept[str(PART)] == Confirmed("a/9", 9)


async def test_two_at_once_are_refused(tmp_path: Path) -> None:
    """The second one would copy over the first."""
    path = tmp_path / "journal.jsonl"
    first = FileJournal(path, ABOUT)
    await first.open()
    with pytest.raises(ConflictError, match="running already"):
        await reopened(path)
    await first.begin()
    again = FileJournal(path, ABOUT, restart=True)
    with pytest.raises(ConflictError, match="running already"):
        await again.open()
    await again.aclose()
    await first.aclose()
    assert await reopened(path) == {}, "a restart forgets nothing that another one holds"


async def test_a_restart_forgets_all(tmp_path: Path) -> None:
    """As if there had been no journal."""
    path = tmp_path / "journal.jsonl"
    await written(path)
    journal = FileJournal(path, ABOUT, restart=True)
    assert await journal.open() is None
    await journal.aclose()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("no journal\n", CorruptDataError),
        ("[]\n", InvalidInputError),
        ('{"format": "other/9"}\n', InvalidInputError),
        (
            json.dumps({"format": "faultmaven-transfer/1", **ABOUT}) + '\n{"part": "x", "strange": 1}\n',
            CorruptDataError,
        ),
        (json.dumps({"format": "faultmaven-transfer/1", **ABOUT, "organizations": ["x"]}) + "\n", InvalidInputError),
    ],
)
async def test_what_is_no_journal_of_this_transfer_is_refused(
    tmp_path: Path, content: str, error: type[FaultMavenError]
) -> None:
    """And stays as it was."""
    path = tmp_path / "journal.jsonl"
    path.write_text(content)
    with pytest.raises(error, match=r"journal\.jsonl"):
        await reopened(path)
    assert path.read_text() == content


async def test_a_place_that_takes_no_file_is_said(tmp_path: Path) -> None:
    """With the option that names another."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(MisconfiguredError, match="--journal"):
        await reopened(tmp_path / "file" / "journal.jsonl")
