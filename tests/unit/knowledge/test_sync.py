"""Documents come in once, follow their files, and go with them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge import service
from faultmaven_core.knowledge.model import DocumentState, KnowledgeScope, Tier
from faultmaven_core.shared.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    PreconditionFailedError,
    UnsupportedTypeError,
)
from tests.unit.knowledge.library import ANN, BOB, GLOBAL, Library, hashed, write


@pytest.fixture
async def library() -> AsyncIterator[Library]:
    """Empty, with the embedder of tests."""
    async with hashed() as made:
        yield made


async def content(*parts: bytes) -> AsyncIterator[bytes]:
    """An upload."""
    for part in parts:
        yield part


def counts(taken: c.DocumentsTaken) -> tuple[int, int, int, int, int]:
    """Added, changed, removed, unchanged, duplicates."""
    return taken.added, taken.changed, taken.removed, taken.unchanged, taken.duplicates


async def consistent(library: Library) -> None:
    """Vectors and originals are those of the documents, no more and no fewer."""
    state = await library.state()
    assert [fact for fact in ("all embedded", "vectors fit", "originals fit") if not state[fact]] == []


async def test_a_folder_is_added_read_and_embedded(library: Library, tmp_path: Path) -> None:
    """The answer names the documents and the job; the rows say what was read."""
    write(tmp_path / "kb", redis="---\ntags: [cache]\n---\n# Redis is full\n\nLook.\n", dns="# DNS\n\nNo answer.\n")
    (tmp_path / "kb" / "logo.png").write_bytes(b"x")
    taken = await library.service.add(c.AddDocuments(str(tmp_path / "kb"), tags=("ops",)), ANN)
    assert (counts(taken), taken.ignored, len(taken.jobs)) == ((2, 0, 0, 0, 0), 1, 1)
    pending = await library.documents()
    assert {document.state for document in pending.values()} == {DocumentState.PENDING}
    assert set(taken.documents) == {document.id for document in pending.values()}
    assert await library.run_jobs() == 1
    redis = (await library.documents())["redis.md"]
    assert (redis.state, redis.title, redis.tags, redis.source) == (
        DocumentState.READY,
        "Redis is full",
        ("ops", "cache"),
        "",
    )
    assert redis.embedded == library.fingerprint()
    assert (redis.name, redis.added_by, redis.size) == (str(tmp_path / "kb" / "redis.md"), "ann", 45)
    await consistent(library)


async def test_what_did_not_change_is_not_even_opened(library: Library, tmp_path: Path) -> None:
    """Nor written: no job, no row, no blob."""
    write(tmp_path / "kb", a="# A\n\none\n", b="# B\n\ntwo\n")
    await library.service.sync(c.SyncDocuments(str(tmp_path / "kb")), ANN)
    await library.run_jobs()
    calls: list[str] = []
    library.tell = calls.append
    for file in (tmp_path / "kb").iterdir():
        file.chmod(0)
    opened: list[str] = []
    chunks = library.files.chunks
    library.files.chunks = lambda path: opened.append(path) or chunks(path)  # type: ignore[func-returns-value, method-assign]  # watched
    taken = await library.service.sync(c.SyncDocuments(str(tmp_path / "kb")), ANN)
    assert (counts(taken), taken.jobs, taken.problems) == ((0, 0, 0, 2, 0), (), ())
    assert (opened, set(calls)) == ([], {"unit"})


async def test_a_touched_file_is_read_once_more_and_not_again(library: Library, tmp_path: Path) -> None:
    """Its time is kept, so that the next look is cheap; its text was embedded already."""
    write(tmp_path / "kb", a="# A\n\none\n")
    await library.service.sync(c.SyncDocuments(str(tmp_path / "kb")), ANN)
    await library.run_jobs()
    os.utime(tmp_path / "kb" / "a.md", ns=(1, 12345))
    assert counts(await library.service.sync(c.SyncDocuments(str(tmp_path / "kb")), ANN)) == (0, 0, 0, 1, 0)
    document = (await library.documents())["a.md"]
    assert (document.modified_ns, document.state) == (12345, DocumentState.READY)
    assert document.embedded == library.fingerprint()


async def test_a_folder_is_followed_file_by_file(library: Library, tmp_path: Path) -> None:
    """Changed texts are read again under the same id, removed files take their documents along, others stay."""
    folder = tmp_path / "kb"
    write(folder, a="# A\n\none\n", b="# B\n\ntwo\n", keep="# Keep\n\nme\n")
    write(tmp_path / "other", z="# Elsewhere\n\nfive\n")
    await library.service.add(c.AddDocuments(str(tmp_path / "other")), ANN)
    await library.service.sync(c.SyncDocuments(str(folder), tags=("old",)), ANN)
    await library.run_jobs()
    before = await library.documents()
    (folder / "b.md").unlink()
    write(folder, a="# A\n\nthree and more\n", new="# New\n\nfour\n")
    taken = await library.service.sync(c.SyncDocuments(str(folder), tags=("new",)), ANN)
    assert counts(taken) == (1, 1, 1, 1, 0)
    await library.run_jobs()
    async with library.storage.knowledge(ANN.organization, read_only=True) as unit:
        now = {d.name: d for d in await unit.knowledge.of_source(GLOBAL, str(folder))}
    assert sorted(now) == [str(folder / name) for name in ("a.md", "keep.md", "new.md")]
    changed = now[str(folder / "a.md")]
    assert (changed.key, changed.tags) == ((await library.by_name(str(folder / "a.md"))).key, ("new",))
    assert await library.texts(changed) == "# A\n\nthree and more\n"
    assert now[str(folder / "keep.md")] == before["keep.md"]
    await consistent(library)


async def test_equal_content_is_taken_once_in_a_scope_whatever_its_name(library: Library, tmp_path: Path) -> None:
    """Another scope may have it too; a changed document keeps its name though it now equals another."""
    write(tmp_path / "kb", a="# Same\n\ntext\n", b="# Same\n\ntext\n", c="# Other\n\ntext\n")
    assert counts(await library.service.add(c.AddDocuments(str(tmp_path / "kb")), ANN)) == (2, 0, 0, 0, 1)
    write(tmp_path / "more", d="# Same\n\ntext\n")
    assert counts(await library.service.add(c.AddDocuments(str(tmp_path / "more")), ANN)) == (0, 0, 0, 0, 1)
    mine = await library.service.add(c.AddDocuments(str(tmp_path / "more"), scope="personal"), ANN)
    assert counts(mine) == (1, 0, 0, 0, 0)
    write(tmp_path / "kb", c="# Same\n\ntext\n")
    assert counts(await library.service.add(c.AddDocuments(str(tmp_path / "kb")), ANN)) == (0, 1, 0, 1, 1)
    assert sorted(await library.documents()) == ["a.md", "c.md"]
    assert sorted(await library.documents(scope=KnowledgeScope(Tier.PERSONAL, "ann"))) == ["d.md"]


async def test_a_renamed_file_is_the_old_document_gone_and_a_new_one(library: Library, tmp_path: Path) -> None:
    """In one sync, although the content is there already."""
    write(tmp_path / "kb", a="# A\n\none\n", x="# X\n\nx\n")
    await library.service.sync(c.SyncDocuments(str(tmp_path / "kb")), ANN)
    (tmp_path / "kb" / "a.md").rename(tmp_path / "kb" / "b.md")
    assert counts(await library.service.sync(c.SyncDocuments(str(tmp_path / "kb")), ANN)) == (1, 0, 1, 1, 0)
    await library.run_jobs()
    assert sorted(await library.documents()) == ["b.md", "x.md"]


async def test_what_was_added_by_itself_is_adopted_by_a_sync(library: Library, tmp_path: Path) -> None:
    """And goes with its file from then on."""
    write(tmp_path / "kb", a="# A\n\none\n", b="# B\n\ntwo\n")
    await library.service.add(c.AddDocuments(str(tmp_path / "kb" / "a.md")), ANN)
    await library.run_jobs()
    assert counts(await library.service.sync(c.SyncDocuments(str(tmp_path / "kb")), ANN)) == (1, 0, 0, 1, 0)
    assert (await library.documents())["a.md"].source == str(tmp_path / "kb")
    (tmp_path / "kb" / "a.md").unlink()
    assert counts(await library.service.sync(c.SyncDocuments(str(tmp_path / "kb")), ANN)) == (0, 0, 1, 1, 0)


async def test_a_source_that_is_empty_all_at_once_deletes_nothing(library: Library, tmp_path: Path) -> None:
    """It is a disk that is not mounted sooner than a wish; and a folder that may not be looked at is not gone."""
    write(tmp_path / "kb", a="# A\n\none\n")
    write(tmp_path / "kb" / "sub", b="# B\n\ntwo\n")
    sync = c.SyncDocuments(str(tmp_path / "kb"))
    await library.service.sync(sync, ANN)
    (tmp_path / "kb" / "sub").rename(tmp_path / "away")
    (tmp_path / "kb" / "a.md").rename(tmp_path / "away" / "a.md")
    with pytest.raises(PreconditionFailedError, match="holds no documents any more, and 2 came from it"):
        await library.service.sync(sync, ANN)
    assert sorted(await library.documents()) == ["a.md", "b.md"]
    with pytest.raises(InvalidInputError, match="only folders are synced"):
        await library.service.sync(c.SyncDocuments(str(tmp_path / "away" / "a.md")), ANN)


async def test_files_that_cannot_be_taken_are_named_and_cost_the_others_nothing(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links, files over the limit, and files that go away under our hands; none of them counts as removed."""
    folder = tmp_path / "kb"
    write(folder, a="# A\n\none\n", b="# B\n\ntwo\n", big="# Big\n\nthree\n")
    await library.service.sync(c.SyncDocuments(str(folder)), ANN)
    (folder / "b.md").unlink()
    (folder / "b.md").symlink_to("a.md")
    write(folder, a="# A\n\nchanged\n", big="x" * 5000)
    monkeypatch.setattr(service, "MOST_DOCUMENT", 4000)
    library.begun()
    taken = await library.service.sync(c.SyncDocuments(str(folder)), ANN)
    assert counts(taken) == (0, 1, 0, 0, 0)
    assert [problem.partition(" ")[0].rpartition("/")[2] for problem in taken.problems] == ["b.md", "big.md"]
    assert "split it" in taken.problems[1]
    assert len(await library.documents()) == 3


async def test_content_without_a_place_is_taken_under_its_name(library: Library) -> None:
    """Again under the same name it is a new version, the same content anywhere is taken once."""
    command = c.AddDocumentContent("notes/redis.md", tags=("a",))
    first = await library.service.add_content(command, content(b"# Redis\n", b"\nfull\n"), ANN)
    assert counts(first) == (1, 0, 0, 0, 0)
    await library.run_jobs()
    again = await library.service.add_content(command, content(b"# Redis\n\nfull\n"), ANN)
    assert counts(again) == (0, 0, 0, 1, 0)
    twin = await library.service.add_content(c.AddDocumentContent("other.md"), content(b"# Redis\n\nfull\n"), ANN)
    assert counts(twin) == (0, 0, 0, 0, 1)
    changed = await library.service.add_content(command, content(b"# Redis\n\nempty\n"), ANN)
    assert (counts(changed), changed.documents) == ((0, 1, 0, 0, 0), first.documents)
    await library.run_jobs()
    await consistent(library)
    with pytest.raises(UnsupportedTypeError, match="no ending of a document"):
        await library.service.add_content(c.AddDocumentContent("picture.png"), content(b"x"), ANN)


async def test_a_request_key_gives_the_same_answer_again(library: Library, tmp_path: Path) -> None:
    """And refuses another command."""
    write(tmp_path / "kb", a="# A\n\none\n")
    caller = replace(ANN, request_key="k")
    first = await library.service.add(c.AddDocuments(str(tmp_path / "kb")), caller)
    assert await library.service.add(c.AddDocuments(str(tmp_path / "kb")), caller) == first
    with pytest.raises(ConflictError):
        await library.service.add(c.AddDocuments(str(tmp_path / "kb"), tags=("x",)), caller)


async def test_two_who_add_the_same_at_once_have_it_once(library: Library) -> None:
    """Whoever comes second finds the name taken, and destroys what it stored."""
    command = c.AddDocumentContent("redis.md")

    async def slow(text: bytes) -> AsyncIterator[bytes]:
        yield text
        await library.service.add_content(command, content(b"# Redis\n\nfull\n"), BOB)

    same = await library.service.add_content(command, slow(b"# Redis\n\nfull\n"), ANN)
    assert counts(same) == (0, 0, 0, 1, 0)
    other = await library.service.add_content(command, slow(b"# Redis\n\nempty\n"), ANN)
    assert counts(other) == (0, 1, 0, 0, 0)
    await library.run_jobs()
    assert await library.texts((await library.documents())["redis.md"]) == "# Redis\n\nempty\n"
    assert len(await library.originals()) == 1


async def test_deleting_hides_at_once_and_destroys_by_a_job(library: Library, tmp_path: Path) -> None:
    """Nothing of it is left; its name is free."""
    write(tmp_path / "kb", a="# A\n\none\n", b="# B\n\ntwo\n")
    await library.service.add(c.AddDocuments(str(tmp_path / "kb")), ANN)
    await library.run_jobs()
    document = (await library.documents())["a.md"]
    gone = await library.service.delete(c.DeleteDocument(document.id), ANN)
    assert gone.document_id == document.id
    assert sorted(await library.documents()) == ["b.md"]
    with pytest.raises(NotFoundError):
        await library.service.delete(c.DeleteDocument(document.id), ANN)
    await library.run_jobs()
    assert document.key.hex not in await library.embedded()
    assert document.blob not in await library.originals()
    async with library.storage.knowledge(ANN.organization, read_only=True) as unit:
        assert await unit.knowledge.get_many([document.key]) == {}
    assert counts(await library.service.add(c.AddDocuments(str(tmp_path / "kb")), ANN)) == (1, 0, 0, 1, 0)


async def test_a_scope_must_be_named_rightly(library: Library, tmp_path: Path) -> None:
    """An unknown one, and the case that is not there."""
    write(tmp_path / "kb", a="# A\n\none\n")
    for scope in ("", "everything", "team:", "personal:bob", "case:1"):
        with pytest.raises(InvalidInputError, match="is no scope"):
            await library.service.add(c.AddDocuments(str(tmp_path / "kb"), scope=scope), ANN)
    with pytest.raises(NotFoundError):
        await library.service.add(c.AddDocuments(str(tmp_path / "kb"), scope="case:case_0123456789ab"), ANN)
    with pytest.raises(InvalidInputError, match="No scope was given"):
        await library.service.reindex(c.ReindexKnowledge(()), ANN)
    with pytest.raises(InvalidInputError, match="tag"):
        await library.service.add(c.AddDocuments(str(tmp_path / "kb"), tags=(" ",)), ANN)
    with pytest.raises(InvalidInputError, match="51 tags"):
        await library.service.add(c.AddDocuments(str(tmp_path / "kb"), tags=tuple(map(str, range(51)))), ANN)
