"""An archive that we make is one that we take; and none costs more to look at than it may hold."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from faultmaven import FaultMaven
from faultmaven_core.archives import limits
from faultmaven_core.archives.commands import ExportCase
from faultmaven_core.cases.commands import DeleteCase
from faultmaven_core.evidence.commands import AddContent
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import CorruptDataError, InvalidInputError, PreconditionFailedError, TooLargeError
from tests.unit.archives.forging import (
    Parts,
    a_case,
    changed,
    exported,
    packed,
    parts_of,
    pieces,
    taken,
)

SIZE = 6 << 20
"""Bytes of a part that is dense: as many values as these bytes can hold take half a gigabyte."""

LIMITS: dict[str, Callable[[Parts], int]] = {
    "MOST_FILES": lambda parts: sum(path.startswith("evidence/") for path in parts),
    "MOST_LINES": lambda parts: max(parts[name].count(b"\n") for name in parts if name.endswith(".jsonl")),
    "MOST_LINE": lambda parts: max(
        len(line) for name in parts if name.endswith(".jsonl") for line in parts[name].splitlines(True)
    ),
    "MOST_VALUES": lambda parts: sum(
        parts[name].count(mark)
        for name in parts
        if name.endswith((".json", ".jsonl")) and name != "manifest.json"
        for mark in (b",", b"[", b"{")
    ),
    "MOST_TEXT": lambda parts: sum(
        len(content) for path, content in parts.items() if not path.startswith(("evidence/", "manifest"))
    ),
}
"""Each limit of a case, and how much of it an archive has."""


@pytest.mark.parametrize("name", sorted(LIMITS))
async def test_what_would_not_be_taken_is_refused_before_the_first_byte(
    fm: FaultMaven, foreigner: Caller, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Below what the archive has, neither an export begins nor an import; somewhat above both go through."""
    case_id = await a_case(fm)
    archive = await exported(fm, case_id)
    has = LIMITS[name](parts_of(archive))
    monkeypatch.setattr(limits, name, has - 1)
    with pytest.raises(PreconditionFailedError, match=f"{case_id} cannot be exported: "):
        await fm.application.archives.export(ExportCase(case_id), fm.caller)
    with pytest.raises((InvalidInputError, TooLargeError)):
        await taken(fm, archive, foreigner)
    for most in range(has, has + 2000, 100):
        monkeypatch.setattr(limits, name, most)
        try:
            sent = await exported(fm, case_id)
        except PreconditionFailedError:
            continue
        assert (await taken(fm, sent, foreigner)).evidence == 2
        return
    pytest.fail(f"No {name} was enough.")


async def test_an_archive_that_is_written_is_not_larger_than_one_that_is_read(
    fm: FaultMaven, foreigner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evidence that does not pack, headers, the manifest and all: whatever the limit, one that comes out goes in again."""
    case_id = await a_case(fm)
    for number in range(20):
        content = pieces(random.Random(number).randbytes(1000))
        await fm.evidence.add_content(AddContent(case_id, f"{number}" + "n" * 240), content, fm.caller)
    desk: Any = fm.application.archives._desk
    seen = set()
    for most in range(20_000, 200_000, 5_000):
        monkeypatch.setattr(desk, "most_copied", most)
        try:
            archive = await exported(fm, case_id)
        except PreconditionFailedError as refusal:
            assert "FM_EVIDENCE_COPY_MAX" in str(refusal)  # noqa: PT017 - at some limits none is raised
            seen.add("refused")
            continue
        found = await taken(fm, archive, foreigner)
        await fm.cases.delete(DeleteCase(found.case.case_id, forever=True), foreigner)
        seen.add("taken")
    assert seen == {"refused", "taken"}


async def test_a_record_that_was_changed_in_the_store_begins_no_archive(
    fm: FaultMaven, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is seen before anything was answered."""
    exporting: Any = fm.application.archives._exporting

    def broken(*_: object) -> None:
        raise CorruptDataError("The stored record was changed after it was stored.")

    monkeypatch.setattr(exporting, "_texts", broken)
    with pytest.raises(CorruptDataError):
        await fm.application.archives.export(ExportCase(await a_case(fm)), fm.caller)


def dense(part: str) -> Callable[[Parts], None]:
    """Puts a part in the place of what it was that is nothing but values, of three bytes each."""
    return lambda parts: parts.__setitem__(part, b"[" + b"{}," * (SIZE // 3) + b"{}]\n")


@pytest.mark.parametrize("part", ["case.json", "conversation.jsonl", "evidence.jsonl", "journal.jsonl"])
async def test_values_are_counted_before_they_are_read(fm: FaultMaven, foreigner: Caller, part: str) -> None:
    """A few kilobytes unpack to millions of values, each of which would be an object."""
    bomb = changed(await exported(fm, await a_case(fm)), dense(part))
    assert len(bomb) < SIZE / 100
    assert await cost(fm, bomb, foreigner) < 6 * SIZE


async def test_those_of_the_manifest_too(fm: FaultMaven, foreigner: Caller) -> None:
    """It is read before any other part."""
    parts = parts_of(await exported(fm, await a_case(fm)))
    dense("manifest.json")(parts)
    assert await cost(fm, packed(parts, manifest=False), foreigner) < 6 * SIZE


async def cost(fm: FaultMaven, archive: bytes, caller: Caller) -> int:
    """Bytes of memory that it takes to refuse an archive."""
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInputError, match="values"):
            await taken(fm, archive, caller)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
