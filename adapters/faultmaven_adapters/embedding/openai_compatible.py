"""Any server with OpenAI's interface for embeddings: OpenAI, vLLM, llama.cpp, Ollama and others."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import urlsplit

import httpx2
from openai import AsyncOpenAI

from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.embedding.openai_errors import OPENAI_ERRORS
from faultmaven_core.ports.embedding import Embedder, Purpose, checked_texts
from faultmaven_core.ports.health import Inspection
from faultmaven_core.ports.vectors import Embedding
from faultmaven_core.shared.batches import batched
from faultmaven_core.shared.errors import (
    BackendError,
    ConflictError,
    InvalidInputError,
    MisconfiguredError,
    TooLargeError,
)
from faultmaven_core.shared.secret import Secret

_CONNECT = 5.0
"""Seconds that a connection may take: a server that is there takes it at once."""


class OpenAiCompatibleEmbedder(Embedder):
    """See Embedder. A text that the server finds too long is halved until it takes the rest.

    `dimension` is how long the model's vectors are. `timeout`: seconds that the server may be silent. Up to `batch` texts go
    in one request. The prefixes are put before each text, for models that were trained with such.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        dimension: int,
        *,
        api_key: Secret | None = None,
        timeout: float = 30.0,
        batch: int = 64,
        query_prefix: str = "",
        document_prefix: str = "",
    ) -> None:
        self.dimension = dimension
        self._model, self._batch = model, batch
        self._prefixes = {Purpose.QUERY: query_prefix, Purpose.DOCUMENT: document_prefix}
        prefixes = sha256(f"{query_prefix}\0{document_prefix}".encode()).hexdigest()[:8]
        self.fingerprint = f"openai:{model}/{prefixes}/{dimension}"
        place = urlsplit(base_url)
        self._place = f"The embedding server at {place.hostname}:{place.port or place.scheme}"
        self._client = AsyncOpenAI(
            base_url=base_url,
            # The SDK wants one, also for servers that ask for none.
            api_key=api_key.reveal() if api_key else "none",
            max_retries=0,
            timeout=httpx2.Timeout(timeout, connect=_CONNECT),
        )
        # The SDK takes these from variables that are not ours.
        self._client.organization = self._client.project = None

    async def embed(self, texts: Sequence[str], purpose: Purpose = Purpose.DOCUMENT) -> Sequence[Embedding]:
        prefix = self._prefixes[purpose]
        wanted = [prefix + text for text in checked_texts(texts)]
        if self._client.is_closed():
            raise ConflictError("The connection to the embedding server was closed.")
        found: list[Embedding] = []
        for some in batched(wanted, self._batch):
            found += await self._fitting(list(some))
        return found

    async def ping(self) -> None:
        await self.embed(["ping"])

    async def inspect(self) -> Inspection:
        await self.ping()
        with translation(OPENAI_ERRORS, self._place):
            listed = [model.owned_by async for model in self._client.models.list() if model.id == self._model]
        return Inspection(f"{self._model} of {listed[0]}" if listed and listed[0] else self._model, "")

    async def aclose(self) -> None:
        await self._client.close()

    async def _fitting(self, texts: list[str]) -> list[Embedding]:
        """The texts' vectors; what the server finds too much is divided: several texts into two requests, one is cut."""
        try:
            return await self._asked(texts)
        except TooLargeError:
            if texts == [texts[0][:1]]:
                raise
        if len(texts) == 1:
            return await self._fitting([texts[0][: len(texts[0]) // 2]])
        middle = len(texts) // 2
        return await self._fitting(texts[:middle]) + await self._fitting(texts[middle:])

    async def _asked(self, texts: list[str]) -> list[Embedding]:
        with translation(OPENAI_ERRORS, self._place):
            # Without a format the SDK asks for base64, a quarter of the bytes, and reads numbers where it gets those.
            answer = await self._client.embeddings.create(model=self._model, input=texts)
            told = {item.index: [float(value) for value in item.embedding] for item in answer.data}
        if told.keys() != set(range(len(texts))):
            raise BackendError(f"{self._place} answered with vectors of other texts than it was asked for.")
        return [self._embedding(told[number]) for number in range(len(texts))]

    def _embedding(self, values: Sequence[float]) -> Embedding:
        if len(values) != self.dimension:
            raise MisconfiguredError(
                f"{self._place} makes vectors of {len(values)} numbers with {self._model}, not {self.dimension}: set "
                f"dimension={len(values)} in FM_EMBEDDING_URL, or name another model."
            )
        try:
            return Embedding.of(values)
        except InvalidInputError as error:
            raise BackendError(
                f"{self._place} answered with a vector that has no direction: look at its model."
            ) from error
