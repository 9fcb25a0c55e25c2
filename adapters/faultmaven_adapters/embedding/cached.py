"""Remembers the vectors of queries: one costs more than the search that it is for, and people ask again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from faultmaven_core.ports.embedding import Embedder, Purpose, checked_texts
from faultmaven_core.ports.health import Inspection
from faultmaven_core.ports.vectors import Embedding
from faultmaven_core.shared.errors import ConflictError

MOST = 1024


class CachedQueries(Embedder):
    """See Embedder. Keeps the vectors of the last `most` queries, in this process; documents pass. Only what went well is kept."""

    def __init__(self, embedder: Embedder, most: int = MOST) -> None:
        self.fingerprint, self.dimension = embedder.fingerprint, embedder.dimension
        self._embedder, self._most = embedder, most
        self._kept: OrderedDict[str, Embedding] = OrderedDict()
        self._closed = False

    async def embed(self, texts: Sequence[str], purpose: Purpose = Purpose.DOCUMENT) -> Sequence[Embedding]:
        if self._closed:
            raise ConflictError("The embedder was closed.")
        if purpose is not Purpose.QUERY:
            return await self._embedder.embed(texts, purpose)
        found = {text: self._kept[text] for text in checked_texts(texts) if text in self._kept}
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            found.update(zip(missing, await self._embedder.embed(missing, purpose), strict=True))
        for text, vector in found.items():
            self._kept[text] = vector
            self._kept.move_to_end(text)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return [found[text] for text in texts]

    async def ping(self) -> None:
        await self._embedder.ping()

    async def inspect(self) -> Inspection:
        return await self._embedder.inspect()

    async def aclose(self) -> None:
        self._closed = True
        self._kept.clear()
        await self._embedder.aclose()
