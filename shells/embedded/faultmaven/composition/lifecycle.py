"""What must be started after building and closed at the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

Step = Callable[[], Awaitable[None]]


class Lifecycle:
    """Filled by providers while they build, in the order of dependence."""

    def __init__(self) -> None:
        self._starts: list[Step] = []
        self._stack = AsyncExitStack()

    def on_start(self, step: Step) -> None:
        """Do this before the application is handed out."""
        self._starts.append(step)

    def on_close(self, step: Step) -> None:
        """Do this at the end, later registrations first; also where a start failed."""
        self._stack.push_async_callback(step)

    async def start(self) -> None:
        """Do all starts in order."""
        for step in self._starts:
            await step()

    async def close(self) -> None:
        """Do all closes; one that fails does not keep the others from being done. The second time nothing."""
        await self._stack.aclose()
