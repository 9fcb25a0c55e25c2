"""Streams under a policy: repeated before the first piece, or while all that was sent is kept; never in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from faultmaven_core.shared.errors import (
    AmbiguousError,
    BackendRefusedError,
    BackendUnavailableError,
    DeadlineExceededError,
)
from tests.unit.resilience.backends import HANGS, wrapped

DOWN = BackendUnavailableError("Down.")
REFUSED = BackendRefusedError("Not now.")


async def chunks(*parts: bytes, fails: Exception | None = None) -> AsyncIterator[bytes]:
    """A source."""
    for part in parts:
        yield part
    if fails:
        raise fails


async def test_what_was_sent_and_is_kept_is_sent_again() -> None:
    """Refused after the second chunk: the second try has all of it, in order, once."""
    found = wrapped(None, None, REFUSED)
    assert await found.port.put("k", chunks(b"a", b"b", b"c")) == 3
    assert found.backend.stored == [b"abc"]
    assert found.outcomes() == [("put", "ok", 2)]


async def test_what_was_sent_and_is_not_kept_any_more_is_not_sent_again() -> None:
    """Four bytes are kept, the fifth was on its way: half a content would look whole."""
    found = wrapped(None, None, None, REFUSED)
    with pytest.raises(BackendRefusedError):
        await found.port.put("k", chunks(b"ab", b"cd", b"e", b"f"))
    assert found.backend.stored == []
    assert found.outcomes() == [("put", "unavailable", 1)]


async def test_a_source_that_fails_is_not_asked_again() -> None:
    """Even if its error looks like one of a backend that may pass."""
    found = wrapped()
    with pytest.raises(BackendRefusedError):
        await found.port.put("k", chunks(b"a", fails=REFUSED))
    assert found.backend.stored == []
    assert found.outcomes() == [("put", "unavailable", 1)]


async def test_a_slow_source_is_not_the_backends_fault() -> None:
    """It takes longer than a piece may."""

    async def slow() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(0.4)
        yield b"b"

    found = wrapped()
    await found.port.put("k", slow())
    assert found.backend.stored == [b"ab"]


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_a_backend_that_stalls_on_a_piece_is_cut(before: int) -> None:
    """Before the first chunk, in the middle, after the last one."""
    found = wrapped(*[None] * before, HANGS)
    with pytest.raises(AmbiguousError):
        await found.port.put("k", chunks(b"a", b"b"))
    assert found.backend.stored == []


async def test_a_listing_is_begun_again_before_its_first_piece_only() -> None:
    """What the caller has seen already would come twice."""
    found = wrapped(DOWN)
    assert [number async for number in found.port.list()] == [0, 1, 2]
    again = wrapped(None, DOWN)
    listing = aiter(again.port.list())
    assert await anext(listing) == 0
    with pytest.raises(BackendUnavailableError):
        await anext(listing)
    assert again.backend.closed == 1


async def test_a_listing_that_stalls_is_cut_and_closed() -> None:
    """In the middle."""
    found = wrapped(None, HANGS)
    with pytest.raises(DeadlineExceededError):
        async for _ in found.port.list():
            pass
    assert found.backend.closed == 1


async def test_leaving_a_listing_early_closes_the_backends() -> None:
    """Its connection is given back at once."""
    found = wrapped()
    listing = found.port.list()
    await anext(listing)
    await listing.aclose()
    assert found.backend.closed == 1


async def test_opening_is_tried_again_and_closed_once() -> None:
    """What is opened keeps its attributes."""
    found = wrapped(DOWN)
    async with found.port.open() as reader:
        assert reader.info == "about it"
        assert [number async for number in reader] == [0, 1, 2]
    assert found.backend.closed == 1
    assert found.outcomes() == [("open", "ok", 2)]


async def test_an_open_stream_that_stalls_is_cut_and_left() -> None:
    """The caller's own time between the pieces does not count."""
    found = wrapped(None, None, HANGS)

    async def read() -> None:
        async with found.port.open() as reader:
            async for _ in reader:
                await asyncio.sleep(0.1)

    with pytest.raises(DeadlineExceededError):
        await read()
    assert found.backend.closed == 1


async def test_an_error_of_the_caller_within_what_it_opened_reaches_the_backend() -> None:
    """So that it can clean up; and the caller."""
    found = wrapped()
    with pytest.raises(KeyError):
        async with found.port.open():
            raise KeyError
    assert found.backend.closed == 1


async def test_a_subscription_may_be_silent_for_long() -> None:
    """It has a deadline for its beginning only."""
    found = wrapped(None, None, HANGS)
    async with found.port.subscribe() as signals:
        reading = aiter(signals)
        assert await anext(reading) == 0
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(reading), 0.2)
