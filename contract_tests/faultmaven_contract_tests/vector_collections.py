"""What every vector store promises about collections, and about itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.vector_samples import (
    EAST,
    SPEC,
    counted,
    fresh_scope,
    fresh_spec,
    ids,
    record,
    scanned,
)
from faultmaven_core.ports.vector_fields import FieldType
from faultmaven_core.ports.vector_filters import Eq
from faultmaven_core.ports.vectors import (
    CollectionMismatchError,
    CollectionMissingError,
    CollectionSpec,
    Embedding,
    Metric,
    Scope,
    VectorStore,
)
from faultmaven_core.shared.errors import ConflictError

QUERY = Embedding.of(EAST)

CALLS: dict[str, Callable[[VectorStore, Scope], Awaitable[object]]] = {
    "upsert": lambda store, scope: store.upsert(scope, [record("a", amount=1)]),
    "delete": lambda store, scope: store.delete(scope, ids("b")),
    "delete_matching": lambda store, scope: store.delete_matching(scope, Eq("amount", 2)),
    "delete_organization": lambda store, scope: store.delete_organization(scope),
    "search": lambda store, scope: store.search(scope, QUERY, limit=1),
    "get": lambda store, scope: store.get(scope, ids("a")),
    "count": lambda store, scope: store.count(scope),
    "scan": scanned,
}
"""Every method that reads or writes in a scope."""


class VectorCollectionContract(Contract):
    """A binding gives the fixture `subject`, a store."""

    @pytest.fixture
    async def scope(self, subject: VectorStore) -> Scope:
        """An organization with nothing in the collection."""
        await subject.ensure(SPEC)
        return fresh_scope()

    @pytest.fixture
    async def spare(self, subject: VectorStore) -> AsyncIterator[CollectionSpec]:
        """A collection of the test's own, not made yet, and removed at its end."""
        spec = fresh_spec()
        yield spec
        await subject.drop(spec.name)

    async def test_a_collection_that_nobody_made(self, subject: VectorStore, spare: CollectionSpec) -> None:
        """Clause 21: is said by every method, also of one that was dropped."""
        scope = fresh_scope(spare)
        for call in CALLS.values():
            with pytest.raises(CollectionMissingError):
                await call(subject, scope)
        await subject.ensure(spare)
        for call in CALLS.values():
            await call(subject, scope)
        await subject.drop(spare.name)
        for call in CALLS.values():
            with pytest.raises(CollectionMissingError):
                await call(subject, scope)

    async def test_what_a_collection_holds_is_told(self, subject: VectorStore, spare: CollectionSpec) -> None:
        """As it was made, while it is there."""
        assert await subject.describe(spare.name) is None
        await subject.ensure(spare)
        assert await subject.describe(spare.name) == spare
        await subject.drop(spare.name)
        assert await subject.describe(spare.name) is None

    async def test_ensuring_twice_keeps_what_is_there(self, subject: VectorStore, spare: CollectionSpec) -> None:
        """Clause 22: also by two at once."""
        await asyncio.gather(subject.ensure(spare), subject.ensure(spare))
        scope = fresh_scope(spare)
        token = await subject.upsert(scope, [record("a")])
        await subject.ensure(spare)
        assert set(await subject.get(scope, ids("a"), after=token)) == {"a"}

    async def test_ensuring_what_is_there_in_another_form(self, subject: VectorStore, spare: CollectionSpec) -> None:
        """Clause 22: is refused, and changes nothing."""
        await subject.ensure(spare)
        others: list[dict[str, Any]] = [
            {"dimension": 5},
            {"metric": Metric.DOT},
            {"embedding": "model-two"},
            {"fields": {**spare.fields, "more": FieldType.STRING}},
            {"fields": {name: kind for name, kind in spare.fields.items() if name != "tags"}},
            {"fields": {**spare.fields, "amount": FieldType.NUMBER}},
        ]
        for other in others:
            with pytest.raises(CollectionMismatchError, match=spare.name):
                await subject.ensure(replace(spare, **other))
        await subject.ensure(replace(spare, fields=dict(reversed(list(spare.fields.items())))))
        await subject.upsert(fresh_scope(spare), [record("a", tags=("x",))])

    async def test_dropping_removes_everything(self, subject: VectorStore, spare: CollectionSpec) -> None:
        """Twice is no error; the name is free for another kind of collection."""
        await subject.ensure(spare)
        scope = fresh_scope(spare)
        await subject.upsert(scope, [record("a")])
        await subject.drop(spare.name)
        await subject.drop(spare.name)
        await subject.ensure(replace(spare, dimension=2, embedding="model-two"))
        await counted(subject, lambda: subject.count(scope), 0)
        token = await subject.upsert(scope, [record("b", (1, 1))])
        assert [match.id for match in await subject.search(scope, Embedding.of((1, 1)), limit=9, after=token)] == ["b"]

    async def test_a_closed_store_says_so(self, subject: VectorStore, scope: Scope) -> None:
        """By every method; closing twice is no error."""
        await subject.aclose()
        await subject.aclose()
        others: list[Callable[[], Awaitable[object]]] = [
            lambda: subject.ensure(SPEC),
            lambda: subject.drop(SPEC.name),
            lambda: subject.describe(SPEC.name),
            subject.ping,
            subject.inspect,
        ]
        for call in [*(lambda call=call: call(subject, scope) for call in CALLS.values()), *others]:
            with pytest.raises(ConflictError):
                await call()

    async def test_a_sign_of_life(self, subject: VectorStore) -> None:
        """And what it is."""
        await subject.ping()
        assert (await subject.inspect()).product
