"""Runbooks found for alerts: the pages are added with `fm knowledge add`, then the library is asked every question.

A process per question would cost more than its answer. `FM_EMBEDDING_URL` chooses the model, by default the local one;
`none:` shows what words and names find alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.quality.product import Product, ProductError
from faultmaven import FaultMaven
from faultmaven.settings import load_settings
from faultmaven.tree import Settings
from faultmaven_core.knowledge.commands import CountKnowledge, SearchKnowledge
from faultmaven_core.shared.errors import FaultMavenError

SCOPES = ("global",)
DEPTH = 10
"""Pages of a ranking, as the scorer reads it."""

HITS = 40
"""Passages asked for: a page may come with two."""

INGEST_S = 3600
"""Embedding some thousand passages takes minutes where the processor is busy."""

EMBEDDING = "FM_EMBEDDING_URL"


def rankings(product: Product, corpus: Path) -> list[dict[str, Any]]:
    """The ranking of pages for every question of a corpus. Raises ProductError where the product fails."""
    product = replace(product, settings={EMBEDDING: os.environ.get(EMBEDDING, "onnx:"), **product.settings})
    pages = corpus / "pages"
    count = sum(1 for page in pages.rglob("*") if page.is_file())
    questions = [json.loads(line) for line in (corpus / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    with tempfile.TemporaryDirectory(prefix="fm-quality-") as home:
        product.call_at(home, ["knowledge", "add", str(pages)], timeout=INGEST_S)
        try:
            names = asyncio.run(_found(load_settings(product.environment(home)), count, questions))
        except FaultMavenError as error:
            raise ProductError(f"{corpus.name}: {error}") from error
    return [
        {"query_id": question["query_id"], "ranking": [Path(name).relative_to(pages).as_posix() for name in ranking]}
        for question, ranking in zip(questions, names, strict=True)
    ]


async def _found(settings: Settings, pages: int, questions: Sequence[Mapping[str, str]]) -> list[list[str]]:
    """The names of the documents for every question, best first."""
    async with FaultMaven.open(settings) as fm:
        counts = await fm.knowledge.stats(CountKnowledge(SCOPES), fm.caller)
        ready = counts.states.get("ready", 0)
        if ready < pages or (counts.model and counts.embedded < ready):
            raise ProductError(f"Not all of {pages} pages are searchable: {counts}.")
        found = []
        for question in questions:
            asked = SearchKnowledge(question["query"], SCOPES, limit=HITS)
            hits = (await fm.knowledge.search(asked, fm.caller)).hits
            found.append(list(dict.fromkeys(hit.name for hit in hits))[:DEPTH])
        return found
