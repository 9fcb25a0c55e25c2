"""What goes wrong while a case leaves or arrives: nothing is there by halves, and nobody takes a part for the whole."""

from __future__ import annotations

import asyncio
import dataclasses
import zipfile
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from faultmaven import FaultMaven, load_settings
from faultmaven_core.archives.commands import ExportCase, ImportCase
from faultmaven_core.archives.origins import Renaming
from faultmaven_core.cases.commands import CloseCase, DeleteCase, ReadJournal, ShowCase
from faultmaven_core.cases.model import Case
from faultmaven_core.cases.turn_commands import ReadMessages
from faultmaven_core.evidence.commands import AddContent, DeleteEvidence, ListEvidence
from faultmaven_core.evidence.custody import EvidenceDesk
from faultmaven_core.evidence.model import State
from faultmaven_core.ports.writes import RequestKeyReusedError, Writes
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import (
    AmbiguousError,
    BackendUnavailableError,
    CorruptDataError,
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
    QuotaExceededError,
)
from faultmaven_core.shared.ids import SequentialIds
from tests.unit.archives.forging import (
    LOG,
    a_case,
    changed,
    exported,
    in_line,
    journal_again,
    left_behind,
    pieces,
    setting,
    taken,
)

CARRIED = {
    "title", "question", "created_at", "status", "verdict", "cause", "mechanism", "judgement", "actual_cause",
    "closure_reason", "closed_at", "history", "records", "description", "priority", "source", "metadata", "turns",
    "messages", "dialogue", "figures",
}  # fmt: skip
ANEW = {"key", "id", "organization", "owner", "updated_at", "version", "deleted_at", "archived_at", "teams"}


def test_every_field_of_a_case_is_carried_or_made_anew() -> None:
    """Whoever adds one decides whether it may leave the organization."""
    assert {field.name for field in dataclasses.fields(Case)} == CARRIED | ANEW


async def test_a_copy_that_cannot_be_stored_leaves_no_other(
    fm: FaultMaven, foreigner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store fails at the second file: the first one goes too, and there is no case."""
    archive = await exported(fm, await a_case(fm))
    store = EvidenceDesk.copied
    stored: list[Any] = []

    async def failing(self: EvidenceDesk, *arguments: Any) -> Any:
        if stored:
            raise BackendUnavailableError("The store cannot be reached.")
        stored.append(await store(self, *arguments))
        return stored[-1]

    monkeypatch.setattr(EvidenceDesk, "copied", failing)
    with pytest.raises(BackendUnavailableError):
        await taken(fm, archive, foreigner)
    assert len(stored) == 1
    assert await left_behind(fm, foreigner) == (0, [])


async def test_who_leaves_in_the_middle_leaves_nothing(fm: FaultMaven, foreigner: Caller) -> None:
    """Cancelled while the second file is copied."""
    archive = await exported(fm, await a_case(fm))
    desk: Any = fm.application.archives._desk
    copied, second = desk.copied, asyncio.Event()
    count = 0

    async def waiting(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count == 2:
            second.set()
            await asyncio.Event().wait()
        return await copied(*arguments)

    desk.copied = waiting
    doing = asyncio.create_task(taken(fm, archive, foreigner))
    await second.wait()
    assert len((await left_behind(fm, foreigner))[1]) == 1
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing
    assert await left_behind(fm, foreigner) == (0, [])


@pytest.mark.parametrize(
    ("failure", "left"),
    [(BackendUnavailableError("gone"), 0), (CorruptDataError("broken"), 0), (AmbiguousError("?"), 2)],
)
async def test_copies_go_unless_rows_may_name_them(
    fm: FaultMaven, foreigner: Caller, monkeypatch: pytest.MonkeyPatch, failure: Exception, left: int
) -> None:
    """Where nobody knows whether the commit happened they stay: a sweep asks the rows a day later."""
    archive = await exported(fm, await a_case(fm))

    async def failing(*_: Any) -> Any:
        raise failure

    monkeypatch.setattr(Writes, "__call__", failing)
    with pytest.raises(type(failure)):
        await taken(fm, archive, foreigner)
    cases, keys = await left_behind(fm, foreigner)
    assert (cases, len(keys)) == (0, left)


async def test_under_one_key_one_case_is_made(fm: FaultMaven, foreigner: Caller) -> None:
    """Ten at once, as a client that loses its patience: one case, its two files, and one answer for all."""
    archive = await exported(fm, await a_case(fm))
    caller = dataclasses.replace(foreigner, request_key="import-1")
    found = await asyncio.gather(*(taken(fm, archive, caller) for _ in range(10)))
    assert len({one.case.case_id for one in found}) == 1
    cases, keys = await left_behind(fm, foreigner)
    assert (cases, len(keys)) == (1, 2)
    with pytest.raises(RequestKeyReusedError):
        await taken(fm, await exported(fm, await a_case(fm)), caller)


async def test_an_archive_has_no_end_where_a_file_went_meanwhile(fm: FaultMaven) -> None:
    """What came until then is no zip that anybody reads."""
    case_id = await a_case(fm)
    archive = await fm.application.archives.export(ExportCase(case_id), fm.caller)
    chunks = archive.chunks()
    came = [await anext(chunks)]
    desk: Any = fm.application.archives._desk
    await desk.destroy((await left_behind(fm, fm.caller))[1])

    async def there(_: object) -> tuple[State, str]:
        return State.AVAILABLE, ""

    desk.state = there
    with pytest.raises(NotFoundError):
        came.extend([chunk async for chunk in chunks])
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(BytesIO(b"".join(came)))


async def test_a_file_that_is_not_what_was_added_ends_the_archive(fm: FaultMaven) -> None:
    """A reference is looked at before; what changes between look and reading shows in its digest."""
    case_id = await a_case(fm)
    desk: Any = fm.application.archives._desk
    real = desk.open

    def other(item: Any, start: int, length: int) -> Any:
        return real(dataclasses.replace(item, blob=swapped), start, length)

    keys = (await left_behind(fm, fm.caller))[1]
    swapped = keys[0]
    desk.open = other
    with pytest.raises(CorruptDataError, match="not what it was"):
        await exported(fm, case_id)


async def test_evidence_that_is_gone_is_told_of(fm: FaultMaven, foreigner: Caller) -> None:
    """The case comes without its content, and says so wherever that is looked at."""
    case_id = await a_case(fm)
    desk: Any = fm.application.archives._desk
    await desk.destroy((await left_behind(fm, fm.caller))[1][:1])
    found = await taken(fm, await exported(fm, case_id), foreigner)
    assert (found.evidence, len(found.missing)) == (2, 1)
    items = (await fm.evidence.list(ListEvidence(found.case.case_id), foreigner)).items
    states = {item.name: (item.state, "not in the archive" in item.explanation) for item in items}
    assert states[found.missing[0]] == ("unreadable", True)
    assert sorted(state for state, _ in states.values()) == ["available", "unreadable"]
    # It goes on from there: exported once more, the same is missing.
    again = await fm.application.archives.export(ExportCase(found.case.case_id), foreigner)
    archive = b"".join([chunk async for chunk in again.chunks()])
    assert (await taken(fm, archive, fm.caller)).missing == found.missing


async def test_an_empty_file_and_names_of_any_kind_come_along(fm: FaultMaven, foreigner: Caller) -> None:
    """Two of one name, too: in the archive each has a folder of its own."""
    case_id = await a_case(fm)
    names = ["empty.log", "app.log", "Überblick ☃.txt", "con .txt", "a" * 240 + ".log"]
    for name in names:
        await fm.evidence.add_content(AddContent(case_id, name), pieces(b"" if name == "empty.log" else LOG), fm.caller)
    before = (await fm.evidence.list(ListEvidence(case_id), fm.caller)).items
    found = await taken(fm, await exported(fm, case_id), foreigner)
    after = (await fm.evidence.list(ListEvidence(found.case.case_id), foreigner)).items
    assert [(one.name, one.size, one.sha256) for one in after] == [(one.name, one.size, one.sha256) for one in before]
    assert {one.state for one in after} == {"available"}


async def test_what_may_not_be_exported(fm: FaultMaven, foreigner: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A case that is another's, deleted, or larger than any archive that could be taken again."""
    case_id = await a_case(fm)
    with pytest.raises(NotFoundError):
        await fm.application.archives.export(ExportCase(case_id), foreigner)
    desk: Any = fm.application.archives._desk
    monkeypatch.setattr(desk, "most_copied", len(LOG))
    with pytest.raises(PreconditionFailedError, match="FM_EVIDENCE_COPY_MAX"):
        await fm.application.archives.export(ExportCase(case_id), fm.caller)
    monkeypatch.undo()
    await fm.cases.delete(DeleteCase(case_id), fm.caller)
    with pytest.raises(NotFoundError):
        await fm.application.archives.export(ExportCase(case_id), fm.caller)


async def test_an_ended_case_comes_ended(fm: FaultMaven, foreigner: Caller) -> None:
    """It cannot be changed there either, and who ended it is told as one of elsewhere."""
    case_id = await a_case(fm)
    await fm.cases.close(CloseCase(case_id, "duplicate"), fm.caller)
    found = await taken(fm, await exported(fm, case_id), foreigner)
    assert (found.case.status, found.case.closure_reason) == ("closed", "duplicate")
    assert [step.by for step in found.case.history] == [f"imported:{fm.caller.user}"]
    items = (await fm.evidence.list(ListEvidence(found.case.case_id), foreigner)).items
    with pytest.raises(PreconditionFailedError):
        await fm.evidence.delete(DeleteEvidence(found.case.case_id, items[0].evidence_id), foreigner)


async def test_nobody_passes_for_a_user_of_here(fm: FaultMaven, foreigner: Caller) -> None:
    """Though the archive says that he said it, opened it, or brought it."""
    archive = changed(
        await exported(fm, await a_case(fm)),
        in_line("conversation.jsonl", 0, role="user", author=str(foreigner.user)),
        setting("case.json", owner="root"),
        in_line("evidence.jsonl", 0, item={"added_by": "root", "organization": "acme", "blob": "acme/secret"}),
    )
    found = await taken(fm, archive, foreigner)
    assert found.case.owner == foreigner.user
    page = await fm.cases.messages(ReadMessages(found.case.case_id), foreigner)
    assert page.messages[0].author_id == f"imported:{foreigner.user}"
    items = (await fm.evidence.list(ListEvidence(found.case.case_id), foreigner)).items
    assert {item.added_by for item in items} == {foreigner.user}
    assert (await fm.cases.show(ShowCase(found.case.case_id), foreigner)).version == 1


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[FaultMaven]:
    """Where an organization may hold as much as one case has, and not two."""
    urls = {
        "FM_DATABASE_URL": "memory:", "FM_BLOBS_URL": "memory:", "FM_HOME": str(tmp_path / "small"),
        "FM_QUOTA_ORGANIZATION": str(3 * len(LOG)),
    }  # fmt: skip
    async with FaultMaven.open(load_settings(urls)) as opened:
        yield opened


async def test_files_of_an_archive_are_held_against_the_quota(small: FaultMaven, foreigner: Caller) -> None:
    """Before anything of it is unpacked; and no number in the archive makes it smaller."""
    archive = await exported(small, await a_case(small))
    lying = changed(archive, in_line("evidence.jsonl", 0, item={"size": 0}))
    for one in (archive, lying):
        with pytest.raises(QuotaExceededError):
            await taken(small, one, small.caller)
    assert (await left_behind(small, small.caller))[0] == 1
    await taken(small, lying, foreigner)
    with pytest.raises(QuotaExceededError):
        await taken(small, archive, foreigner)
    cases, keys = await left_behind(small, foreigner)
    assert (cases, len(keys)) == (1, 2)


async def test_a_journal_of_another_zone_holds_here_too(fm: FaultMaven, foreigner: Caller) -> None:
    """Databases keep times in UTC, and what is chained must be what is kept."""
    zone = timezone(timedelta(hours=5, minutes=30))
    forged = changed(await exported(fm, await a_case(fm)), journal_again(at=datetime(2026, 3, 1, 17, 30, tzinfo=zone)))
    found = await taken(fm, forged, foreigner)
    page = await fm.cases.journal(ReadJournal(found.case.case_id), foreigner)
    assert (page.intact, page.entries[-1].kind) == (True, "case_imported")


async def test_a_digest_that_was_told_is_checked_first(fm: FaultMaven, foreigner: Caller) -> None:
    """What differs is not even opened."""
    archive = await exported(fm, await a_case(fm))
    with pytest.raises(InvalidInputError, match="SHA-256 differs"):
        await fm.application.archives.take(ImportCase("0" * 64), pieces(archive), foreigner)


def test_only_ids_are_renamed() -> None:
    """Wherever they stand in what was said, and nothing that only looks like one."""
    rename = Renaming(SequentialIds())
    rename.given("ev_000000000001", "ev_00000000000a")
    said = {"ev_000000000001": ["see ev_000000000001.", "xev_000000000001", "ev_0000000000012", 7, None]}
    assert rename(said) == {
        "ev_000000000001": ["see ev_00000000000a.", "xev_000000000001", "ev_0000000000012", 7, None]
    }
