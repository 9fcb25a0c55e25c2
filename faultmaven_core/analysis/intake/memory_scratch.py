"""Scratch space in memory, for analyses of bytes that are held anyway."""

from __future__ import annotations

import io
from typing import BinaryIO

from faultmaven_core.analysis.intake.unpack import Scratch


class _Sink(io.BytesIO):
    """Hands its content over when it is closed."""

    def __init__(self, contents: dict[str, bytes], key: str) -> None:
        super().__init__()
        self._contents, self._key = contents, key

    def close(self) -> None:
        if not self.closed:
            self._contents[self._key] = self.getvalue()
        super().close()


class MemoryScratch(Scratch):
    """See the port. Nothing is ever written to a disk."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self._made = 0

    def create(self) -> tuple[str, BinaryIO]:
        """See the port."""
        self._made += 1
        key = f"{self._made:06}"
        return key, _Sink(self.contents, key)

    def open(self, key: str) -> BinaryIO:
        """See the port."""
        return io.BytesIO(self.contents[key])

    def drop(self, key: str) -> None:
        """See the port."""
        self.contents.pop(key, None)
