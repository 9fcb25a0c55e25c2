"""Clean-up that outlives the caller who needs it."""

from __future__ import annotations

import asyncio
import logging

import pytest

from faultmaven_adapters._support.endings import Endings


async def test_a_cancelled_caller_does_not_cancel_the_clean_up() -> None:
    """It comes to its end, and closing waits for it."""
    endings, go, done = Endings("Blobs"), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await go.wait()
        done.set()

    caller = asyncio.create_task(endings(work(), wait=60))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go.set()
    await endings.aclose(wait=60)
    assert done.is_set()


async def test_a_caller_waits_only_so_long(caplog: pytest.LogCaptureFixture) -> None:
    """Then it goes on; what still runs when all is closed is cut short, which is said."""
    endings, caught = Endings("Blobs"), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            caught.set()

    await endings(work(), wait=0.01)
    assert not caught.is_set()
    await endings.aclose(wait=0.01)
    assert caught.is_set()
    assert "cut short" in caplog.text


async def test_a_clean_up_that_fails_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """In the log: its caller has another error to tell."""
    caplog.set_level(logging.WARNING)
    endings = Endings("Blobs")

    async def work() -> None:
        raise ConnectionResetError("by the server")

    await endings(work(), wait=60)
    await endings.aclose(wait=60)
    assert "Blobs: a clean-up failed: by the server" in caplog.text
