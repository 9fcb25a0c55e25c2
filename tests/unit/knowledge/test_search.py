"""Searching finds by words, by meaning and by name, in the caller's scopes alone, and says what it could not look at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from faultmaven_adapters.embedding.hashing import HashingEmbedder
from faultmaven_core.cases.commands import OpenCase
from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge import vectors
from faultmaven_core.knowledge.findings import MOST_HOLDING
from faultmaven_core.knowledge.model import Tier
from faultmaven_core.knowledge.search import MOST_HITS
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import BackendUnavailableError, InvalidInputError, NotFoundError
from tests.unit.knowledge.library import ANN, BOB, EVE, Library, hashed, library, write

DISK = "# NodeDiskFull\n\nThe disk of a node has no room left.\n\n## Mitigation\n\nRemove old logs with journalctl.\n"
QUEUE = "# QueueBacklog\n\nConsumers are slower than producers; watch queue_depth_total.\n"
OTHERS = {
    f"other{number}": f"# Other {number}\n\nNothing of interest stands here, item {number}.\n" for number in range(6)
}


@pytest.fixture
async def shelf() -> AsyncIterator[Library]:
    """Empty, with the embedder of tests."""
    async with hashed() as made:
        yield made


@pytest.fixture
async def wordy() -> AsyncIterator[Library]:
    """Empty, without an embedder."""
    async with library(embedder=None) as made:
        yield made


async def filled(shelf: Library, folder: Path, scope: str = "global", **texts: str) -> None:
    """Documents of these texts, read and embedded."""
    write(folder, **texts)
    await shelf.service.add(c.AddDocuments(str(folder), scope), ANN)
    await shelf.run_jobs()


async def asked(
    shelf: Library, text: str, *scopes: str, caller: Caller = ANN, lexical_only: bool = False, limit: int = 10
) -> c.SearchResult:
    """What a search says, with explanations; in the global tier where no scope is named."""
    command = c.SearchKnowledge(text, scopes or ("global",), limit, lexical_only=lexical_only, explain=True)
    return await shelf.service.search(command, caller)


def titles(result: c.SearchResult) -> list[str]:
    """The documents found, best first."""
    return list(dict.fromkeys(hit.title for hit in result.hits))


@pytest.mark.parametrize("question", ["no room on the disk", "NodeDiskFull", "nodediskfull", "journalctl"])
async def test_the_document_that_answers_comes_first(shelf: Library, tmp_path: Path, question: str) -> None:
    """By its words, its name, its name in small letters, or a word of its steps."""
    await filled(shelf, tmp_path / "kb", disk=DISK, queue=QUEUE, **OTHERS)
    for lexical_only in (False, True):
        found = await asked(shelf, question, lexical_only=lexical_only)
        assert found.hits[0].title == "NodeDiskFull"


async def test_a_hit_tells_where_it_stands_and_marks_the_words(shelf: Library, tmp_path: Path) -> None:
    """Offsets are of the document's text, so that it can be shown around them."""
    await filled(shelf, tmp_path / "kb", disk=DISK, queue=QUEUE)
    (hit, *_) = (await asked(shelf, "room on a disk")).hits
    detail = await shelf.service.show(c.ShowDocument(hit.document_id, hit.start, hit.end - hit.start), ANN)
    assert hit.snippet.text in detail.text
    assert [hit.snippet.text[start:end] for start, end in hit.snippet.highlights] == ["Disk", "disk", "room"]
    assert (hit.scope, hit.headings, hit.warning) == ("global", ("NodeDiskFull",), "")
    assert hit.name.endswith("disk.md")


async def test_an_explanation_adds_up_to_the_score(shelf: Library, tmp_path: Path) -> None:
    """The shares of words and meaning, and what a name adds."""
    await filled(shelf, tmp_path / "kb", disk=DISK, queue=QUEUE, **OTHERS)
    (plain, *_) = (await asked(shelf, "consumers are slower")).hits
    assert plain.why is not None
    assert plain.score == pytest.approx(plain.why.lexical + plain.why.vector, abs=1e-5)
    assert (plain.why.lexical_rank, plain.why.vector_rank) == (1, 1)
    assert set(plain.why.terms) == {"consumers", "slower"}
    (named, *_) = (await asked(shelf, "what does QueueBacklog mean")).hits
    assert named.why is not None
    assert named.why.names == ("queuebacklog",)
    assert named.score == pytest.approx(named.why.lexical + named.why.vector + 1, abs=1e-5)


async def test_without_explain_there_is_none(shelf: Library, tmp_path: Path) -> None:
    """It is for those who ask."""
    await filled(shelf, tmp_path / "kb", disk=DISK)
    result = await shelf.service.search(c.SearchKnowledge("disk", ("global",)), ANN)
    assert result.hits[0].why is None


async def test_an_exact_name_in_a_passage_outweighs_its_parts_elsewhere(wordy: Library, tmp_path: Path) -> None:
    """Who asks for a metric wants the text that has it."""
    parts = "# Parts\n\nThe total depth of a queue; the queue, its depth and the total again: queue depth total.\n"
    await filled(wordy, tmp_path / "kb", queue=QUEUE, parts=parts, **OTHERS)
    assert titles(await asked(wordy, "queue_depth_total"))[0] == "QueueBacklog"


async def test_a_name_that_stands_everywhere_adds_nothing(wordy: Library, tmp_path: Path) -> None:
    """A product's own name tells no text from another."""
    texts = {
        f"page{number}": f"# Page {number}\n\nFaultMaven has {number} parts.\n" for number in range(MOST_HOLDING + 1)
    }
    await filled(wordy, tmp_path / "kb", **texts)
    result = await asked(wordy, "FaultMaven parts")
    assert result.hits
    assert all(hit.why is not None and not hit.why.names for hit in result.hits)


async def test_a_document_has_two_hits_at_most(shelf: Library, tmp_path: Path) -> None:
    """Others shall be seen too."""
    section = "The disk is full; remove files from the disk. " * 15
    long = "# Disks\n\n" + "\n".join(f"## Part {number}\n\n{section}" for number in range(6))
    await filled(shelf, tmp_path / "kb", long=long, disk=DISK)
    found = [hit.title for hit in (await asked(shelf, "disk full")).hits]
    assert found.count("Disks") == 2
    assert "NodeDiskFull" in found


@pytest.mark.parametrize("limit", [1, 3])
async def test_a_search_gives_no_more_than_its_limit(shelf: Library, tmp_path: Path, limit: int) -> None:
    """The best ones."""
    await filled(shelf, tmp_path / "kb", disk=DISK, **OTHERS)
    wide, narrow = await asked(shelf, "nothing of interest"), await asked(shelf, "nothing of interest", limit=limit)
    assert narrow.hits == wide.hits[:limit]
    assert len(narrow.hits) == limit


async def test_what_has_nothing_to_do_with_the_question_is_no_hit(tmp_path: Path) -> None:
    """An empty answer over everything there is, and it says so."""
    async with library(embedder=HashingEmbedder(2048)) as roomy:  # in fewer dimensions words collide
        await filled(roomy, tmp_path / "kb", disk=DISK, queue=QUEUE)
        assert await asked(roomy, "zyx") == c.SearchResult((), c.Coverage(2, 2, "used", ()))


async def test_a_search_needs_a_scope_a_question_and_a_limit(shelf: Library) -> None:
    """Nothing is taken to mean everything."""
    for command, word in (
        (c.SearchKnowledge("disk", ()), "scope"),
        (c.SearchKnowledge("disk", ("everywhere",)), "scope"),
        (c.SearchKnowledge("  \n", ("global",)), "asked"),
        (c.SearchKnowledge("a\0b", ("global",)), "NUL"),
        (c.SearchKnowledge("disk", ("global",), limit=0), "limit"),
        (c.SearchKnowledge("disk", ("global",), limit=MOST_HITS + 1), "limit"),
    ):
        with pytest.raises(InvalidInputError, match=word):
            await shelf.service.search(command, ANN)


async def test_each_scope_is_searched_alone_or_with_others(shelf: Library, tmp_path: Path) -> None:
    """Equal texts come from the nearest tier first."""
    case = (await shelf.cases.open(OpenCase("Disk"), ANN)).case_id
    scopes = [f"case:{case}", "personal", "team:ops", "team:web", "global"]
    for number, scope in enumerate(scopes):
        await filled(shelf, tmp_path / f"kb{number}", scope, disk=DISK)
    for scope in scopes:
        result = await asked(shelf, "disk room", scope)
        assert {hit.scope for hit in result.hits} == {scope}
        assert result.coverage.documents == result.coverage.embedded == 1
    several = await asked(shelf, "disk room", "global", "team:ops", "personal", f"case:{case}")
    assert list(dict.fromkeys(hit.scope for hit in several.hits)) == [f"case:{case}", "personal", "team:ops", "global"]


async def test_nobody_finds_what_is_anothers(shelf: Library, tmp_path: Path) -> None:
    """Neither a user's own documents, nor another organization's, nor those of its cases; nor are they counted."""
    case = (await shelf.cases.open(OpenCase("Disk"), ANN)).case_id
    await filled(shelf, tmp_path / "a", "personal", disk=DISK)
    await filled(shelf, tmp_path / "b", "global", disk=DISK)
    await filled(shelf, tmp_path / "c", f"case:{case}", disk=DISK)
    nothing = c.Coverage(0, 0, "used", ())
    assert await asked(shelf, "disk", "personal", caller=BOB) == c.SearchResult((), nothing)
    assert await asked(shelf, "disk", "global", "personal", "team:ops", caller=EVE) == c.SearchResult((), nothing)
    with pytest.raises(NotFoundError):
        await asked(shelf, "disk", f"case:{case}", caller=EVE)
    assert len(titles(await asked(shelf, "disk", "global", "personal", f"case:{case}"))) == 1


async def test_a_deleted_document_is_found_no_more_though_its_vectors_are_still_there(
    shelf: Library, tmp_path: Path
) -> None:
    """The job that removes them may come late."""
    await filled(shelf, tmp_path / "kb", disk=DISK, queue=QUEUE)
    (hit, *_) = (await asked(shelf, "disk room")).hits
    await shelf.service.delete(c.DeleteDocument(hit.document_id), ANN)
    assert "NodeDiskFull" not in titles(await asked(shelf, "disk room"))
    assert len(await shelf.embedded()) == 2


async def test_a_deprecated_document_is_not_found_and_a_stale_one_is_with_a_warning(
    shelf: Library, tmp_path: Path
) -> None:
    """Who follows it shall know."""
    old = "---\nreviewed_on: 2020-01-01\n---\n" + DISK
    gone = "---\nstatus: deprecated\n---\n# Gone\n\nThe disk has no room.\n"
    await filled(shelf, tmp_path / "kb", old=old, gone=gone, queue="---\nstatus: draft\n---\n" + QUEUE)
    found = (await asked(shelf, "disk room")).hits
    assert {hit.title for hit in found} == {"NodeDiskFull"}
    assert found[0].warning == "This is stale; it was last reviewed on 2020-01-01."
    assert "draft" in (await asked(shelf, "slower consumers")).hits[0].warning


async def test_without_an_embedder_it_says_that_meaning_was_not_looked_at(wordy: Library, tmp_path: Path) -> None:
    """No error: words and names are enough to work with."""
    await filled(wordy, tmp_path / "kb", disk=DISK)
    result = await asked(wordy, "disk")
    assert titles(result) == ["NodeDiskFull"]
    assert (result.coverage.vectors, result.coverage.embedded) == ("none", 0)
    assert "no embedding model" in result.coverage.notes[0]


async def test_a_question_of_common_words_says_that_words_found_nothing(wordy: Library, tmp_path: Path) -> None:
    """Not that there is nothing."""
    await filled(wordy, tmp_path / "kb", disk=DISK)
    result = await asked(wordy, "what is it")
    assert result.hits == ()
    assert "only words that every text has" in result.coverage.notes[0]


async def test_documents_that_are_not_read_yet_are_told_of(shelf: Library, tmp_path: Path) -> None:
    """An empty answer while a job is on its way is not the last word."""
    write(tmp_path / "kb", disk=DISK)
    await shelf.service.add(c.AddDocuments(str(tmp_path / "kb")), ANN)
    result = await asked(shelf, "disk")
    assert result.hits == ()
    assert result.coverage.notes == ("1 documents are not read yet: nothing of them can be found.",)


async def test_while_a_new_model_embeds_searches_go_on_by_words_and_say_so(shelf: Library, tmp_path: Path) -> None:
    """No pause, and no vectors of the old model among the new ones."""
    await filled(shelf, tmp_path / "kb", disk=DISK, queue=QUEUE)
    shelf.embedder = HashingEmbedder(32)
    shelf.begun()
    between = await asked(shelf, "disk room")
    assert between.hits[0].title == "NodeDiskFull"
    assert (between.coverage.embedded, between.coverage.vectors) == (0, "used")
    assert "2 of 2 documents are not embedded yet" in between.coverage.notes[0]
    await shelf.service.embed(c.EmbedKnowledge(idle_seconds=0), ANN)
    after = await asked(shelf, "disk room")
    assert after.coverage == c.Coverage(2, 2, "used", ())


async def test_a_store_that_lost_its_vectors_is_told_of(shelf: Library, tmp_path: Path) -> None:
    """The rows say embedded; that nothing is like the question would be a lie."""
    await filled(shelf, tmp_path / "kb", disk=DISK)
    await shelf.vectors.drop(vectors.collection(Tier.GLOBAL, shelf.fingerprint()))
    result = await asked(shelf, "disk room")
    assert titles(result) == ["NodeDiskFull"]
    assert "fm knowledge reindex" in result.coverage.notes[0]


@pytest.mark.parametrize("call", ["MemoryVectorStore.search", "HashingEmbedder.embed"])
async def test_what_is_away_is_an_error_unless_the_caller_does_without(
    shelf: Library, tmp_path: Path, call: str
) -> None:
    """Never fewer hits in silence; by words alone the other way is not even tried."""
    await filled(shelf, tmp_path / "kb", disk=DISK)

    def down(what: str) -> None:
        if what == call:
            raise BackendUnavailableError("It is away.")

    shelf.tell = down
    with pytest.raises(BackendUnavailableError, match="away"):
        await asked(shelf, "disk")
    result = await asked(shelf, "disk", lexical_only=True)
    assert titles(result) == ["NodeDiskFull"]
    assert result.coverage.vectors == "skipped"
    assert "left out" in result.coverage.notes[0]


async def test_vectors_of_a_text_that_was_replaced_find_nothing(shelf: Library, tmp_path: Path) -> None:
    """Until it is embedded anew, its words alone speak for it."""
    await filled(shelf, tmp_path / "kb", disk=DISK)
    (document,) = (await shelf.documents()).values()
    async with shelf.storage.knowledge(ANN.organization) as unit:
        await unit.knowledge.save([replace(document, embedded="", updated_at=document.updated_at + timedelta(1))])
        await unit.commit()
    result = await asked(shelf, "disk room")
    assert result.hits[0].why is not None
    assert (result.hits[0].why.vector_rank, result.hits[0].why.cosine) == (0, 0.0)


async def test_where_nothing_is_embedded_no_model_is_asked(shelf: Library) -> None:
    """To load one costs a second, which an empty library is not worth."""
    called: list[str] = []
    shelf.tell = called.append
    assert await asked(shelf, "disk") == c.SearchResult((), c.Coverage(0, 0, "used", ()))
    assert set(called) == {"unit"}
