"""Jobs read and embed: each broken document says why, a store that is away delays and loses nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from faultmaven_adapters.blobs.memory import MemoryBlobStore
from faultmaven_adapters.embedding.hashing import HashingEmbedder
from faultmaven_core.jobs.model import JobState
from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge import ingestion, requests, vectors
from faultmaven_core.knowledge.model import DocumentState, Tier
from faultmaven_core.ports.blobs import BlobKey, BlobReader
from faultmaven_core.ports.vectors import Scope, VectorId, VectorRecord
from faultmaven_core.shared.errors import BackendUnavailableError, InvalidInputError
from tests.unit.knowledge.library import ACME, ANN, EVE, Library, hashed, library, write


@pytest.fixture
async def shelf() -> AsyncIterator[Library]:
    """Empty, with the embedder of tests."""
    async with hashed() as made:
        yield made


async def added(shelf: Library, folder: Path, **texts: str) -> c.DocumentsTaken:
    """Documents of these texts, not read yet."""
    write(folder, **texts)
    return await shelf.service.add(c.AddDocuments(str(folder)), ANN)


async def test_a_broken_document_is_failed_with_its_reason_and_the_others_are_read(
    shelf: Library, tmp_path: Path
) -> None:
    """It has no chunks and no vectors, and its original stays for another try."""
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "cut.pdf").write_bytes(b"%PDF-1.7 cut")
    (tmp_path / "kb" / "latin.txt").write_bytes(b"caf\xe9 au lait")
    await added(shelf, tmp_path / "kb", good="# Good\n\ntext\n")
    await shelf.run_jobs()
    found = await shelf.documents()
    assert {name: d.state for name, d in found.items()} == {
        "cut.pdf": DocumentState.FAILED,
        "good.md": DocumentState.READY,
        "latin.txt": DocumentState.FAILED,
    }
    assert found["cut.pdf"].problem.endswith(
        "cut.pdf was not read: it is no PDF that can be read (damaged, or an unusual kind)."
    )
    assert "no text in UTF-8" in found["latin.txt"].problem
    (job,) = await shelf.jobs(JobState.SUCCEEDED)
    assert job.result == b'{"read":1,"failed":2,"embedded":1}'
    assert (job.progress.done, job.progress.total) == (3, 3)


async def test_a_document_that_breaks_loses_the_chunks_and_vectors_of_its_old_text(
    shelf: Library, tmp_path: Path
) -> None:
    """A search must not find what is not there any more."""
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "a.txt").write_text("fine\n")
    await added(shelf, tmp_path / "kb")
    await shelf.run_jobs()
    assert len(await shelf.embedded()) == 1
    (tmp_path / "kb" / "a.txt").write_bytes(b"\xff\xfe\x00")
    await added(shelf, tmp_path / "kb")
    await shelf.run_jobs()
    document = (await shelf.documents())["a.txt"]
    assert (document.state, document.chunks, document.embedded) == (DocumentState.FAILED, 0, "")
    assert await shelf.texts(document) == ""
    assert await shelf.embedded() == {}


@pytest.mark.parametrize("store", ["MemoryVectorStore.", "HashingEmbedder."])
async def test_without_vectors_documents_are_found_by_words_and_embedded_when_the_store_is_back(
    shelf: Library, tmp_path: Path, store: str
) -> None:
    """The job says what it waits for, and tries again."""

    def away(what: str) -> None:
        if what.startswith(store):
            raise BackendUnavailableError("The store is away.")

    await added(shelf, tmp_path / "kb", a="# A\n\none\n", b="# B\n\ntwo\n")
    shelf.tell = away
    await shelf.run_jobs()
    assert {d.state for d in (await shelf.documents()).values()} == {DocumentState.READY}
    assert {d.embedded for d in (await shelf.documents()).values()} == {""}
    (job,) = await shelf.jobs(JobState.WAITING)
    assert job.error == "unavailable: The store is away."
    shelf.tell = lambda _: None
    shelf.clock.advance(timedelta(minutes=10))
    await shelf.run_jobs()
    assert (await shelf.state())["all embedded"]
    assert (await shelf.state())["vectors fit"]


async def test_a_job_that_was_given_up_is_made_good_by_the_schedule(shelf: Library, tmp_path: Path) -> None:
    """The store was away for longer than a job tries."""

    def away(what: str) -> None:
        if what.startswith("MemoryVectorStore"):
            raise BackendUnavailableError("The store is away.")

    await added(shelf, tmp_path / "kb", a="# A\n\none\n")
    shelf.tell = away
    for _ in range(5):
        await shelf.run_jobs()
        shelf.clock.advance(timedelta(minutes=10))
    assert len(await shelf.jobs(JobState.DEAD)) == 1
    shelf.tell = lambda _: None
    assert await shelf.service.embed(c.EmbedKnowledge(), ANN) == c.KnowledgeEmbedded(1, more=False)
    assert (await shelf.state())["vectors fit"]
    assert await shelf.service.embed(c.EmbedKnowledge(idle_seconds=0), ANN) == c.KnowledgeEmbedded(0, more=False)


async def test_without_blobs_nothing_is_added_and_the_caller_is_told(shelf: Library, tmp_path: Path) -> None:
    """No row names an original that was not stored."""

    def away(what: str) -> None:
        if what.startswith("MemoryBlobStore"):
            raise BackendUnavailableError("The blob store is away.")

    shelf.tell = away
    with pytest.raises(BackendUnavailableError, match="blob store is away"):
        await added(shelf, tmp_path / "kb", a="# A\n\none\n")
    assert await shelf.documents() == {}
    shelf.tell = lambda _: None
    await added(shelf, tmp_path / "kb", a="# A\n\none\n")
    shelf.tell = away
    await shelf.run_jobs()
    assert len(await shelf.jobs(JobState.WAITING)) == 1
    assert (await shelf.documents())["a.md"].state is DocumentState.PENDING


async def test_a_lost_original_is_said_of_its_document(shelf: Library, tmp_path: Path) -> None:
    """Which a person can put right by adding the file again."""
    await added(shelf, tmp_path / "kb", a="# A\n\none\n")
    await shelf.blobs.delete([info.key async for info in shelf.blobs.list("acme/")])
    await shelf.run_jobs()
    document = (await shelf.documents())["a.md"]
    assert (document.state, document.problem) == (
        DocumentState.FAILED,
        f"The stored original of {document.name} is gone; add the document again.",
    )
    write(tmp_path / "kb", a="# A\n\nonce more\n")
    await shelf.service.sync(c.SyncDocuments(str(tmp_path / "kb")), ANN)
    await shelf.run_jobs()
    assert (await shelf.documents())["a.md"].state is DocumentState.READY


async def test_reading_anew_without_originals_takes_away_no_text_and_adding_again_mends_it(
    shelf: Library, tmp_path: Path
) -> None:
    """A blob store that is empty, or another one, must not cost what was read; the same file is then taken as new."""
    await added(shelf, tmp_path / "kb", a="# A\n\nabc\n")
    await shelf.run_jobs()
    shelf.blobs = MemoryBlobStore()
    shelf.begun()
    await shelf.service.reindex(c.ReindexKnowledge(("global",)), ANN)
    await shelf.run_jobs()
    document = (await shelf.documents())["a.md"]
    assert (document.state, document.chunks) == (DocumentState.READY, 1)
    assert "original of" in document.problem
    assert "add the document again" in document.problem
    assert len(await shelf.embedded()) == 1
    assert (await added(shelf, tmp_path / "kb")).changed == 1
    await shelf.run_jobs()
    document = (await shelf.documents())["a.md"]
    assert (document.state, document.problem, await shelf.texts(document)) == (
        DocumentState.READY,
        "",
        "# A\n\nabc\n",
    )


async def test_a_changed_model_is_followed_without_a_gap_and_its_old_vectors_go(shelf: Library, tmp_path: Path) -> None:
    """All texts stay found by words; job after job fills the new collection and empties the old."""
    await added(shelf, tmp_path / "kb", a="# A\n\none\n", b="# B\n\ntwo\n", d="# D\n\nthree\n")
    await shelf.run_jobs()
    old = Scope(vectors.collection(Tier.GLOBAL, shelf.fingerprint()), ACME)
    assert await shelf.vectors.count(old) == 3
    shelf.embedder = HashingEmbedder(32)
    shelf.begun()
    assert {d.state for d in (await shelf.documents()).values()} == {DocumentState.READY}
    assert await shelf.service.embed(c.EmbedKnowledge(idle_seconds=0), ANN) == c.KnowledgeEmbedded(3, more=False)
    assert await shelf.vectors.count(old) == 0
    assert (await shelf.state())["vectors fit"]
    assert (await shelf.state())["all embedded"]


async def test_the_schedule_leaves_alone_what_is_just_being_read(shelf: Library, tmp_path: Path) -> None:
    """Else both would embed it."""
    await added(shelf, tmp_path / "kb", a="# A\n\none\n")
    embedder, shelf.embedder = shelf.embedder, None
    shelf.begun()
    await shelf.run_jobs()
    shelf.embedder = embedder
    shelf.begun()
    assert await shelf.service.embed(c.EmbedKnowledge(), ANN) == c.KnowledgeEmbedded(0, more=False)
    shelf.clock.advance(timedelta(minutes=5))
    assert await shelf.service.embed(c.EmbedKnowledge(), ANN) == c.KnowledgeEmbedded(1, more=False)


async def test_much_to_embed_is_shared_among_jobs(
    shelf: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that none takes longer than it may."""
    await added(shelf, tmp_path / "kb", **{f"d{n}": f"# D{n}\n\ntext {n}\n" for n in range(7)})
    embedder, shelf.embedder = shelf.embedder, None
    shelf.begun()
    await shelf.run_jobs()
    assert await shelf.service.embed(c.EmbedKnowledge(idle_seconds=0), ANN) == c.KnowledgeEmbedded(0, more=False)
    shelf.embedder = embedder
    shelf.begun()
    monkeypatch.setattr(ingestion, "MOST_EMBEDDED", 3)
    assert await shelf.service.embed(c.EmbedKnowledge(idle_seconds=0), ANN) == c.KnowledgeEmbedded(3, more=True)
    assert await shelf.run_jobs() == 2
    assert (await shelf.state())["all embedded"]


async def test_reindexing_fills_a_vector_store_that_lost_all(shelf: Library, tmp_path: Path) -> None:
    """Or was changed for another; documents that could not be read are tried again as well."""
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "cut.pdf").write_bytes(b"%PDF-1.7 cut")
    await added(shelf, tmp_path / "kb", a="# A\n\none\n", b="# B\n\ntwo\n")
    await shelf.run_jobs()
    await shelf.vectors.drop(vectors.collection(Tier.GLOBAL, shelf.fingerprint()))
    asked = await shelf.service.reindex(c.ReindexKnowledge(("global", "personal")), ANN)
    assert (asked.documents, len(asked.jobs)) == (3, 1)
    assert {d.state for d in (await shelf.documents()).values()} == {DocumentState.READY, DocumentState.FAILED}
    await shelf.run_jobs()
    assert (await shelf.state())["vectors fit"]


async def test_work_is_cut_into_jobs_that_workers_share(
    shelf: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document that was deleted or changed before its job came is left alone by it."""
    monkeypatch.setattr(requests, "AT_ONCE", 2)
    taken = await added(shelf, tmp_path / "kb", **{f"d{n}": f"# D{n}\n\ntext {n}\n" for n in range(5)})
    assert len(taken.jobs) == 3
    await shelf.service.delete(c.DeleteDocument((await shelf.documents())["d0.md"].id), ANN)
    await added(shelf, tmp_path / "kb", d1="# D1\n\nchanged\n")
    await shelf.run_jobs()
    state = await shelf.state()
    assert all(state[fact] for fact in ("all embedded", "vectors fit", "originals fit"))
    assert await shelf.texts((await shelf.documents())["d1.md"]) == "# D1\n\nchanged\n"


@pytest.mark.parametrize("change", ["deleted", "changed"])
async def test_what_happens_to_a_document_while_it_is_embedded_is_put_right(
    shelf: Library, tmp_path: Path, change: str
) -> None:
    """By the job that comes too late with its vectors."""
    await added(shelf, tmp_path / "kb", a="# A\n\n" + "one two three. " * 200)
    happened: list[str] = []

    class Meddling:
        """An embedder during whose work somebody changes the document, and another worker is faster."""

        fingerprint, dimension = "meddling", 64

        async def embed(self, texts: list[str]) -> object:
            if not happened:
                happened.append(change)
                if change == "deleted":
                    await shelf.service.delete(c.DeleteDocument((await shelf.documents())["a.md"].id), ANN)
                else:
                    await added(shelf, tmp_path / "kb", a="# A\n\nshort\n")
                await shelf.run_jobs()
            return await HashingEmbedder(64).embed(texts)

    shelf.embedder = Meddling()  # type: ignore[assignment]  # what of it is used
    shelf.begun()
    await shelf.run_jobs()
    await shelf.run_jobs()
    state = await shelf.state()
    assert all(state[fact] for fact in ("all embedded", "vectors fit", "originals fit"))
    assert len(await shelf.embedded()) == (0 if change == "deleted" else 1)


async def test_a_job_that_comes_too_late_for_an_original_leaves_the_newer_text_findable(
    shelf: Library, tmp_path: Path
) -> None:
    """While it reads, somebody changes the document, and another worker reads that and destroys the old original."""
    await added(shelf, tmp_path / "kb", a="# A\n\none\n")
    happened: list[str] = []

    class Meddling(MemoryBlobStore):
        """A store that is slow enough for that."""

        @asynccontextmanager
        async def open(self, key: BlobKey, *, start: int = 0, length: int | None = None) -> AsyncIterator[BlobReader]:
            if not happened:
                happened.append(str(key))
                await added(shelf, tmp_path / "kb", a="# A\n\nanother one\n")
                await shelf.run_jobs()
            async with super().open(key, start=start, length=length) as reader:
                yield reader

    kept, shelf.blobs = shelf.blobs, Meddling()
    async for info in kept.list(""):
        async with kept.open(info.key) as reader:
            await shelf.blobs.put(info.key, reader)
    shelf.begun()
    for _ in range(3):
        await shelf.run_jobs()
    state = await shelf.state()
    assert all(state[fact] for fact in ("all embedded", "vectors fit", "originals fit")), state
    assert await shelf.texts((await shelf.documents())["a.md"]) == "# A\n\nanother one\n"
    assert len(await shelf.embedded()) == 1


async def test_without_an_embedder_documents_are_read_all_the_same(tmp_path: Path) -> None:
    """They are found by words and names."""
    async with library(embedder=None) as shelf:
        await added(shelf, tmp_path / "kb", a="# A\n\none\n")
        await shelf.run_jobs()
        document = (await shelf.documents())["a.md"]
        assert (document.state, document.embedded) == (DocumentState.READY, "")
        await shelf.service.delete(c.DeleteDocument(document.id), ANN)
        await shelf.run_jobs()
        assert await shelf.originals() == set()
        assert await shelf.service.sweep(c.SweepKnowledge(), ANN) == c.KnowledgeDiscarded()


async def test_the_sweep_takes_up_what_crashes_left_and_nothing_else(shelf: Library, tmp_path: Path) -> None:
    """Vectors and old originals without a document, and rows whose job was given up."""
    await added(shelf, tmp_path / "kb", a="# A\n\none\n", b="# B\n\ntwo\n")
    await shelf.run_jobs()
    strange = shelf.ids.new()
    assert shelf.embedder is not None
    (vector,) = await shelf.embedder.embed(["text"])
    scope = Scope(vectors.collection(Tier.GLOBAL, shelf.fingerprint()), ACME)
    record = VectorRecord(VectorId(f"{strange.hex}.0"), vector, {"document": strange.hex, "chunk": 0})
    await shelf.vectors.upsert(scope, [record])
    await shelf.service.add_content(c.AddDocumentContent("stuck.md"), _content(b"# Stuck\n\ntext\n"), ANN)
    for job in await shelf.jobs(JobState.QUEUED):
        async with shelf.storage.job_units(ACME) as unit:
            await unit.jobs.save(job, replace(job, state=JobState.DEAD, due_at=None))
            await unit.commit()
    assert await shelf.service.sweep(c.SweepKnowledge(), ANN) == c.KnowledgeDiscarded(vectors=1)
    assert await shelf.run_jobs() == 0
    shelf.clock.advance(timedelta(hours=25))
    assert await shelf.service.sweep(c.SweepKnowledge(), ANN) == c.KnowledgeDiscarded()
    assert await shelf.run_jobs() == 1
    state = await shelf.state()
    assert all(state[fact] for fact in ("all embedded", "vectors fit", "originals fit"))
    assert (await shelf.documents())["stuck.md"].state is DocumentState.READY


async def test_an_original_of_another_organization_cannot_be_destroyed(shelf: Library, tmp_path: Path) -> None:
    """Even by a job with its key; nor are its documents."""
    await added(shelf, tmp_path / "kb", a="# A\n\none\n")
    document = (await shelf.documents())["a.md"]
    with pytest.raises(InvalidInputError, match="another organization"):
        await shelf.service.discard_original(c.DiscardOriginal(document.blob), EVE)
    assert await shelf.service.discard(c.DiscardDocuments((document.key.hex,)), EVE) == c.KnowledgeDiscarded()
    assert await shelf.service.ingest(c.IngestDocuments((document.key.hex,)), EVE) == c.DocumentsIngested(0, 0, 0)
    assert (await shelf.documents())["a.md"] == document
    assert await shelf.originals() == {document.blob}


async def _content(text: bytes) -> AsyncIterator[bytes]:
    yield text
