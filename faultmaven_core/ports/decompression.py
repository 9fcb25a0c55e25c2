"""Port for compressed streams that the standard library does not read."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import BinaryIO, Protocol


class Decompression(Protocol):
    """Decompresses in pieces of bounded size, whatever the stream claims. A compute port: synchronous and pure."""

    @abstractmethod
    def chunks(self, stream: BinaryIO) -> Iterator[bytes]:
        """The decompressed content.

        Raises EOFError where the stream is cut off and OSError where it is damaged; what came before is good.
        """
