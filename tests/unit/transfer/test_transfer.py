"""A transfer between stores in memory that fail whenever they like."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven_adapters.blobs.memory import MemoryBlobStore
from faultmaven_adapters.transfer.journal import FileJournal
from faultmaven_adapters.vectors.memory import MemoryVectorStore
from faultmaven_core.ports.blobs import BlobInfo, BlobKey
from faultmaven_core.ports.vector_fields import FieldType
from faultmaven_core.ports.vectors import (
    CollectionName,
    CollectionSpec,
    Embedding,
    Metric,
    Scope,
    VectorId,
    VectorRecord,
    WriteToken,
)
from faultmaven_core.shared.errors import BackendUnavailableError
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.transfer.blobs import BlobCargo
from faultmaven_core.transfer.model import Progress, Stage, TargetNotEmptyError, TransferDiffersError
from faultmaven_core.transfer.service import Transfer
from faultmaven_core.transfer.vectors import VectorCargo

ACME = OrganizationId("acme")
SPEC = CollectionSpec(CollectionName("docs"), 3, Metric.COSINE, {"n": FieldType.INTEGER, "t": FieldType.STRINGS}, "m")
SCOPE = Scope(SPEC.name, ACME)
PLACES = ("the source", "the target")


class Failing:
    """Counts calls, and fails at those whose number is named: before they do anything, or after."""

    def __init__(self, before: set[int], after: set[int]) -> None:
        self.calls = 0
        self._before, self._after = before, after

    def begin(self) -> int:
        """One more."""
        self.calls += 1
        if self.calls in self._before:
            raise BackendUnavailableError("down")
        return self.calls

    def end(self, call: int) -> None:
        """It was done."""
        if call in self._after:
            raise BackendUnavailableError("answer lost")


class FailingBlobs(MemoryBlobStore):
    """Puts fail."""

    def __init__(self, failing: Failing) -> None:
        super().__init__()
        self._failing = failing
        self.put_keys: list[str] = []

    async def put(self, key: BlobKey, chunks: AsyncIterator[bytes], **options: Any) -> BlobInfo:  # type: ignore[override]
        call = self._failing.begin()
        info = await super().put(key, chunks, **options)
        self.put_keys.append(key.text)
        self._failing.end(call)
        return info


class FailingVectors(MemoryVectorStore):
    """Upserts fail."""

    def __init__(self, failing: Failing) -> None:
        super().__init__()
        self._failing = failing

    async def upsert(self, scope: Scope, records: Sequence[VectorRecord]) -> WriteToken:
        call = self._failing.begin()
        token = await super().upsert(scope, records)
        self._failing.end(call)
        return token


async def chunks(data: bytes) -> AsyncIterator[bytes]:
    """As a source gives it."""
    yield data


async def blobs(count: int) -> MemoryBlobStore:
    """A store with as many."""
    store = MemoryBlobStore()
    for number in range(count):
        await store.put(BlobKey(f"acme/{number:03}"), chunks(b"x" * number), attributes={"name": f"n{number}"})
    return store


async def vectors(count: int) -> MemoryVectorStore:
    """A store with as many."""
    store = MemoryVectorStore()
    await store.ensure(SPEC)
    await store.upsert(SCOPE, [vector(number) for number in range(count)])
    return store


def vector(number: int) -> VectorRecord:
    """One of many."""
    fields: Mapping[str, Any] = {"n": number, "t": ("a", "b")} if number % 2 else {}
    return VectorRecord(VectorId(f"v{number}"), Embedding.of((1, number, -number / 3)), fields)


async def scopes() -> Sequence[Scope]:
    """All that there are."""
    return [SCOPE, Scope(SPEC.name, OrganizationId("empty")), Scope(CollectionName("not_there"), ACME)]


@settings(max_examples=40)
@given(
    before=st.sets(st.integers(1, 60), max_size=8),
    after=st.sets(st.integers(1, 60), max_size=8),
    count=st.integers(0, 40),
)
async def test_however_often_it_fails_it_comes_to_its_end(before: set[int], after: set[int], count: int) -> None:
    """Everything is there once, and what was confirmed is not sent again."""
    failing = Failing(before, after)
    source, target = await blobs(count), FailingBlobs(failing)
    index, copy = await vectors(count), FailingVectors(failing)
    with TemporaryDirectory() as folder:
        runs, sent = 0, 0
        while True:
            runs += 1
            journal = FileJournal(Path(folder) / "journal.jsonl", {})
            cargoes = (BlobCargo((source, target), PLACES), VectorCargo((index, copy), PLACES, scopes))
            try:
                report = await Transfer(cargoes, journal).run()
            except BackendUnavailableError:
                continue
            finally:
                await journal.aclose()
            break
    sent = len(target.put_keys)
    assert runs <= 1 + len(before) + len(after)
    assert all(outcome.equal for outcome in report.outcomes)
    assert [outcome.part.items for outcome in report.outcomes] == [count, count, 0]
    assert await target_blobs(target) == await target_blobs(source)
    names = [VectorId(f"v{number}") for number in range(count)]
    assert await copy.get(SCOPE, names) == await index.get(SCOPE, names)
    # A batch is sixteen: no more than that is sent again by each run that failed.
    assert sent <= count + 16 * (runs - 1)


async def target_blobs(store: MemoryBlobStore) -> list[tuple[str, int]]:
    """What is listed."""
    return [(blob.key.text, blob.size) async for blob in store.list("")]


async def test_progress_is_told_and_a_finished_transfer_copies_nothing(tmp_path: Path) -> None:
    """Copying first, then comparing; never more than there is."""
    stores = await blobs(40), MemoryBlobStore()
    told: list[Progress] = []
    for copied in (40, 0):
        journal = FileJournal(tmp_path / "journal.jsonl", {})
        report = await Transfer([BlobCargo(stores, PLACES)], journal, told.append).run()
        assert [(outcome.copied, outcome.equal) for outcome in report.outcomes] == [(copied, True)]
        await journal.aclose()
    assert [progress.items for progress in told if progress.stage is Stage.COPY] == [0, 16, 32, 40]
    assert max(progress.items for progress in told) == 40
    assert max(progress.size for progress in told) == sum(range(40))


async def test_a_target_with_something_in_it_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """Whichever kind it is."""
    there = MemoryBlobStore()
    await there.put(BlobKey("other/1"), chunks(b"theirs"))
    index = MemoryVectorStore()
    await index.ensure(SPEC)
    cargoes = [
        BlobCargo((await blobs(3), there), PLACES),
        VectorCargo((await vectors(3), await vectors(1)), PLACES, scopes),
    ]
    for cargo in cargoes:
        journal = FileJournal(tmp_path / f"{cargo.kind}.jsonl", {})
        with pytest.raises(TargetNotEmptyError, match="the target is not empty"):
            await Transfer([VectorCargo((await vectors(1), index), PLACES, scopes), cargo], journal).run()
        await journal.aclose()
        assert await index.count(SCOPE) == 0


async def test_an_organization_takes_its_own_blobs_along_and_no_others(tmp_path: Path) -> None:
    """Also where others begin like it; the others' at the target are in nobody's way."""
    source, target = await blobs(3), MemoryBlobStore()
    await source.put(BlobKey("acme2/1"), chunks(b"other"))
    await target.put(BlobKey("acme2/2"), chunks(b"theirs"))
    journal = FileJournal(tmp_path / "journal.jsonl", {})
    report = await Transfer([BlobCargo((source, target), PLACES, [ACME])], journal).run()
    await journal.aclose()
    assert [outcome.part.items for outcome in report.outcomes] == [3]
    assert [key for key, _ in await target_blobs(target)] == ["acme/000", "acme/001", "acme/002", "acme2/2"]


@pytest.mark.parametrize("harm", ["gone", "more", "vector", "field"])
async def test_each_way_to_differ_is_found(tmp_path: Path, harm: str) -> None:
    """And copied again by the next run, but for what is too much."""
    source, target = await vectors(20), MemoryVectorStore()
    journal = FileJournal(tmp_path / "journal.jsonl", {})
    transfer = Transfer([VectorCargo((source, target), PLACES, scopes)], journal)
    await transfer.run()
    match harm:
        case "gone":
            await target.delete(SCOPE, [VectorId("v3")])
        case "more":
            await target.upsert(SCOPE, [vector(99)])
        case "vector":
            await target.upsert(SCOPE, [VectorRecord(VectorId("v3"), Embedding.of((1, 2, 3)), vector(3).fields)])
        case _:
            await target.upsert(SCOPE, [VectorRecord(VectorId("v3"), vector(3).vector, {"n": 4})])
    await journal.aclose()
    for again in range(2):
        journal = FileJournal(tmp_path / "journal.jsonl", {})
        transfer = Transfer([VectorCargo((source, target), PLACES, scopes)], journal)
        if again and harm != "more":
            assert (await transfer.run()).outcomes[0].equal
        else:
            with pytest.raises(TransferDiffersError, match="vectors/acme/docs: 20 at the source") as told:
                await transfer.run()
            assert [part.name for part in told.value.parts] == ["acme/docs"]
        await journal.aclose()
