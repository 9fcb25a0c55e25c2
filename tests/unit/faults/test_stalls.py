"""The measure of how long the loop is held sees all of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from faultmaven_contract_tests.stalls import longest_stall

HELD = 0.1


async def at_the_beginning() -> None:
    """Before anybody else had a turn."""
    time.sleep(HELD)  # noqa: ASYNC251 - that is what is measured
    await asyncio.sleep(0.01)


async def in_the_middle() -> None:
    """Between two waits."""
    await asyncio.sleep(0.01)
    time.sleep(HELD)  # noqa: ASYNC251 - as above
    await asyncio.sleep(0.01)


async def at_the_end() -> None:
    """Nothing follows."""
    await asyncio.sleep(0.01)
    time.sleep(HELD)  # noqa: ASYNC251 - as above


@pytest.mark.parametrize("work", [at_the_beginning, in_the_middle, at_the_end])
async def test_a_stall_is_seen_wherever_it_is(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Not only at the moments at which somebody looks."""
    assert await longest_stall(work()) > 0.8 * HELD
