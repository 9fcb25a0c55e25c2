"""How much of somebody else's bytes we take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from faultmaven_core.shared.errors import TooLargeError

CHUNK = 256 << 10
"""Bytes read at a time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """For one archive and all that is nested in it.

    `depth` counts layers (a `.tar.gz` is two), `total` unpacked bytes. `ratio` is unpacked to packed, looked at once a
    layer has unpacked `ratio_from` bytes: text logs pack about 10:1, very repetitive ones 200:1, zeros 1030:1.
    """

    depth: int = 6
    entries: int = 20_000
    total: int = 8 << 30
    ratio: int = 300
    ratio_from: int = 32 << 20


@dataclass
class Budget:
    """What is left of the limits while an archive is unpacked."""

    limits: Limits
    entries: int = 0
    total: int = 0

    @property
    def exhausted(self) -> bool:
        """Whether nothing more may be unpacked."""
        return self.total > self.limits.total

    def entry(self) -> None:
        """Count an entry. Raises TooLargeError over the limit."""
        self.entries += 1
        if self.entries > self.limits.entries:
            raise TooLargeError(f"it has more than {self.limits.entries:,} entries")

    def spend(self, chunks: Iterable[bytes], packed: Callable[[], int]) -> Iterator[bytes]:
        """The same chunks, counted; `packed` tells how many packed bytes they came from so far.

        Raises TooLargeError where a limit is passed.
        """
        size = 0
        for chunk in chunks:
            size += len(chunk)
            self.total += len(chunk)
            if self.total > self.limits.total:
                raise TooLargeError(f"it unpacks to more than {self.limits.total >> 20:,} MiB")
            if size > self.limits.ratio_from and size > self.limits.ratio * max(1, packed()):
                raise TooLargeError(f"it unpacks to more than {self.limits.ratio} times its size, as a zip bomb does")
            yield chunk
