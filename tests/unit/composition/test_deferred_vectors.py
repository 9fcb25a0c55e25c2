"""The vector store of a program that may never use one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest

from faultmaven.composition.deferred_vectors import DeferredVectorStore
from faultmaven_adapters.vectors.memory import MemoryVectorStore
from faultmaven_core.ports.vectors import (
    CollectionName,
    CollectionSpec,
    Embedding,
    Metric,
    Scope,
    VectorId,
    VectorRecord,
    VectorStore,
)
from faultmaven_core.shared.errors import ConflictError
from faultmaven_core.shared.ids import OrganizationId

SPEC = CollectionSpec(CollectionName("things"), 2, Metric.COSINE, {}, "model")
SCOPE = Scope(SPEC.name, OrganizationId("acme"))


class Maker:
    """Counts what it makes."""

    def __init__(self) -> None:
        self.made: list[VectorStore] = []

    def __call__(self) -> VectorStore:
        """One more."""
        self.made.append(MemoryVectorStore())
        return self.made[-1]


async def test_it_is_built_once_and_only_when_it_is_used() -> None:
    """Also by many at the same time; then it does everything that the store does."""
    make = Maker()
    store = DeferredVectorStore(make)
    assert make.made == []
    await asyncio.gather(*(store.ensure(SPEC) for _ in range(5)))
    (made,) = make.made
    assert store.capabilities == made.capabilities
    east, north = Embedding.of([1, 0]), Embedding.of([0, 1])
    records = [VectorRecord(VectorId(name), vector, {}) for name, vector in (("e", east), ("n", north))]
    token = await store.upsert(SCOPE, records)
    assert [match.id for match in await store.search(SCOPE, east, limit=1, after=token)] == ["e"]
    assert set(await store.get(SCOPE, [VectorId("n")], after=token)) == {"n"}
    assert await store.count(SCOPE) == 2
    assert sorted([vector_id async for vector_id in store.scan(SCOPE)]) == ["e", "n"]
    await store.delete(SCOPE, [VectorId("e")])
    await store.delete_organization(SCOPE)
    assert await store.describe(SPEC.name) == SPEC
    await store.drop(SPEC.name)
    assert await store.describe(SPEC.name) is None
    await store.ping()
    assert (await store.inspect()).product == "memory"
    await store.aclose()
    with pytest.raises(ConflictError):
        await made.ping()


async def test_closing_what_was_never_used_builds_nothing() -> None:
    """And it stays closed."""
    make = Maker()
    store = DeferredVectorStore(make)
    await store.aclose()
    await store.aclose()
    with pytest.raises(ConflictError, match="closed"):
        await store.ping()
    with pytest.raises(ConflictError, match="closed"):
        store.capabilities  # noqa: B018 - asking is what is refused
    assert make.made == []


async def test_closing_while_it_is_being_built_closes_what_comes_of_it() -> None:
    """Nobody else would."""
    begun, may_go_on = threading.Event(), threading.Event()
    make = Maker()

    def slowly() -> VectorStore:
        begun.set()
        may_go_on.wait(30)
        return make()

    store = DeferredVectorStore(slowly)
    using = asyncio.create_task(store.ping())
    await asyncio.to_thread(begun.wait, 30)
    closing = asyncio.create_task(store.aclose())
    await asyncio.sleep(0)
    may_go_on.set()
    await asyncio.gather(using, closing, return_exceptions=True)
    with pytest.raises(ConflictError):
        await make.made[0].ping()


async def test_what_it_can_do_may_be_asked_while_it_is_being_built() -> None:
    """Once for all: what is built twice is closed once."""
    begun, may_go_on = threading.Event(), threading.Event()
    make = Maker()

    def slowly() -> VectorStore:
        begun.set()
        may_go_on.wait(30)
        return make()

    store = DeferredVectorStore(slowly)
    using = asyncio.create_task(store.ping())
    await asyncio.to_thread(begun.wait, 30)
    asking = asyncio.create_task(asyncio.to_thread(lambda: store.capabilities))
    await asyncio.sleep(0.05)
    may_go_on.set()
    await asyncio.gather(using, asking)
    assert len(make.made) == 1
    await store.aclose()


async def test_who_stops_reading_early_ends_the_reading() -> None:
    """The store's own scan may hold a connection; it is let go when the caller lets go of this one."""
    ended = asyncio.Event()

    class Noticing(MemoryVectorStore):
        async def scan(self, scope: Scope, *, page_size: int = 100) -> AsyncIterator[VectorId]:
            try:
                async for vector_id in super().scan(scope, page_size=page_size):
                    yield vector_id
            finally:
                ended.set()

    store = DeferredVectorStore(Noticing)
    await store.ensure(SPEC)
    await store.upsert(SCOPE, [VectorRecord(VectorId(name), Embedding.of([1, 0]), {}) for name in "abc"])
    ids = store.scan(SCOPE)
    assert isinstance(ids, AsyncGenerator)
    async with aclosing(ids):
        await anext(ids)
        assert not ended.is_set()
    assert ended.is_set()
    await store.aclose()
