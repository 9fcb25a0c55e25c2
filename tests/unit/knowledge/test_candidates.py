"""Selecting candidates in the database loses nothing: the best ten are those that comparing every passage finds."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_contract_tests.samples import ACME, EVERYBODY, START, document
from faultmaven_core.knowledge.chunking import cut
from faultmaven_core.knowledge.headings import markdown_headings
from faultmaven_core.knowledge.model import Chunk
from faultmaven_core.knowledge.ports import ChunkTerms, KnowledgeRepository
from faultmaven_core.knowledge.questions import Question
from faultmaven_core.knowledge.ranking import Words
from faultmaven_core.knowledge.search import CANDIDATES
from faultmaven_core.shared.clock import FixedClock
from faultmaven_core.shared.ids import RandomIds

QUESTIONS = 60
BEST = 10

Scored = list[tuple[float, UUID]]


def runbooks(data: Path) -> Sequence[tuple[str, Sequence[Chunk]]]:
    """The titles and chunks of some hundred pages, the nth of the nth document."""
    pages = [json.loads(line) for line in (data / "kb" / "corpus.jsonl").read_text().splitlines()]
    texts = [(page["title"], (data / "kb" / "corpus" / page["doc_id"]).read_text()) for page in pages]
    return [
        (title, cut(title, text, tuple(markdown_headings(text)), document(number).key))
        for number, (title, text) in enumerate(texts)
    ]


def questions(data: Path) -> Sequence[str]:
    """Some of every kind."""
    every = [json.loads(line)["query"] for line in (data / "kb" / "queries_dev.jsonl").read_text().splitlines()]
    return every[:: len(every) // QUESTIONS]


def best(scored: Scored) -> Scored:
    """The best documents by their best passages, ties by key."""
    highest: dict[UUID, float] = {}
    for score, key in scored:
        highest[key] = max(score, highest.get(key, 0.0))
    return heapq.nsmallest(BEST, [(-score, key) for key, score in highest.items() if score])


async def fill(repository: KnowledgeRepository, pages: Sequence[tuple[str, Sequence[Chunk]]]) -> None:
    """All pages as documents that a search may find."""
    for number, (title, chunks) in enumerate(pages):
        words = sum(len(chunk.terms) for chunk in chunks)
        new = document(number, title=title, chunks=len(chunks), words=words)
        await repository.add([new])
        await repository.replace_chunks(new.key, chunks)


async def test_the_best_ten_of_the_candidates_are_the_best_ten_of_all(data: Path, tmp_path: Path) -> None:
    """With their scores to the last digit."""
    clock = FixedClock(START)
    storage = SqlStorage(str(tmp_path / "fm.db"), clock, RandomIds(clock), lambda _: None)
    await storage.start()
    try:
        pages = runbooks(data)
        every = [
            (chunk.document, ChunkTerms(chunk.number, len(chunk.terms), Counter(chunk.terms), Counter(chunk.labels)))
            for _, chunks in pages
            for chunk in chunks
        ]
        async with storage.knowledge(ACME) as unit:
            await fill(unit.knowledge, pages)
            for question in questions(data):
                asked = Question.of(question).terms
                words = Words(await unit.knowledge.statistics([EVERYBODY], asked), asked)
                candidates = await unit.knowledge.candidates([EVERYBODY], words.selecting, CANDIDATES)
                found = [(words.bm25(chunk), one.document) for one in candidates for chunk in one.chunks]
                assert best(found) == best([(words.bm25(chunk), key) for key, chunk in every]), question
    finally:
        await storage.aclose()
