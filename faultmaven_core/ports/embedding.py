"""Port for turning texts into vectors whose closeness is closeness of meaning."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from faultmaven_core.ports.health import Inspectable, Pingable
from faultmaven_core.ports.vectors import Embedding
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.text import checked

MOST_TEXTS = 256
"""Texts that one call takes. Larger calls gain nothing, and would be repeated as a whole."""

MOST_CHARACTERS = 100_000


class Purpose(StrEnum):
    """What a vector is for: some models want questions and what answers them told apart."""

    DOCUMENT = "document"
    QUERY = "query"


class Embedder(Pingable, Inspectable, Protocol):
    """Texts into vectors of length 1 and of one dimension.

    `fingerprint` names everything that the vectors depend on (model, its files' digests, pooling, preprocessing, prefixes):
    vectors can be compared where it is the same, and nowhere else. It and `dimension` are known before anything connects.
    """

    fingerprint: str
    dimension: int

    @abstractmethod
    async def embed(self, texts: Sequence[str], purpose: Purpose = Purpose.DOCUMENT) -> Sequence[Embedding]:
        """One vector per text, in their order; none for none, and nothing is sent then.

        A text is embedded by its beginning where it is longer than the model reads: the local model reads 256 tokens, about
        180 words. The same text gets the same vector alone and among others, up to rounding (cosine above 0.999).
        More than 256 texts, a text over 100,000 characters, one of blanks only, or one that no encoding can hold is
        InvalidInputError, before any work. Raises MisconfiguredError where a file of the model is not the one it should be,
        or the server's model is another than the settings say; BackendError and its kind, RateLimitedError and
        QuotaExceededError where a server fails or refuses. Either all texts are embedded or the call raises.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Release threads, memory and connections; using it afterwards is ConflictError. Closing twice is no error."""


def checked_texts(texts: Sequence[str]) -> Sequence[str]:
    """The texts. Raises InvalidInputError for what no embedder takes."""
    if len(texts) > MOST_TEXTS:
        raise InvalidInputError(
            f"{len(texts)} texts are too many for one call: {MOST_TEXTS} are allowed.", fields={"texts": "too many"}
        )
    for text in texts:
        if not checked("text", text, most=MOST_CHARACTERS).strip():
            raise InvalidInputError("A text of blanks only has no meaning.", fields={"text": "empty"})
    return texts
