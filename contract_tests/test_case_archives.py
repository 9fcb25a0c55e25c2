"""A case that goes through any of our databases as an archive comes out as it went in."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from faultmaven_adapters.blobs.memory import MemoryBlobStore
from faultmaven_adapters.extraction.files import LocalEvidenceFiles
from faultmaven_adapters.reports.jinja import JinjaReportRenderer
from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.nasty import TEXTS
from faultmaven_contract_tests.samples import ACME, OTHER, Storage, case, entry, evidence, message, record
from faultmaven_core import codec
from faultmaven_core.archives.commands import ExportCase, ImportCase
from faultmaven_core.archives.service import ArchiveService
from faultmaven_core.cases.ports import StoredRecord
from faultmaven_core.evidence.custody import EvidenceDesk
from faultmaven_core.evidence.model import Custody
from faultmaven_core.evidence.uploads import Quota
from faultmaven_core.ports.report_renderer import Exhibits
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.ids import RandomIds, UserId
from storages import OPENERS, memory

ANN, BOB = Caller(ACME, UserId("ann")), Caller(OTHER, UserId("bob"))
IDS = re.compile(r"\b(?:case|ev|msg)_[0-9a-f]{12}\b")
MADE_ANEW = {"key", "organization", "owner", "updated_at", "version", "teams", "archived_at"}


@asynccontextmanager
async def archives_of(storage: Storage) -> AsyncIterator[ArchiveService]:
    """The service over a storage, with copies in memory."""
    files, clock = LocalEvidenceFiles(), FixedClock(datetime(2026, 3, 2, tzinfo=UTC))
    desk = EvidenceDesk(storage.evidence, files, MemoryBlobStore(), 1 << 30)
    try:
        yield ArchiveService(
            storage.archives, desk, files, files, JinjaReportRenderer(), Quota(1 << 30), clock, RandomIds(clock), "1"
        )
    finally:
        await files.aclose()


def written(place: Path) -> int:
    """A file there, and when it was written."""
    place.write_bytes(b"one\ntwo\n")
    return place.stat().st_mtime_ns


async def fill(storage: Storage, place: Path) -> None:
    """A case with something of everything, and in each text what some database finds hard."""
    modified = written(place)
    texts = [text for text in TEXTS if text and "\0" not in text]
    stored = case(
        messages=len(texts),
        turns=1,
        records=1,
        closed_at=None,
        closure_reason="",
        deleted_at=None,
        metadata={"k": texts},
    )
    async with storage.archives(ACME) as unit:
        await unit.cases.add(stored)
        await unit.messages.add(
            [message(n, turn=1, text=text, metadata={"t": text}) for n, text in enumerate(texts, 1)]
        )
        body = codec.encode(record())
        await unit.records.add(stored.id, 1, StoredRecord(body, _sha(body), codec.encode(Exhibits())))
        await unit.journal.add(entry(stored.id))
        kept = evidence(
            custody=Custody.REFERENCE, location=str(place), size=8, modified_ns=modified, blob="", problem="",
            sha256="", sources=(), details={"k": texts[0]},
        )  # fmt: skip
        await unit.evidence.add([kept])
        await unit.commit()


def _sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def told(archive: bytes) -> dict[str, Any]:
    """What an archive says, but for what is made anew wherever it is taken."""
    found: dict[str, Any] = {}
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        for name in opened.namelist():
            content = opened.read(name)
            if name == "case.json":
                values = json.loads(content)
                found[name] = {k: v for k, v in values.items() if k not in MADE_ANEW | {"id", "history"}}
            elif name == "conversation.jsonl":
                rows = [json.loads(line) for line in content.splitlines()]
                found[name] = [(row["sequence"], row["turn"], row["role"], row["text"], row["at"]) for row in rows]
            elif name.startswith("evidence/") or name == "record.json":
                found[name] = IDS.sub("<id>", content.decode())
    return found


@pytest.fixture
async def subject(backend: str, tmp_path: Path) -> AsyncIterator[Storage]:
    """A fresh storage."""
    async with OPENERS[backend](tmp_path) as storage:
        yield storage


class TestTravel(Contract):
    """From memory into each, and out of it again."""

    port = "cases"
    openers = OPENERS

    async def test_a_case_comes_out_as_it_went_in(self, subject: Storage, tmp_path: Path) -> None:
        """Texts of every kind, times to the microsecond, and files byte for byte."""
        async with memory(tmp_path) as first, archives_of(first) as here, archives_of(subject) as there:
            await fill(first, tmp_path / "file.log")
            sent = await here.export(ExportCase(case().id), ANN)
            before = b"".join([chunk async for chunk in sent.chunks()])
            found = await there.take(ImportCase(), _pieces(before), BOB)
            again = await there.export(ExportCase(found.case.case_id), BOB)
            after = b"".join([chunk async for chunk in again.chunks()])
            assert told(after) == told(before)
            assert (found.case.owner, found.evidence, found.missing) == (BOB.user, 1, ())


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 1000):
        yield content[start : start + 1000]
