"""Clean-up that comes to its end though the caller who needs it was cancelled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_log = logging.getLogger(__name__)


class Endings:
    """Runs clean-ups as tasks of their own. Failures are logged: nobody who could act on them waits any more."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, work: Coroutine[Any, Any, None], *, wait: float) -> None:
        """Start it, and wait so many seconds for it at most; a cancellation ends the waiting, never the work."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        await asyncio.wait({task}, timeout=wait)

    async def aclose(self, *, wait: float) -> None:
        """Wait so many seconds for all of them; cancel what then still runs."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=wait)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            _log.warning("%s: a clean-up was cut short at the end of the program.", self._name)
        elif error := task.exception():
            _log.warning("%s: a clean-up failed: %s", self._name, error)
