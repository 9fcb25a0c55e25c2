"""Words and their parts, hashed into a vector: close where texts share words. No model, no file, the same on every machine."""

from __future__ import annotations

import asyncio
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from math import log1p
from zlib import crc32

from faultmaven_core.ports.embedding import Embedder, Purpose, checked_texts
from faultmaven_core.ports.health import Inspection
from faultmaven_core.ports.vectors import Embedding
from faultmaven_core.shared.errors import ConflictError, MisconfiguredError
from faultmaven_core.shared.text import searchable

_WORD = re.compile(r"\w+")
_PART = 3
_PART_WEIGHT = 0.25
"""What a part of a word counts beside the whole: inflected words stay close, words that only sound alike do not."""

_LEAST = 16


class HashingEmbedder(Embedder):
    """See Embedder. It reads all of a text, and knows nothing of what words mean: for tests and trials."""

    def __init__(self, dimension: int = 256) -> None:
        if dimension < _LEAST:
            raise MisconfiguredError(f"Hashing needs at least {_LEAST} dimensions, not {dimension}.")
        self.dimension = dimension
        self.fingerprint = f"hashing:1/{dimension}"
        self._closed = False

    async def embed(self, texts: Sequence[str], purpose: Purpose = Purpose.DOCUMENT) -> Sequence[Embedding]:
        if self._closed:
            raise ConflictError("The hashing embedder was closed.")
        found = []
        for text in checked_texts(texts):
            found.append(self._vector(text))
            # A long text takes milliseconds: between two of them others have their turn.
            await asyncio.sleep(0)
        return found

    async def ping(self) -> None:
        await self.embed(["ping"])

    async def inspect(self) -> Inspection:
        return Inspection("hashing of words", "1")

    async def aclose(self) -> None:
        self._closed = True

    def _vector(self, text: str) -> Embedding:
        values = array("f", bytes(4 * self.dimension))
        for (feature, weight), times in Counter(_features(text)).items():
            # Without signs: two features at one place never take each other away, so no text gets the zero vector.
            values[crc32(feature.encode()) % self.dimension] += weight * log1p(times)
        return Embedding.of(values)


def _features(text: str) -> Iterator[tuple[str, float]]:
    for word in _WORD.findall(searchable(text)) or [text.strip()]:
        yield word, 1.0
        framed = f"<{word}>"
        for start in range(len(framed) - _PART + 1):
            yield framed[start : start + _PART], _PART_WEIGHT
