"""What vector stores promise that keep their vectors in a place of their own: they last, and processes share them or are refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pytest

from faultmaven_contract_tests.harness import Contract, requires
from faultmaven_contract_tests.vector_samples import EAST, NORTH, SPEC, WEST, fresh_scope, fresh_spec, ids, record
from faultmaven_core.ports.vector_fields import FieldType
from faultmaven_core.ports.vector_filters import Eq
from faultmaven_core.ports.vectors import Embedding, VectorCapability, VectorId, VectorRecord, VectorStore
from faultmaven_core.shared.errors import InvalidInputError

QUERY = Embedding.of(EAST)


class Elsewhere(Protocol):
    """A store in another process, at the same place."""

    async def __call__(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """What the store's method gives or raises there."""


@dataclass(frozen=True, slots=True)
class VectorPlace:
    """Where vectors are: `opened` gives one more store there, `elsewhere` is one in another process."""

    opened: Callable[[], VectorStore]
    elsewhere: Elsewhere


class VectorPlaceContract(Contract):
    """A binding gives the fixture `place`, with nothing in it, and `subject`, a store there."""

    async def test_a_store_that_is_opened_again_has_all_that_was_written(
        self, place: VectorPlace, subject: VectorStore
    ) -> None:
        """Clause 26: collections, vectors and fields, and nothing that was deleted."""
        await subject.ensure(SPEC)
        scope, other = fresh_scope(), fresh_scope()
        await subject.upsert(scope, [record("a", EAST, title="a", amount=1), record("b", WEST, tags=("x", "y"))])
        await subject.upsert(scope, [record("gone")])
        await subject.upsert(other, [record("a", title="theirs")])
        await subject.delete(scope, ids("gone"))
        token = await subject.upsert(scope, [record("b", WEST, weight=0.5)])
        await subject.aclose()
        again = place.opened()
        try:
            assert await again.describe(SPEC.name) == SPEC
            found = await again.search(scope, QUERY, limit=9, after=token)
            assert [(match.id, round(match.score, 4)) for match in found] == [("a", 1), ("b", -1)]
            assert [dict(match.fields) for match in found] == [{"title": "a", "amount": 1}, {"weight": 0.5}]
            assert await again.search(scope, QUERY, limit=9, where=Eq("title", "theirs"), after=token) == []
            await again.delete_organization(scope)
            await again.delete_organization(other)
        finally:
            await again.aclose()

    @requires(VectorCapability.MULTI_PROCESS)
    async def test_another_process_finds_what_this_one_writes(self, place: VectorPlace, subject: VectorStore) -> None:
        """Clause 27: every time, both ways, also where it searched before.

        Where that cannot be it is refused at once, and who came first is served on: whoever is refused has broken nothing.
        """
        elsewhere = place.elsewhere
        await subject.ensure(SPEC)
        scope = fresh_scope()

        async def there(after: object, limit: int = 9) -> list[tuple[VectorId, float]]:
            found = await elsewhere("search", scope, QUERY, limit=limit, after=after)
            return [(match.id, round(match.score, 4)) for match in found]

        token = await subject.upsert(scope, [record("a"), record("b", WEST)])
        try:
            await elsewhere("ping")
        finally:
            found = await subject.search(scope, QUERY, limit=9, after=token)
            assert [match.id for match in found] == ["a", "b"]
        assert await there(token) == [("a", 1), ("b", -1)]
        token = await subject.upsert(scope, [record("c"), record("b", EAST)])
        assert await there(token) == [("a", 1), ("b", 1), ("c", 1)]
        token = await subject.delete(scope, ids("a"))
        assert await there(token) == [("b", 1), ("c", 1)]
        # What is gone takes no place of what is there.
        await subject.upsert(scope, [record(f"less{number}", NORTH) for number in range(2)])
        token = await subject.delete(scope, ids("b", "c"))
        assert await there(token, limit=2) == [("less0", 0), ("less1", 0)]
        token = await subject.upsert(scope, [record("b"), record("c")])
        assert await there(token, limit=2) == [("b", 1), ("c", 1)]
        token = await subject.delete(scope, ids("less0", "less1"))
        token = await elsewhere("upsert", scope, [record("d", NORTH)])
        assert set(await subject.get(scope, ids("b", "c", "d"), after=token)) == {"b", "c", "d"}
        found = await subject.search(scope, QUERY, limit=9, after=token)
        assert [match.id for match in found] == ["b", "c", "d"]
        token = await elsewhere("delete", scope, ids("b", "c"))
        found = await subject.search(scope, QUERY, limit=1, after=token)
        assert [match.id for match in found] == ["d"]
        await elsewhere("delete_organization", scope)
        token = await subject.upsert(scope, [record("last")])
        assert [match.id for match in await subject.search(scope, QUERY, limit=9, after=token)] == ["last"]

        await asyncio.gather(
            *(subject.upsert(scope, [record(f"here{number}")]) for number in range(20)),
            *(elsewhere("upsert", scope, [record(f"there{number}")]) for number in range(20)),
        )
        token = await subject.upsert(scope, [record("end")])
        assert len(await subject.search(scope, QUERY, limit=99, after=token)) == 42

    @requires(VectorCapability.MULTI_PROCESS)
    async def test_what_another_process_made_anew_is_written_as_it_is_now(
        self, place: VectorPlace, subject: VectorStore
    ) -> None:
        """A collection that this process knew with other vectors and fields: nothing goes in by the old specification."""
        old = fresh_spec()
        new = replace(old, dimension=3, fields={"place": FieldType.STRING}, embedding="another model")
        scope = fresh_scope(old)
        await subject.ensure(old)
        await subject.upsert(scope, [record("old", EAST, title="a")])
        try:
            await place.elsewhere("drop", old.name)
            await place.elsewhere("ensure", new)
            with pytest.raises(InvalidInputError):
                await subject.upsert(scope, [record("old", EAST, title="a")])
            fitting = VectorRecord(VectorId("new"), Embedding.of([1, 2, 3]), {"place": "here"})
            token = await subject.upsert(scope, [fitting])
            assert await place.elsewhere("get", scope, ids("old", "new"), after=token) == {"new": fitting}
        finally:
            await subject.drop(old.name)
