"""Content on its way out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from faultmaven_core.evidence.commands import EvidenceView

Open = Callable[[int, int], AbstractAsyncContextManager[AsyncIterable[bytes]]]


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a piece of evidence; `open` gives `length` bytes of it from `start` on."""

    item: EvidenceView
    open: Open

    async def part(self, start: int, length: int) -> AsyncGenerator[bytes, None]:
        """A part of it. Raises NotFoundError where it has gone meanwhile."""
        async with self.open(start, length) as reader:
            async for chunk in reader:
                yield chunk
