"""How long the event loop is held while something is done."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

TICK = 0.001


async def longest_stall(work: Coroutine[Any, Any, object]) -> float:
    """For how many seconds at most nobody else had a turn, from the first step of the work to its last."""
    loop = asyncio.get_running_loop()
    longest, last = 0.0, loop.time()
    working = asyncio.create_task(work)
    while not working.done():
        await asyncio.sleep(TICK)
        now = loop.time()
        longest, last = max(longest, now - last - TICK), now
    await working
    return longest
