"""What waits for one subscriber: the newest signals, never more than it may hold."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Self

from faultmaven_core.ports.signals import MOST_WAITING
from faultmaven_core.shared.errors import ConflictError


class Backlog(AsyncIterator[bytes]):
    """Filled by whoever hears a signal, emptied by its subscriber; ends by ConflictError after `close`."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._changed = asyncio.Event()
        self._closed = False

    def put(self, payload: bytes) -> None:
        """Take a signal; the oldest one makes room for it."""
        self._waiting.append(payload)
        self._changed.set()

    def close(self) -> None:
        """No more will come."""
        self._closed = True
        self._changed.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._waiting:
            if self._closed:
                raise ConflictError("The signals were closed.")
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()
