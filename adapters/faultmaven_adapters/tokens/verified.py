"""Signatures that need not be computed a second time."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faultmaven_adapters.tokens.key_folder import Keys


class Verified:
    """Texts whose signature is good under the keys as they are now, by digest; of more than `most` the oldest go.

    A signature is all that is remembered: whether a token's time, session and user are still good is asked each time.
    Other keys make all of it forgotten, so a key that was withdrawn vouches for nothing.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._keys: Keys | None = None
        self._digests: dict[bytes, None] = {}

    def add(self, text: str, keys: Keys) -> None:
        """The signature of this text is good."""
        self._look(keys)
        while len(self._digests) >= self._most:
            del self._digests[next(iter(self._digests))]
        self._digests[_digest(text)] = None

    def has(self, text: str, keys: Keys) -> bool:
        """Whether that is known."""
        self._look(keys)
        return _digest(text) in self._digests

    def take(self, text: str, keys: Keys) -> bool:
        """As `has`, for a text that is not expected again."""
        self._look(keys)
        digest = _digest(text)
        known = digest in self._digests
        self._digests.pop(digest, None)
        return known

    def _look(self, keys: Keys) -> None:
        if keys is not self._keys:
            self._keys = keys
            self._digests.clear()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("ascii")).digest()
