"""An installation to be moved, of any size: rows of every table, blobs, and vectors of its documents."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from faultmaven_adapters.blobs.filesystem import FilesystemBlobStore
from faultmaven_adapters.sql.migrate import migrate
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.transfer import SqlTables
from faultmaven_adapters.vectors.sqlite import SqliteVectorStore
from faultmaven_core.knowledge.model import Tier
from faultmaven_core.knowledge.vectors import collection
from faultmaven_core.ports.blobs import BlobKey
from faultmaven_core.ports.vector_fields import FieldType
from faultmaven_core.ports.vectors import (
    CollectionName,
    CollectionSpec,
    Embedding,
    Metric,
    Scope,
    VectorId,
    VectorRecord,
)
from faultmaven_core.shared.ids import OrganizationId, uuid7
from transfer_people import PEOPLE

START = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
ACME, OTHER = OrganizationId("acme"), OrganizationId("other.example")
FIELDS = {"document": FieldType.STRING, "owner": FieldType.STRING, "chunk": FieldType.INTEGER}
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many of each, over all organizations; `batches` of rows, blobs and vectors after which a kill comes at the latest.

    `model` is whose vectors they are, so that runs can share a server.
    """

    cases: int
    blobs: int
    blob_bytes: int
    vectors: int
    dimension: int
    batches: tuple[int, int, int]
    model: str = ""

    @property
    def collections(self) -> tuple[CollectionName, ...]:
        """Where the vectors stand."""
        return collection(Tier.GLOBAL, self.model), collection(Tier.TEAM, self.model)


async def installation(folder: Path, sizes: Sizes) -> None:
    """Make it below the folder: `fm.db`, `blobs` and `vectors.db`. Nine tenths are of one organization, one is another's."""
    await asyncio.to_thread(migrate, str(folder / "fm.db"))
    chance = random.Random(7)
    tables = SqlTables(str(folder / "fm.db"), SqlOptions())
    for organization, share in ((ACME, 0.9), (OTHER, 0.1)):
        number = max(1, int(sizes.cases * share))
        for table in tables.names:
            if table in MAKERS:
                for start in range(0, number, 2000):
                    rows = [MAKERS[table](organization, n, chance) for n in range(start, min(number, start + 2000))]
                    embedded = {"embedded": sizes.model} if table == "knowledge_document" else {}
                    await tables.add(organization, table, [{**row, **embedded} for row in rows])
        await _blobs(folder, organization, max(1, int(sizes.blobs * share)), sizes.blob_bytes, chance)
        await _vectors(folder, organization, max(1, int(sizes.vectors * share)), sizes, chance)
    await tables.aclose()


def _key(table: int, number: int) -> UUID:
    return uuid7(1_700_000_000_000 + number, table, number)


def _row(organization: OrganizationId, **values: Any) -> Mapping[str, Any]:
    return {"organization_id": organization, **values}


def _text(chance: random.Random, words: int = 6) -> str:
    return " ".join(
        chance.choice(("pod", "timeout", "Ünïcödé", 'quote"', "back\\slash", "日本", "x" * 20)) for _ in range(words)
    )


def _case(organization: OrganizationId, number: int, chance: random.Random) -> Mapping[str, Any]:
    key = _key(1, number)
    return _row(
        organization,
        key=key,
        id=f"case_{key.hex[-12:]}",
        owner="alice",
        title=_text(chance),
        question="why?",
        status="investigating",
        verdict="probable",
        cause=_text(chance),
        mechanism="dns.failure",
        judgement="",
        actual_cause="",
        closure_reason="",
        history=[
            {
                "at": "2026-03-01",
                "weight": 0.5 * number,
                "ratio": chance.random(),
                "nested": {"b": [1, None], "a": True},
            }
        ],
        records=1,
        description=_text(chance),
        priority="high",
        source="api",
        metadata={"ticket": number},
        turns=1,
        messages=1,
        dialogue={},
        deleted_at=None if number % 5 else START,
        archived_at=None if number % 3 else START,
        teams=" team_00000000000a " * (number % 2),
        figures={"milestones": ["scope_assessed"], "hypotheses": number, "solutions": 0},
        search_text=_text(chance, 12),
        created_at=START + timedelta(microseconds=number),
        updated_at=START + timedelta(seconds=number),
        closed_at=None if number % 2 else START,
        version=1,
    )


def _record(organization: OrganizationId, number: int, chance: random.Random) -> Mapping[str, Any]:
    body = chance.randbytes(chance.randrange(200, 3000))
    return _row(
        organization,
        case_id=f"case_{_key(1, number).hex[-12:]}",
        sequence=1,
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        exhibits=b"" if number % 3 else chance.randbytes(500),
    )


def _entry(organization: OrganizationId, number: int, chance: random.Random) -> Mapping[str, Any]:
    return _row(
        organization,
        case_id=f"case_{_key(1, number).hex[-12:]}",
        sequence=1,
        key=_key(2, number),
        at=START,
        actor="alice",
        kind="opened",
        detail={"words": _text(chance), "number": number / 4},
        previous="",
        digest=hashlib.sha256(str(number).encode()).hexdigest(),
    )


def _message(organization: OrganizationId, number: int, chance: random.Random) -> Mapping[str, Any]:
    key = _key(7, number)
    return _row(
        organization,
        case_id=f"case_{_key(1, number).hex[-12:]}",
        sequence=1,
        key=key,
        id=f"msg_{key.hex[-12:]}",
        turn=1,
        role="user",
        author="alice",
        text=_text(chance, 20),
        at=START,
        metadata={"attachments": [_text(chance, 1)]},
    )


def _evidence(organization: OrganizationId, number: int, chance: random.Random) -> Mapping[str, Any]:
    key = _key(3, number)
    return _row(
        organization,
        key=key,
        id=f"ev_{key.hex[-12:]}",
        case_id=f"case_{_key(1, number).hex[-12:]}",
        name=_text(chance, 2),
        role="incident",
        custody="copy",
        location="",
        blob=f"{organization}/{key.hex}",
        size=number,
        modified_ns=2**61 + number,
        sha256="",
        kind="log",
        problem="",
        sources=[],
        turn=1,
        origin="file_upload",
        details={},
        added_at=START,
        added_by="alice",
        version=1,
    )


def _job(organization: OrganizationId, number: int, chance: random.Random) -> Mapping[str, Any]:
    return _row(
        organization,
        id=_key(4 if organization == ACME else 5, number),
        user_id="alice",
        operation="cases.sweep",
        payload=b"{}",
        dedupe_key="",
        state="succeeded",
        attempts=1,
        token=None,
        error="",
        finished_at=START,
        due_at=None,
        queue="default",
        max_attempts=5,
        time_limit_ms=1000,
        trace="",
        worker="",
        progress_done=0,
        progress_total=0,
        progress_sentence="",
        cancel_requested=bool(number % 2),
        result=chance.randbytes(10),
        created_at=START,
        notified_at=START,
        started_at=START,
    )


def _document(organization: OrganizationId, number: int, chance: random.Random) -> Mapping[str, Any]:
    key = _key(6, number)
    return _row(
        organization,
        key=key,
        id=f"doc_{key.hex[-12:]}",
        scope="global" if number % 2 else "team:payments",
        title=_text(chance, 3),
        name=f"runbook-{number}.md",
        source="",
        media_type="text/markdown",
        blob=f"{organization}/knowledge/{key.hex}",
        sha256="",
        size=number,
        modified_ns=0,
        state="ready",
        problem="",
        tags=["a", "b"],
        status="verified",
        searchable=True,
        reviewed_on=date(2026, 1, 2) if number % 2 else None,
        stale_after_days=90,
        chunks=1,
        characters=10,
        words=2,
        details={"category": "dns"},
        added_at=START,
        added_by="alice",
        updated_at=START,
        version=1,
    )


def _chunk(organization: OrganizationId, number: int, chance: random.Random) -> Mapping[str, Any]:
    return _row(
        organization,
        document=_key(6, number),
        number=0,
        headings=["Runbook", _text(chance, 2)],
        text=_text(chance, 30),
        start=0,
        end=10,
        terms="pod timeout",
        labels="runbook",
        names=["dns.failure"],
    )


def _vocabulary(organization: OrganizationId, number: int, chance: random.Random) -> Mapping[str, Any]:
    return _row(organization, document=_key(6, number), searchable=True, terms=f"pod timeout word{number}")


def _name(organization: OrganizationId, number: int, _chance: random.Random) -> Mapping[str, Any]:
    return _row(organization, name="dns.failure", document=_key(6, number), number=0)


def _answer(organization: OrganizationId, number: int, chance: random.Random) -> Mapping[str, Any]:
    return _row(
        organization,
        user_id="alice",
        request_key=f"r{number}",
        command="cases.open",
        answer=chance.randbytes(9),
        at=START,
    )


def _upload(organization: OrganizationId, number: int, chance: random.Random) -> Mapping[str, Any]:
    key = _key(9, number)
    return _row(
        organization,
        key=key,
        id=f"upl_{key.hex[-12:]}",
        case_id=f"case_{_key(1, number).hex[-12:]}",
        owner="alice",
        name=_text(chance, 2),
        role="incident",
        size=2**40 + number,
        created_at=START,
        resumable=bool(number % 2),
        sha256="",
        received=number,
        parts=[f"{organization}/uploads/{number}"],
        details={},
        version=1,
    )


MAKERS = {
    "cases_case": _case,
    "cases_record": _record,
    "cases_journal": _entry,
    "cases_message": _message,
    "evidence_item": _evidence,
    "evidence_upload": _upload,
    "jobs_job": _job,
    "knowledge_document": _document,
    "knowledge_chunk": _chunk,
    "knowledge_name": _name,
    "knowledge_vocabulary": _vocabulary,
    "commands_answer": _answer,
    **PEOPLE,
}


async def _blobs(folder: Path, organization: OrganizationId, count: int, size: int, chance: random.Random) -> None:
    store = FilesystemBlobStore(folder / "blobs")
    for number in range(count):
        await store.put(
            BlobKey(f"{organization}/{_key(3, number).hex}"),
            _chunks(size, chance),
            content_type="text/plain; charset=utf-8" if number % 2 else "application/octet-stream",
            attributes={"name": f"log {number} Ü.txt"},
        )
    await store.aclose()


async def _chunks(size: int, chance: random.Random) -> AsyncIterator[bytes]:
    for start in range(0, size, BLOCK):
        yield chance.randbytes(min(BLOCK, size - start))


async def _vectors(folder: Path, organization: OrganizationId, count: int, sizes: Sizes, chance: random.Random) -> None:
    store = SqliteVectorStore(folder / "vectors.db")
    for name, owner, share in zip(sizes.collections, ("", "payments"), (count - count // 4, count // 4), strict=True):
        await store.ensure(CollectionSpec(name, sizes.dimension, Metric.COSINE, FIELDS, sizes.model))
        for some in _slices(range(share), 1000):
            await store.upsert(Scope(name, organization), [_vector(owner, n, sizes.dimension, chance) for n in some])
    await store.aclose()


def _vector(owner: str, number: int, dimension: int, chance: random.Random) -> VectorRecord:
    document = _key(6, number).hex
    fields: dict[str, str | int] = {"document": document, "chunk": number % 7}
    if owner:
        fields["owner"] = owner
    direction = Embedding.of([chance.gauss(0, 1) for _ in range(dimension)])
    return VectorRecord(VectorId(f"{document}.{number % 7}"), direction, fields)


def _slices(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]
