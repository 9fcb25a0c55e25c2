"""Evidence as callers see it: added, found again, and honest about what became of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from injector import Module, provider, singleton

from faultmaven import FaultMaven, load_settings
from faultmaven_adapters.blobs.filesystem import FilesystemBlobStore
from faultmaven_adapters.extraction.files import LocalEvidenceFiles
from faultmaven_core.cases.commands import DeleteCase, OpenCase, ReadJournal
from faultmaven_core.evidence import commands as c
from faultmaven_core.investigation.commands import Investigate
from faultmaven_core.ports.blobs import BlobKey
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock, FixedClock
from faultmaven_core.shared.errors import (
    CorruptDataError,
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
    TooLargeError,
)


async def opened(fm: FaultMaven) -> str:
    """A new case."""
    return (await fm.cases.open(OpenCase("Why does web crash?"), fm.caller)).case_id


async def listed(fm: FaultMaven, case: str) -> dict[str, c.EvidenceView]:
    """A case's evidence by file name."""
    page = await fm.evidence.list(c.ListEvidence(case), fm.caller)
    return {item.name.rpartition("/")[2]: item for item in page.items}


def empty(folder: Path) -> None:
    """Remove all its files."""
    for path in folder.iterdir():
        path.unlink()


def names(folder: Path) -> list[str]:
    """Of its files, in order."""
    return sorted(path.name for path in folder.iterdir())


async def content(*parts: bytes) -> AsyncIterator[bytes]:
    """An upload."""
    for part in parts:
        yield part


async def test_a_folder_is_added_file_by_file_and_left_in_place(fm: FaultMaven, crash: Path) -> None:
    """Nothing is copied, nothing is hashed yet."""
    case = await opened(fm)
    added = await fm.evidence.add(c.AddEvidence(case, str(crash), role="baseline"), fm.caller)
    assert [item.name.rpartition("/")[2] for item in added.items] == ["app.log", "describe.txt"]
    item = (await listed(fm, case))["app.log"]
    assert (item.custody, item.state, item.role, item.sha256) == ("reference", "available", "baseline", "")
    assert item.location == str(crash / "app.log")
    assert item.size == (crash / "app.log").stat().st_size


async def test_adding_a_file_again_is_not_a_second_piece(fm: FaultMaven, crash: Path) -> None:
    """A changed file is taken as it is now; another role is another piece."""
    case = await opened(fm)
    first = (await fm.evidence.add(c.AddEvidence(case, str(crash / "app.log")), fm.caller)).items[0]
    again = (await fm.evidence.add(c.AddEvidence(case, str(crash / "app.log")), fm.caller)).items[0]
    assert first == again
    (crash / "app.log").write_text("other\n")
    assert (await listed(fm, case))["app.log"].state == "changed"
    changed = (await fm.evidence.add(c.AddEvidence(case, str(crash)), fm.caller)).items[0]
    assert (changed.evidence_id, changed.state, changed.size) == (first.evidence_id, "available", 6)
    await fm.evidence.add(c.AddEvidence(case, str(crash / "app.log"), role="baseline"), fm.caller)
    assert len((await fm.evidence.list(c.ListEvidence(case), fm.caller)).items) == 3


async def test_what_became_of_a_file_is_said(fm: FaultMaven, crash: Path) -> None:
    """Moved, changed and unreadable are states with a sentence, never an empty answer."""
    (crash / "link.log").symlink_to(crash / "app.log")
    case = await opened(fm)
    added = await fm.evidence.add(c.AddEvidence(case, str(crash)), fm.caller)
    assert len(added.problems) == 1
    await fm.investigation.investigate(Investigate(case), fm.caller)
    (crash / "app.log").write_text("shorter\n")
    (crash / "describe.txt").unlink()
    items = await listed(fm, case)
    assert {name: item.state for name, item in items.items()} == {
        "app.log": "changed",
        "describe.txt": "moved",
        "link.log": "unreadable",
    }
    assert all("; " in item.explanation or "." in item.explanation for item in items.values())
    with pytest.raises(CorruptDataError):
        await fm.evidence.show(c.ShowEvidence(case, items["app.log"].evidence_id, lines=1), fm.caller)
    with pytest.raises(NotFoundError):
        await fm.evidence.show(c.ShowEvidence(case, items["describe.txt"].evidence_id, lines=1), fm.caller)
    found = await fm.evidence.search(c.SearchEvidence(case, "web"), fm.caller)
    assert found.hits == ()
    assert len(found.problems) == 3


async def test_a_copy_outlives_its_file(fm: FaultMaven, crash: Path) -> None:
    """It is read, shown and searched from the store."""
    case = await opened(fm)
    await fm.evidence.add(c.AddEvidence(case, str(crash), copy=True), fm.caller)
    empty(crash)
    assert (await fm.investigation.investigate(Investigate(case), fm.caller)).record.root_cause is not None
    item = (await listed(fm, case))["app.log"]
    assert (item.custody, item.state, item.location, len(item.sha256)) == ("copy", "available", "", 64)
    shown = await fm.evidence.show(c.ShowEvidence(case, item.evidence_id, first_line=2, lines=5), fm.caller)
    assert [(line.line, line.text) for line in shown.text] == [(2, "2026-03-01T11:58:01Z ERROR cannot start")]
    assert shown.sources[0].lines == 2
    hits = (await fm.evidence.search(c.SearchEvidence(case, "CANNOT start"), fm.caller)).hits
    assert [(hit.evidence_id, hit.line) for hit in hits] == [(item.evidence_id, 2)]


async def test_content_over_the_limit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    """By the setting FM_EVIDENCE_COPY_MAX."""
    urls = {"FM_DATABASE_URL": "memory:", "FM_BLOBS_URL": f"file:{tmp_path}/blobs", "FM_HOME": str(tmp_path)}
    async with FaultMaven.open(load_settings({**urls, "FM_EVIDENCE_COPY_MAX": "10B"})) as fm:
        case = await opened(fm)
        await fm.evidence.add_content(c.AddContent(case, "small"), content(b"12345", b"67890"), fm.caller)
        with pytest.raises(TooLargeError):
            await fm.evidence.add_content(c.AddContent(case, "large"), content(b"12345", b"678901"), fm.caller)
        assert list(await listed(fm, case)) == ["small"]
    assert len([path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]) == 1


async def test_a_file_that_cannot_be_copied_costs_the_others_nothing(tmp_path: Path, crash: Path) -> None:
    """It is named, and stands in the case as unreadable."""
    (crash / "large.log").write_bytes(b"x" * 5000)
    settings = load_settings({"FM_HOME": str(tmp_path / "home"), "FM_EVIDENCE_COPY_MAX": "4KiB"})
    async with FaultMaven.open(settings) as fm:
        case = await opened(fm)
        added = await fm.evidence.add(c.AddEvidence(case, str(crash), copy=True), fm.caller)
        (problem,) = added.problems
        assert "large.log is not copied" in problem
        states = {name: (item.custody, item.state) for name, item in (await listed(fm, case)).items()}
        assert states["large.log"] == ("reference", "unreadable")
        assert states["app.log"] == states["describe.txt"] == ("copy", "available")
        shown = await fm.evidence.show(c.ShowEvidence(case, added.items[0].evidence_id), fm.caller)
        assert shown.text == ()


async def test_files_of_the_machine_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """What is gone, and what is no file at all."""
    files = LocalEvidenceFiles()
    for path, expected in ((tmp_path / "gone", NotFoundError), (tmp_path, CorruptDataError)):
        with pytest.raises(expected, match=str(path)):
            await anext(files.chunks(str(path)))
    await files.aclose()


async def test_search_is_by_words_or_by_pattern_and_bounded(fm: FaultMaven) -> None:
    """Hits in order of source and line; a bound that was reached is said."""
    case = await opened(fm)
    text = b"".join(b"%d connection Refused by db-%d\n" % (number, number % 3) for number in range(50))
    await fm.evidence.add_content(
        c.AddContent(case, "app.log"), content(text, b"last line \xff without end"), fm.caller
    )
    unread = await fm.evidence.search(c.SearchEvidence(case, "refused"), fm.caller)
    assert unread.problems == ("app.log was not read yet; investigate the case first.",)
    await fm.investigation.investigate(Investigate(case), fm.caller)

    async def lines(text: str, *, regex: bool = False, limit: int = 1000) -> list[int]:
        found = await fm.evidence.search(c.SearchEvidence(case, text, regex, limit=limit), fm.caller)
        assert found.truncated is (len(found.hits) == limit)
        assert found.problems == ()
        return [hit.line for hit in found.hits]

    assert await lines("refused db-1") == [number + 1 for number in range(50) if number % 3 == 1]
    assert await lines(r"^(7|8) .*db-\d$", regex=True) == [8, 9]
    assert await lines("db-1 (") == []
    assert await lines("without end") == [51]
    assert await lines("refused", limit=5) == [1, 2, 3, 4, 5]
    for wrong in (
        c.SearchEvidence(case, "(", regex=True),
        c.SearchEvidence(case, ""),
        c.SearchEvidence(case, "a", limit=0),
    ):
        with pytest.raises(InvalidInputError):
            await fm.evidence.search(wrong, fm.caller)
    item = (await listed(fm, case))["app.log"]
    one = c.SearchEvidence(case, "db-2", evidence_id=item.evidence_id, limit=1)
    assert [hit.text for hit in (await fm.evidence.search(one, fm.caller)).hits] == ["2 connection Refused by db-2"]


async def test_a_person_says_what_a_file_is(fm: FaultMaven, crash: Path) -> None:
    """The next investigation believes it; empty goes back to detection."""
    case = await opened(fm)
    await fm.evidence.add(c.AddEvidence(case, str(crash)), fm.caller)
    item = (await listed(fm, case))["describe.txt"]
    named = await fm.evidence.classify(c.ClassifyEvidence(case, item.evidence_id, "log"), fm.caller)
    assert named.kind == "log"
    record = (await fm.investigation.investigate(Investigate(case), fm.caller)).record
    assert {source.kind for source in record.coverage} == {"log"}
    await fm.evidence.classify(c.ClassifyEvidence(case, item.evidence_id, ""), fm.caller)
    record = (await fm.investigation.investigate(Investigate(case), fm.caller)).record
    assert {source.kind for source in record.coverage} == {"log", "kubectl_describe"}


async def test_deleting_destroys_copies_and_leaves_files_alone(tmp_path: Path, crash: Path) -> None:
    """The job that destroys runs right after; the journal keeps what happened."""
    urls = {"FM_HOME": str(tmp_path / "home")}

    def blobs() -> int:
        return len(list((tmp_path / "home").rglob("*.blob")))

    async with FaultMaven.open(load_settings(urls)) as fm:
        case = await opened(fm)
        await fm.evidence.add(c.AddEvidence(case, str(crash), copy=True), fm.caller)
        await fm.evidence.add(c.AddEvidence(case, str(crash)), fm.caller)
        assert blobs() == 2
        for item in (await fm.evidence.list(c.ListEvidence(case), fm.caller)).items[:3]:
            await fm.evidence.delete(c.DeleteEvidence(case, item.evidence_id), fm.caller)
    assert blobs() == 0
    assert names(crash) == ["app.log", "describe.txt"]
    async with FaultMaven.open(load_settings(urls)) as fm:
        kinds = [e.kind for e in (await fm.cases.journal(ReadJournal(case), fm.caller)).entries]
        assert sorted(kinds) == ["case_opened", "evidence_added", "evidence_added", *["evidence_deleted"] * 3]


async def test_deleting_a_case_takes_its_evidence_along(tmp_path: Path, crash: Path) -> None:
    """Rows and copies, by a job that may run twice."""
    urls = {"FM_HOME": str(tmp_path / "home")}
    async with FaultMaven.open(load_settings(urls)) as fm:
        case, other = await opened(fm), await opened(fm)
        for name in (case, other):
            await fm.evidence.add(c.AddEvidence(name, str(crash), copy=True), fm.caller)
        await fm.cases.delete(DeleteCase(case, forever=True), fm.caller)
    # Closing waits for the jobs.
    async with FaultMaven.open(load_settings(urls)) as fm:
        assert await fm.evidence.discard(c.DiscardEvidence(case), fm.caller) == c.Discarded(0)
        with pytest.raises(NotFoundError):
            await fm.evidence.list(c.ListEvidence(case), fm.caller)
        assert len((await fm.evidence.list(c.ListEvidence(other), fm.caller)).items) == 2
    assert len(list((tmp_path / "home").rglob("*.blob"))) == 2


async def test_copies_that_a_crash_left_behind_are_swept(tmp_path: Path, crash: Path) -> None:
    """By pruning; those that are named stay, and young ones, whose row may be on its way."""
    clock = FixedClock(datetime.now(UTC))

    class Moved(Module):
        @singleton
        @provider
        def fixed(self) -> Clock:
            return clock

    async with FaultMaven.open(load_settings({"FM_HOME": str(tmp_path / "home")}), overrides=[Moved()]) as fm:
        case = await opened(fm)
        await fm.evidence.add(c.AddEvidence(case, str(crash), copy=True), fm.caller)
        orphan = FilesystemBlobStore(tmp_path / "home" / "blobs")
        await orphan.put(BlobKey("local/orphan"), content(b"x"))
        await orphan.put(BlobKey("other/theirs"), content(b"x"))
        await orphan.put(BlobKey("local/knowledge/original"), content(b"x"))  # another context's
        for expected in (0, 1, 0):
            assert await fm.evidence.sweep(c.SweepCopies(), fm.caller) == c.Discarded(expected)
            clock.advance(timedelta(hours=25))
        assert [info.key.text async for info in orphan.list("other")] == ["other/theirs"]
        assert len([info async for info in orphan.list("local")]) == 3
        await orphan.aclose()


async def test_a_copy_of_another_organization_cannot_be_destroyed(fm: FaultMaven, foreigner: Caller) -> None:
    """Even by a job with its key."""
    case = await opened(fm)
    await fm.evidence.add_content(c.AddContent(case, "x"), content(b"x"), fm.caller)
    with pytest.raises(InvalidInputError, match="another organization"):
        await fm.evidence.discard_blob(c.DiscardBlob(f"{fm.caller.organization}/0"), foreigner)


async def test_what_is_wrong_with_a_command_is_said(fm: FaultMaven, tmp_path: Path) -> None:
    """Before anything is stored."""
    case = await opened(fm)
    (tmp_path / "x").write_text("x")
    with pytest.raises(InvalidInputError, match="incident, baseline"):
        await fm.evidence.add(c.AddEvidence(case, str(tmp_path / "x"), role="odd"), fm.caller)
    with pytest.raises(InvalidInputError, match="0 characters"):
        await fm.evidence.add_content(c.AddContent(case, ""), content(b""), fm.caller)
    with pytest.raises(NotFoundError, match="nothing at"):
        await fm.evidence.add(c.AddEvidence(case, str(tmp_path / "nowhere")), fm.caller)
    with pytest.raises(NotFoundError, match="no evidence"):
        await fm.evidence.show(c.ShowEvidence(case, "ev_none"), fm.caller)
    added = (await fm.evidence.add(c.AddEvidence(case, str(tmp_path / "x")), fm.caller)).items[0]
    with pytest.raises(NotFoundError, match="not read yet"):
        await fm.evidence.show(c.ShowEvidence(case, added.evidence_id, lines=3), fm.caller)
    from faultmaven_core.cases.commands import CloseCase

    await fm.cases.close(CloseCase(case), fm.caller)
    for attempt in (
        fm.evidence.delete(c.DeleteEvidence(case, added.evidence_id), fm.caller),
        fm.evidence.classify(c.ClassifyEvidence(case, added.evidence_id, "log"), fm.caller),
    ):
        with pytest.raises(PreconditionFailedError):
            await attempt


async def test_a_lost_copy_is_said_and_does_not_stop_the_rest(tmp_path: Path, crash: Path) -> None:
    """As after a restore of the database without the blobs."""
    async with FaultMaven.open(load_settings({"FM_HOME": str(tmp_path / "home")})) as fm:
        case = await opened(fm)
        await fm.evidence.add(c.AddEvidence(case, str(crash), copy=True), fm.caller)
        await fm.investigation.investigate(Investigate(case), fm.caller)
        for path in (tmp_path / "home").rglob("*.blob"):
            if b"cannot start" in path.read_bytes():
                path.unlink()
        item = (await listed(fm, case))["app.log"]
        assert item.state == "moved"
        assert "add the file again" in item.explanation
        found = await fm.evidence.search(c.SearchEvidence(case, "web"), fm.caller)
        assert found.hits
        assert len(found.problems) == 1
        record = (await fm.investigation.investigate(Investigate(case), fm.caller)).record
        assert record.root_cause is not None
