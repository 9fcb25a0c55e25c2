"""Tokens whose signature need not be computed a second time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faultmaven_adapters.tokens.key_folder import Keys


@dataclass(frozen=True, slots=True)
class Signed:
    """What a token says, and which key signed it."""

    kid: str
    claims: Mapping[str, object]


class Verified:
    """What texts say whose signature is good under the keys as they are now, by digest; of more than `most` the oldest go.

    Whether a token's time, session and user are still good is asked each time. Other keys make all of it forgotten, so a
    key that was withdrawn vouches for nothing.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._keys: Keys | None = None
        self._known: dict[bytes, Signed] = {}

    def add(self, text: str, signed: Signed, keys: Keys) -> None:
        """The signature of this text is good."""
        self._look(keys)
        while len(self._known) >= self._most:
            del self._known[next(iter(self._known))]
        self._known[_digest(text)] = signed

    def get(self, text: str, keys: Keys) -> Signed | None:
        """What is known of this text."""
        self._look(keys)
        return self._known.get(_digest(text))

    def take(self, text: str, keys: Keys) -> Signed | None:
        """As `get`, for a text that is not expected again."""
        self._look(keys)
        return self._known.pop(_digest(text), None)

    def _look(self, keys: Keys) -> None:
        if keys is not self._keys:
            self._keys = keys
            self._known.clear()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
