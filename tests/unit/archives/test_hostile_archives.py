"""Archives that somebody made to do harm: each is refused in a sentence, and nothing of it stays behind."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from faultmaven import FaultMaven
from faultmaven_core.archives import limits, model
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError
from tests.unit.archives.forging import (
    Change,
    Parts,
    a_case,
    changed,
    exported,
    in_line,
    journal_again,
    left_behind,
    packed,
    parts_of,
    seen,
    setting,
    taken,
)

TRIES = 150

FILE = "evidence/00001/app.log"


@pytest.fixture
async def archive(fm: FaultMaven) -> bytes:
    """An archive as we make it."""
    return await exported(fm, await a_case(fm))


async def refused(fm: FaultMaven, archive: bytes, caller: Caller) -> str:
    """Why it is refused; nothing of it is there afterwards."""
    with pytest.raises((InvalidInputError, TooLargeError)) as failure:
        await taken(fm, archive, caller)
    assert await left_behind(fm, caller) == (0, [])
    return str(failure.value)


def renamed(old: str, new: str) -> Change:
    """A member under another name, in the evidence too."""

    def change(parts: Parts) -> None:
        parts[new] = parts.pop(old)
        parts["evidence.jsonl"] = parts["evidence.jsonl"].replace(json.dumps(old).encode(), json.dumps(new).encode())

    return change


def without(path: str) -> Change:
    """A member less."""
    return lambda parts: parts.__delitem__(path)


def being(path: str, content: bytes) -> Change:
    """A member that is something else."""
    return lambda parts: parts.__setitem__(path, content)


async def test_a_forged_archive_that_is_right_is_taken(fm: FaultMaven, archive: bytes, foreigner: Caller) -> None:
    """Else what is refused below would be refused for how it was put together."""
    assert (await taken(fm, changed(archive), foreigner)).evidence == 2


FORGED: dict[str, tuple[Change, ...]] = {
    "another format": (setting("manifest.json", format="faultmaven-case/2"),),
    "a manifest of something": (setting("manifest.json", extra=1),),
    "a case that is not the manifest's": (setting("manifest.json", case_id="case_0123456789ab"),),
    "a part more": (being("more.txt", b"x"),),
    "a part that leads out": (being("../../outside", b"x"),),
    "a part at the root": (being("/etc/passwd", b"x"),),
    "evidence that leads out": (renamed(FILE, "evidence/00001/.."),),
    "evidence that is a path": (renamed(FILE, "evidence/00001/../../x.log"),),
    "evidence with a backslash": (renamed(FILE, "evidence/00001/..\\x.log"),),
    "no case": (without("case.json"),),
    "no journal": (without("journal.jsonl"),),
    "a record without its report": (being("record.json", b"{}"),),
    "a record of no investigation": tuple(being(name, b"{}") for name in ("record.json", "exhibits.json", "report.md")),
    "no JSON": (being("case.json", b"{"),),
    "JSON of something else": (being("case.json", b"[]"),),
    "JSON that is nested": (being("case.json", b'{"metadata":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}"),),
    "a case with a field more": (setting("case.json", owner_is_admin=True),),
    "a case in no state": (setting("case.json", status="open"),),
    "a case that has ended for nothing": (setting("case.json", status="closed"),),
    "a case that has ended for what is none": (
        setting("case.json", status="closed", closure_reason="because", closed_at="2026-03-01T12:00:00Z"),
    ),
    "a case that ended and goes on": (setting("case.json", closed_at="2026-03-01T12:00:00Z"),),
    "a deleted case": (setting("case.json", deleted_at="2026-03-01T12:00:00Z"),),
    "a verdict that is none": (setting("case.json", verdict="certain"),),
    "messages that are not there": (setting("case.json", messages=3),),
    "more turns than messages": (setting("case.json", turns=3),),
    "fewer records than none": (setting("case.json", records=-1),),
    "a record that is not there": (setting("case.json", records=1),),
    "a title that is none": (setting("case.json", title=""),),
    "a title without end": (setting("case.json", title="x" * 201),),
    "a description without end": (setting("case.json", description="x" * 20_001),),
    "a question without end": (setting("case.json", question="x" * 20_001),),
    "milestones that there are not": (
        setting("case.json", figures={"milestones": ["fame"], "hypotheses": 0, "solutions": 0}),
    ),
    "a milestone that is reached for ever": (
        setting("case.json", figures={"milestones": ["scope_assessed"] * 7, "hypotheses": 0, "solutions": 0}),
    ),
    "fewer remedies than none": (setting("case.json", figures={"milestones": [], "hypotheses": 0, "solutions": -1}),),
    "a text that no database keeps": (setting("case.json", cause="a\0b"),),
    "half a character": (being("case.json", b'{"title": "\\ud800"}'),),
    "metadata without end": (setting("case.json", metadata={"k": "v" * 17_000}),),
    "a time without a zone": (setting("case.json", created_at="2026-03-01T12:00:00"),),
    "a time before computers": (setting("case.json", created_at="0001-01-01T00:00:00+14:00"),),
    "a time before computers in its zone": (setting("case.json", created_at="1970-01-01T00:00:00+14:00"),),
    "a time behind the last year": (setting("case.json", created_at="9999-12-31T23:59:59-14:00"),),
    "an entry behind the last year": (
        journal_again(at=datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=14)))),
    ),
    "a message behind the last year": (in_line("conversation.jsonl", 0, at="9999-12-31T23:59:59-14:00"),),
    "evidence behind the last year": (in_line("evidence.jsonl", 0, item={"added_at": "9999-12-31T23:59:59-14:00"}),),
    "a number that is none": (setting("case.json", records=2**70),),
    "a journal that was changed": (in_line("journal.jsonl", 1, actor="root"),),
    "a journal without its first entry": (
        lambda parts: parts.__setitem__("journal.jsonl", b"\n".join(parts["journal.jsonl"].split(b"\n")[1:])),
    ),
    "a journal without its last entry": (
        lambda parts: parts.__setitem__("journal.jsonl", b"".join(parts["journal.jsonl"].splitlines(True)[:-1])),
    ),
    "an empty journal": (being("journal.jsonl", b""),),
    "a journal that ends elsewhere": (setting("manifest.json", journal="0" * 64),),
    "a manifest by nobody": (setting("manifest.json", exported_by=""),),
    "a manifest by whom no database keeps": (setting("manifest.json", exported_by="a\0b"),),
    "a manifest of an organization without end": (setting("manifest.json", organization="x" * 1_000_000),),
    "a manifest of a version without end": (setting("manifest.json", version="x" * 65),),
    "a manifest of no time": (setting("manifest.json", exported_at="2026-03-01T12:00:00"),),
    "a case with a name of its own": tuple(
        setting(part, **{field: "case_\0"}) for part, field in (("manifest.json", "case_id"), ("case.json", "id"))
    ),
    "a journal of another case": (
        lambda parts: parts.__setitem__("journal.jsonl", parts["journal.jsonl"].replace(b"case_", b"cas3_")),
    ),
    "a journal of markup": (journal_again(kind="<script>"),),
    "a journal with what no database keeps": (journal_again(detail={"a\0": "b"}),),
    "a conversation with a gap": (in_line("conversation.jsonl", 1, sequence=3),),
    "a message of a turn to come": (in_line("conversation.jsonl", 1, turn=9),),
    "a message that says nothing": (in_line("conversation.jsonl", 0, text=""),),
    "a message by nobody known": (in_line("conversation.jsonl", 0, role="root"),),
    "a message that was never said": (in_line("conversation.jsonl", 0, at="2026-03-01T12:00:00"),),
    "a message beside which stands what no database keeps": (in_line("conversation.jsonl", 0, metadata={"a": ["\0"]}),),
    "a line that does not end": (lambda parts: parts.__setitem__("evidence.jsonl", parts["evidence.jsonl"][:-1]),),
    "a file that is evidence twice": (in_line("evidence.jsonl", 1, path=FILE),),
    "a file that is no evidence": (being("evidence/00003/x.log", b"x"),),
    "evidence that is not there": (in_line("evidence.jsonl", 1, path="evidence/00009/x.log"),),
    "evidence that counts below nothing": (in_line("evidence.jsonl", 0, item={"turn": -1}),),
    "evidence in no role": (in_line("evidence.jsonl", 0, item={"role": "witness"}),),
    "evidence of a kind without end": (in_line("evidence.jsonl", 0, item={"kind": "x" * 65}),),
    "evidence with a detail without end": (in_line("evidence.jsonl", 0, item={"details": {"k": "x" * 1001}}),),
    "evidence with a detail of a long name": (in_line("evidence.jsonl", 0, item={"details": {"k" * 65: "x"}}),),
    "evidence with a digest that is none": (
        in_line(
            "evidence.jsonl",
            0,
            item={"sources": [{"name": "a", "sha256": "x", "kind": "", "size": 1, "lines": 1}]},
        ),
    ),
}


@pytest.mark.parametrize("name", sorted(FORGED))
async def test_what_cannot_have_come_to_be_is_refused(
    fm: FaultMaven, archive: bytes, foreigner: Caller, name: str
) -> None:
    """Though every digest holds: the manifest is the attacker's too."""
    assert await refused(fm, changed(archive, *FORGED[name]), foreigner)


async def test_content_is_what_its_digest_says(fm: FaultMaven, archive: bytes, foreigner: Caller) -> None:
    """Of each part, files and texts; and never more bytes than it said."""
    for path in parts_of(archive):
        if path == "manifest.json":
            continue
        parts = parts_of(archive)
        parts[path] = bytes([parts[path][0] ^ 1]) + parts[path][1:]
        assert path in await refused(fm, packed(parts, manifest=False), foreigner)
        parts = parts_of(archive)
        parts[path] += b"\n"
        assert path in await refused(fm, packed(parts, manifest=False), foreigner)


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + bytes(18), b"no zip " * 99, b"\x1f\x8b" + bytes(99)])
async def test_what_is_no_archive_is_refused(fm: FaultMaven, foreigner: Caller, content: bytes) -> None:
    """Also one without a member."""
    assert "no archive of a case" in await refused(fm, content, foreigner)


async def test_an_archive_that_was_cut_off_is_refused(fm: FaultMaven, archive: bytes, foreigner: Caller) -> None:
    """Wherever: its end is what makes it one."""
    for length in range(1, len(archive), max(len(archive) // 40, 1)):
        await refused(fm, archive[:length], foreigner)


async def test_members_are_what_a_zip_of_ours_has(fm: FaultMaven, archive: bytes, foreigner: Caller) -> None:
    """No links, devices, secrets, doubles, or methods that we do not write."""
    parts = parts_of(archive)
    for mode in (0o120777, 0o020666, 0o010644):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as made:
            for path, content in parts.items():
                info = zipfile.ZipInfo(path)
                info.external_attr = (mode if path == FILE else 0o100600) << 16
                made.writestr(info, content)
        assert FILE in await refused(fm, buffer.getvalue(), foreigner)
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert "compression" in await refused(fm, packed(parts, compression=method), foreigner)
    buffer = io.BytesIO(archive)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(buffer, "a") as made:
        made.writestr(FILE, b"another")
    assert "same name" in await refused(fm, buffer.getvalue(), foreigner)
    at = archive.rindex(FILE.encode()) - 46
    assert archive[at : at + 4] == b"PK\x01\x02"
    locked = archive[: at + 8] + struct.pack("<H", 0x9) + archive[at + 10 :]
    assert "encrypted" in await refused(fm, locked, foreigner)


async def test_members_that_share_bytes_are_refused(fm: FaultMaven, archive: bytes, foreigner: Caller) -> None:
    """How the densest bombs are made: many names for one piece of content."""
    first, second = (archive.rindex(name.encode()) - 46 for name in (FILE, "evidence/00002/other.log"))
    there = archive[first + 42 : first + 46]
    await refused(fm, archive[: second + 42] + there + archive[second + 46 :], foreigner)


async def test_a_member_that_goes_on_behind_the_end_is_refused(
    fm: FaultMaven, archive: bytes, foreigner: Caller
) -> None:
    """Its packed size reaches to where there is nothing any more."""
    at = archive.rindex(b"evidence.jsonl") - 46
    beyond = archive[: at + 20] + struct.pack("<I", 1 << 30) + archive[at + 24 :]
    await refused(fm, beyond, foreigner)


async def test_bytes_are_limited_before_they_are_unpacked(
    fm: FaultMaven, archive: bytes, foreigner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole archive, all that it holds, its texts, its manifest, a line, the number of lines and that of files."""
    desk: Any = fm.application.archives._desk
    monkeypatch.setattr(desk, "most_copied", len(archive) - 1)
    assert "over" in await refused(fm, archive, foreigner)
    bomb = changed(archive, lambda parts: parts.__setitem__(FILE, b"\0" * (4 << 20)))
    monkeypatch.setattr(desk, "most_copied", len(bomb) + 1)
    assert "unpacks to over" in await refused(fm, bomb, foreigner)
    monkeypatch.undo()
    monkeypatch.setattr(limits, "MOST_MANIFEST", 100)
    assert "manifest.json is over" in await refused(fm, archive, foreigner)
    monkeypatch.undo()
    monkeypatch.setattr(limits, "MOST_LINE", 50)
    assert "a line of" in await refused(fm, archive, foreigner)
    monkeypatch.undo()
    monkeypatch.setattr(limits, "MOST_LINES", 1)
    assert "1 are taken" in await refused(fm, archive, foreigner)
    monkeypatch.undo()
    monkeypatch.setattr(limits, "MOST_TEXT", 10)
    assert "are taken" in await refused(fm, archive, foreigner)
    monkeypatch.undo()
    monkeypatch.setattr(limits, "MOST_FILES", 1)
    monkeypatch.setattr(model, "WITH_RECORD", ())
    many = {f"evidence/{number:05}/x": b"" for number in range(9)}
    assert "over 1 files" in await refused(fm, packed({**parts_of(archive), **many}), foreigner)


async def test_any_byte_may_be_wrong(fm: FaultMaven, archive: bytes, foreigner: Caller) -> None:
    """Refused, or read as it was where the byte says nothing; never any other failure, never a case that is different."""
    chance, taken_anyway = random.Random(1), 0
    want = await seen(fm, await taken(fm, archive, foreigner), foreigner)
    for _ in range(TRIES):
        at = chance.randrange(len(archive))
        wrong = archive[:at] + bytes([archive[at] ^ (1 << chance.randrange(8))]) + archive[at + 1 :]
        try:
            found = await taken(fm, wrong, foreigner)
        except (InvalidInputError, TooLargeError):
            continue
        taken_anyway += 1
        assert await seen(fm, found, foreigner) == want
    assert 0 < taken_anyway < TRIES / 2
    assert len((await left_behind(fm, foreigner))[1]) == 2 * (taken_anyway + 1)
