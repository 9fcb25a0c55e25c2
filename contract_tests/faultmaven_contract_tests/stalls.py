"""How long the event loop is held while something is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

TICK = 0.001
TRIES = 6


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


async def assert_lively(work: Callable[[], Coroutine[Any, Any, object]], most: float) -> None:
    """The work holds up nobody for so many seconds. What else the machine does may stall us too, but hardly each time."""
    stalls: list[float] = []
    while len(stalls) < TRIES:
        stalls.append(await longest_stall(work()))
        if stalls[-1] < most:
            return
    pytest.fail(f"Each time the loop stood still for more than {most} s: {stalls}")
