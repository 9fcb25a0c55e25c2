"""Vectors of queries are remembered, bounded, and never mixed up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from faultmaven_adapters.embedding.cached import CachedQueries
from faultmaven_adapters.embedding.hashing import HashingEmbedder
from faultmaven_core.ports.embedding import Purpose
from faultmaven_core.ports.vectors import Embedding
from faultmaven_core.shared.errors import BackendUnavailableError, ConflictError, MisconfiguredError


class Counting(HashingEmbedder):
    """Notes what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[str]] = []
        self.down = False

    async def embed(self, texts: Sequence[str], purpose: Purpose = Purpose.DOCUMENT) -> Sequence[Embedding]:
        self.asked.append(list(texts))
        if self.down:
            raise BackendUnavailableError("It is down.")
        return await super().embed(texts, purpose)


async def test_a_query_is_computed_once() -> None:
    """Also twice in one call; other texts beside it are."""
    inner = Counting()
    cached = CachedQueries(inner)
    (first,) = await cached.embed(["a"], Purpose.QUERY)
    second = await cached.embed(["b", "a", "b"], Purpose.QUERY)
    assert inner.asked == [["a"], ["b"]]
    assert second == [*await HashingEmbedder().embed(["b"]), first, *await HashingEmbedder().embed(["b"])]


async def test_documents_are_not_kept() -> None:
    """They come once, and would drive out what comes again."""
    inner = Counting()
    cached = CachedQueries(inner)
    await cached.embed(["a"])
    await cached.embed(["a"])
    await cached.embed(["a"], Purpose.QUERY)
    assert inner.asked == [["a"], ["a"], ["a"]]


async def test_what_was_asked_longest_ago_is_forgotten() -> None:
    """Asking again keeps it; a call with more than fits is answered all the same."""
    inner = Counting()
    cached = CachedQueries(inner, most=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        await cached.embed([text], Purpose.QUERY)
    assert inner.asked == [["a"], ["b"], ["c"], ["b"]]
    assert len(await cached.embed(["d", "e", "f", "d"], Purpose.QUERY)) == 4


async def test_a_failure_is_not_remembered() -> None:
    """And what is known is answered while the embedder is down."""
    inner = Counting()
    cached = CachedQueries(inner)
    (known,) = await cached.embed(["known"], Purpose.QUERY)
    inner.down = True
    with pytest.raises(BackendUnavailableError):
        await cached.embed(["known", "new"], Purpose.QUERY)
    assert await cached.embed(["known"], Purpose.QUERY) == [known]
    inner.down = False
    assert len(await cached.embed(["new"], Purpose.QUERY)) == 1


async def test_nothing_is_known_after_the_end() -> None:
    """As of every closed embedder."""
    cached = CachedQueries(HashingEmbedder())
    await cached.embed(["a"], Purpose.QUERY)
    await cached.aclose()
    with pytest.raises(ConflictError):
        await cached.embed(["a"], Purpose.QUERY)


async def test_what_was_answered_during_the_end_is_not_kept_beyond_it() -> None:
    """A call that was under way when it was closed ends, and the next one is refused all the same."""
    begun, may_go_on = asyncio.Event(), asyncio.Event()

    class Slow(HashingEmbedder):
        async def embed(self, texts: Sequence[str], purpose: Purpose = Purpose.DOCUMENT) -> Sequence[Embedding]:
            found = await super().embed(texts, purpose)
            begun.set()
            await may_go_on.wait()
            return found

    cached = CachedQueries(Slow())
    asking = asyncio.create_task(cached.embed(["a"], Purpose.QUERY))
    await begun.wait()
    await cached.aclose()
    may_go_on.set()
    assert len(await asking) == 1
    for texts in (["a"], []):
        with pytest.raises(ConflictError):
            await cached.embed(texts, Purpose.QUERY)


async def test_hashing_is_the_same_on_every_machine() -> None:
    """Places come from the text alone, never from this process; the figures were computed once."""
    (found,) = await HashingEmbedder(16).embed(["OOMKilled: exit code 137"])
    assert [round(value, 3) for value in found.values] == EXPECTED
    (accented,) = await HashingEmbedder(16).embed(["oomkilled; ÉXIT code  137"])
    assert accented == found


def test_hashing_needs_room() -> None:
    """With a handful of places everything is alike."""
    with pytest.raises(MisconfiguredError):
        HashingEmbedder(4)


EXPECTED = [0.327, 0.245, 0.245, 0.0, 0.163, 0.245, 0.0, 0.163, 0.327, 0.0, 0.572, 0.245, 0.0, 0.0, 0.408, 0.0]
