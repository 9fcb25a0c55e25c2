"""Archives as nobody but an attacker makes them: taken apart, changed, and put together so that all digests hold again."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from faultmaven import FaultMaven
from faultmaven_core import codec
from faultmaven_core.archives.commands import ExportCase, ImportCase, ImportedCase
from faultmaven_core.cases import journal
from faultmaven_core.cases.commands import BrowseCases, OpenCase
from faultmaven_core.cases.journal import JournalEntry
from faultmaven_core.cases.turn_commands import AddNotice, ReadMessages
from faultmaven_core.evidence.commands import AddContent, ListEvidence
from faultmaven_core.ports.blobs import BlobStore
from faultmaven_core.shared.caller import Caller

Parts = dict[str, bytes]
Change = Callable[[Parts], None]

LOG = b"2026-03-01T11:58:01Z ERROR cannot start\n" * 50


async def pieces(content: bytes, size: int = 4096) -> Any:
    """Content as it comes over a network."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def a_case(fm: FaultMaven) -> str:
    """A case with two files and two messages."""
    opened = await fm.cases.open(OpenCase("Why does it not start?", metadata={"k": "v"}), fm.caller)
    for name in ("app.log", "other.log"):
        await fm.evidence.add_content(AddContent(opened.case_id, name), pieces(LOG + name.encode()), fm.caller)
    for number in (1, 2):
        await fm.cases.notify(AddNotice(opened.case_id, f"notice {number}"), fm.caller)
    return opened.case_id


async def exported(fm: FaultMaven, case_id: str) -> bytes:
    """Its archive."""
    archive = await fm.application.archives.export(ExportCase(case_id), fm.caller)
    return b"".join([chunk async for chunk in archive.chunks()])


async def taken(fm: FaultMaven, archive: bytes, caller: Caller) -> ImportedCase:
    """The case that somebody makes of an archive."""
    return await fm.application.archives.take(ImportCase(), pieces(archive), caller)


async def left_behind(fm: FaultMaven, caller: Caller) -> tuple[int, list[str]]:
    """How many cases there are of an organization, and the keys of all its blobs."""
    blobs: Any = fm.application.probes["blobs"]
    store: BlobStore = blobs
    keys = [info.key.text async for info in store.list(f"{caller.organization}/")]
    return (await fm.cases.browse(BrowseCases(), caller)).total, keys


async def seen(fm: FaultMaven, found: ImportedCase, caller: Caller) -> tuple[object, ...]:
    """What came of an archive, but for what is made anew each time."""
    case = found.case.case_id
    said = (await fm.cases.messages(ReadMessages(case), caller)).messages
    files = (await fm.evidence.list(ListEvidence(case), caller)).items
    return (
        replace(found.case, case_id=""),
        [(one.role, one.content) for one in said],
        [(one.name, one.size, one.sha256, one.details) for one in files],
        found.missing,
    )


def parts_of(archive: bytes) -> Parts:
    """The members by name."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def packed(parts: Mapping[str, bytes], *, manifest: bool = True, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of members; with `manifest` its manifest names them as they are now."""
    found = dict(parts)
    if manifest:
        told = json.loads(found.pop("manifest.json"))
        told["parts"] = [
            {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for path, content in found.items()
        ]
        found["manifest.json"] = json.dumps(told).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as made:
        for path, content in found.items():
            made.writestr(zipfile.ZipInfo(path), content, compression)
    return buffer.getvalue()


def changed(archive: bytes, *changes: Change) -> bytes:
    """The archive with changes to its members, and a manifest that fits them."""
    parts = parts_of(archive)
    for change in changes:
        change(parts)
    return packed(parts)


def setting(path: str, **values: Any) -> Change:
    """Members of a part that is one object."""

    def change(parts: Parts) -> None:
        parts[path] = json.dumps({**json.loads(parts[path]), **values}).encode()

    return change


def in_line(part: str, number: int, /, **values: Any) -> Change:
    """Members of one line of a part; `item` merges into what stands there."""

    def change(parts: Parts) -> None:
        lines = parts[part].splitlines()
        line = json.loads(lines[number])
        line |= {**values, "item": line["item"] | values["item"]} if "item" in values else values
        lines[number] = json.dumps(line).encode()
        parts[part] = b"\n".join(lines) + b"\n"

    return change


def journal_again(**values: Any) -> Change:
    """A journal whose last entry says something else, chained anew to where the manifest says: only its content is wrong."""

    def change(parts: Parts) -> None:
        entries = [codec.decode(JournalEntry, line) for line in parts["journal.jsonl"].splitlines()]
        made: list[JournalEntry] = []
        for number, entry in enumerate(entries, 1):
            raw: dict[str, Any] = {"at": entry.at, "actor": entry.actor, "kind": entry.kind, "detail": entry.detail}
            if number == len(entries):
                raw |= values
            made.append(journal.following(made[-1] if made else None, entry.case_id, entry.key, **raw))
        parts["journal.jsonl"] = b"".join(codec.encode(entry) + b"\n" for entry in made)
        setting("manifest.json", journal=made[-1].digest)(parts)

    return change
