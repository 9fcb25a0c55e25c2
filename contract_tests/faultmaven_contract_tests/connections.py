"""Pytest's part: connections end with the test that made them. One that is left is found later, in a test of somebody else."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator

import pytest

PATIENCE = 30.0
"""Seconds for connections that are ending: over TLS that takes a word from the other side, and drivers do not wait for it."""


@pytest.fixture(autouse=True)
def connections_end(request: pytest.FixtureRequest) -> None:
    """Of every test on a loop, after all else that it uses has ended."""
    if inspect.iscoroutinefunction(request.function):
        request.getfixturevalue("connections_ended")


@pytest.fixture
async def connections_ended() -> AsyncIterator[None]:
    """Fails where one is still open when its patience ends."""
    yield
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while left := _open():
        assert asyncio.get_running_loop().time() < deadline, f"The test left connections open: {left}"
        await asyncio.sleep(0.01)


def _open() -> list[asyncio.Transport]:
    # Private, and the only place where a loop keeps its connections; uvloop has none and closes them by itself.
    kept = getattr(asyncio.get_running_loop(), "_transports", {})
    return [transport for transport in list(kept.values()) if transport.get_extra_info("socket").fileno() >= 0]
