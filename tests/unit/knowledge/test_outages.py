"""A dependency that is down is said to be down, by every operation that needs it, and by no other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge.operations import OPERATIONS
from faultmaven_core.shared.errors import BackendUnavailableError
from tests.unit.knowledge.library import ANN, Library, hashed, write

SCOPES = ("global",)
FAR = "knowledge."

STORES = {
    "blobs": "MemoryBlobStore.",
    "vectors": "MemoryVectorStore.",
    "embedder": "HashingEmbedder.",
    "database": "unit",
}

NEEDS: dict[str, tuple[Callable[[Library, Path], object], frozenset[str]]] = {
    "add": (lambda _, folder: c.AddDocuments(str(folder)), frozenset({"blobs", "database"})),
    "sync": (lambda _, folder: c.SyncDocuments(str(folder)), frozenset({"blobs", "database"})),
    "search": (lambda *_: c.SearchKnowledge("redis", SCOPES), frozenset({"vectors", "embedder", "database"})),
    "list": (lambda *_: c.ListDocuments(SCOPES), frozenset({"database"})),
    "show": (lambda shelf, _: c.ShowDocument(shelf.known, characters=9), frozenset({"database"})),
    "update": (lambda shelf, _: c.UpdateDocument(shelf.known, title="Full"), frozenset({"database"})),
    "delete": (lambda shelf, _: c.DeleteDocument(shelf.known), frozenset({"database"})),
    "reindex": (lambda *_: c.ReindexKnowledge(SCOPES), frozenset({"database"})),
    "stats": (lambda *_: c.CountKnowledge(SCOPES), frozenset({"database"})),
}
"""What a person may ask for, and what each needs; the jobs behind them have their own tests."""


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Library]:
    """One document that was read and embedded, and one that is new in the folder."""
    async with hashed() as made:
        write(tmp_path / "kb", redis="# Redis\n\nIt is full.\n")
        await made.service.sync(c.SyncDocuments(str(tmp_path / "kb")), ANN)
        await made.run_jobs()
        made.known = (await made.documents())["redis.md"].id
        write(tmp_path / "kb", dns="# DNS\n\nNo answer.\n")
        yield made


def test_every_operation_of_a_person_is_here() -> None:
    """A new one is not forgotten."""
    assert {f"{FAR}{name}" for name in NEEDS} == {o.name for o in OPERATIONS if not o.background}


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("name", NEEDS)
async def test_what_is_down_is_told_and_never_an_empty_answer(
    shelf: Library, tmp_path: Path, name: str, store: str
) -> None:
    """Nothing found means that it was looked for; what a store is not needed for works without it."""
    command, needs = NEEDS[name]
    operation = next(operation for operation in OPERATIONS if operation.name == FAR + name)
    asked = command(shelf, tmp_path / "kb")

    def away(what: str) -> None:
        if what.startswith(STORES[store]):
            raise BackendUnavailableError(f"The {store} cannot be reached.")

    shelf.tell = away
    if store in needs:
        with pytest.raises(BackendUnavailableError, match=f"The {store} cannot be reached"):
            await operation.call(shelf.service, asked, ANN)
    else:
        assert await operation.call(shelf.service, asked, ANN)


async def test_a_search_by_words_alone_needs_neither_vectors_nor_a_model(shelf: Library) -> None:
    """And says that it did without."""

    def away(what: str) -> None:
        if what.startswith((STORES["vectors"], STORES["embedder"])):
            raise BackendUnavailableError("Away.")

    shelf.tell = away
    found = await shelf.service.search(c.SearchKnowledge("redis", SCOPES, lexical_only=True), ANN)
    assert [hit.title for hit in found.hits] == ["Redis"]
    assert found.coverage.vectors == "skipped"
    assert found.coverage.notes != ()


async def test_documents_that_are_not_embedded_yet_are_found_by_words_and_counted(
    shelf: Library, tmp_path: Path
) -> None:
    """As long as the store of vectors is away for the job."""
    await shelf.service.sync(c.SyncDocuments(str(tmp_path / "kb")), ANN)

    def away(what: str) -> None:
        if what.startswith("MemoryVectorStore.upsert"):
            raise BackendUnavailableError("Away.")

    shelf.tell = away
    await shelf.run_jobs()
    found = await shelf.service.search(c.SearchKnowledge("DNS answer", SCOPES), ANN)
    assert found.hits[0].title == "DNS"
    assert (found.coverage.documents, found.coverage.embedded) == (2, 1)
    assert any("1 of 2" in note for note in found.coverage.notes)
