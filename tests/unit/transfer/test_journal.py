"""The journal: whatever ended the program, what it confirmed is known."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from faultmaven_adapters.transfer.journal import FileJournal
from faultmaven_core.shared.errors import (
    BackendError,
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
    """As if there had been no journal; but not before it begins, for it may be refused."""
    path = tmp_path / "journal.jsonl"
    await written(path)
    before = path.read_bytes()
    journal = FileJournal(path, ABOUT, restart=True)
    assert await journal.open() is None
    assert path.read_bytes() == before
    await journal.begin()
    await journal.aclose()
    assert await reopened(path) == {}
    path.write_text("no journal\n")
    journal = FileJournal(path, ABOUT, restart=True)
    assert await journal.open() is None, "a restart is the way out of one that cannot be read"
    await journal.begin()
    await journal.aclose()
    assert await reopened(path) == {}


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("no journal\n", CorruptDataError),
        ("no journal", CorruptDataError),
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


async def test_a_disk_that_takes_a_line_in_pieces_has_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system may write less than it was given, and say so."""
    path, write = tmp_path / "journal.jsonl", os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:7]))
    await written(path)
    assert await reopened(path) == {str(PART): Confirmed("a/2", 2, 20), str(OTHER): Confirmed('["\\n"]', 2, done=True)}


async def test_a_disk_that_is_full_spoils_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was confirmed before stays, and once there is room the next line follows it."""
    path, write = tmp_path / "journal.jsonl", os.write
    await written(path)
    journal = FileJournal(path, ABOUT)
    await journal.open()
    pieces = iter([7])

    def full(file: int, data: bytes) -> int:
        if piece := next(pieces, 0):
            return write(file, data[:piece])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(BackendError, match="No space left"):
        await journal.confirm(PART, Confirmed("a/3", 3, 30))
    monkeypatch.setattr(os, "write", write)
    await journal.confirm(PART, Confirmed("a/4", 4, 40))
    await journal.aclose()
    assert await reopened(path) == {str(PART): Confirmed("a/4", 4, 40), str(OTHER): Confirmed('["\\n"]', 2, done=True)}


async def test_a_new_journals_name_is_as_lasting_as_its_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is written out too, before anything is confirmed."""
    synced, fsync = list[int](), os.fsync

    def noticed(file: int) -> None:
        synced.append(os.fstat(file).st_ino)
        fsync(file)

    monkeypatch.setattr(os, "fsync", noticed)
    path = tmp_path / "journal.jsonl"
    await written(path)
    assert synced[0] == inode(tmp_path)
    assert set(synced[1:]) == {inode(path)}


def inode(path: Path) -> int:
    """What a file or folder is known by, whatever it is called."""
    return path.stat().st_ino


async def test_a_look_makes_and_changes_nothing(tmp_path: Path) -> None:
    """It tells what is known, also from a line that was cut short; for a restart, nothing."""
    path = tmp_path / "new" / "journal.jsonl"
    looking = FileJournal(path, ABOUT, look=True)
    assert await looking.open() is None
    await looking.aclose()
    assert not path.parent.exists()
    await written(path)
    path.write_bytes(whole := path.read_bytes()[:-3])
    for restart, expected in ((False, Confirmed("a/1", 1, 10)), (True, None)):
        looking = FileJournal(path, ABOUT, restart=restart, look=True)
        found = await looking.open()
        await looking.aclose()
        assert (found[str(PART)] if found else None) == expected
    assert path.read_bytes() == whole
