"""What every vector store promises about organizations: each has all of its own, and nothing else is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from faultmaven_contract_tests.harness import Contract
from faultmaven_contract_tests.vector_samples import EAST, SPEC, WEST, counted, fresh_scope, ids, record, scanned
from faultmaven_core.ports.vector_filters import Eq, Exists, Ne
from faultmaven_core.ports.vectors import Embedding, Scope, VectorId, VectorStore
from faultmaven_core.shared.ids import OrganizationId

QUERY = Embedding.of(EAST)
NAMES = ("a", "b", "c")

DELETING: dict[str, Callable[[VectorStore, Scope], Awaitable[object]]] = {
    "by_id": lambda store, scope: store.delete(scope, ids(*NAMES, "d")),
    "by_filter": lambda store, scope: store.delete_matching(scope, Exists("title")),
    "all": lambda store, scope: store.delete_organization(scope),
}


class VectorTenancyContract(Contract):
    """A binding gives the fixture `subject`, a store."""

    @pytest.fixture
    async def scope(self, subject: VectorStore) -> Scope:
        """An organization with three records, the third unlike the query."""
        await subject.ensure(SPEC)
        scope = fresh_scope()
        await subject.upsert(scope, [record(name, EAST if name != "c" else WEST, title="ours") for name in NAMES])
        return scope

    @pytest.fixture
    async def foreign(self, subject: VectorStore, scope: Scope) -> Scope:
        """Another one, with records under the same ids and one more."""
        foreign = fresh_scope()
        await subject.upsert(foreign, [record(name, EAST, title="theirs", amount=1) for name in (*NAMES, "d")])
        return foreign

    async def test_everybody_finds_all_of_their_own_and_nothing_else(
        self, subject: VectorStore, scope: Scope, foreign: Scope
    ) -> None:
        """Clause 18: by every way to read, though the ids are the same and the other's records are more like the query."""
        for where, names, title in ((scope, NAMES, "ours"), (foreign, (*NAMES, "d"), "theirs")):
            token = await subject.upsert(where, [record("a", EAST, title=title)])
            found = await subject.search(where, QUERY, limit=1000, after=token)
            assert sorted(match.id for match in found) == list(names)
            assert {match.fields["title"] for match in found} == {title}
            told = await subject.get(where, ids(*NAMES, "d"), after=token)
            assert sorted(told) == list(names)
            assert {row.fields["title"] for row in told.values()} == {title}
            await counted(subject, partial(scanned, subject, where), ids(*names))
            await counted(subject, partial(subject.count, where), len(names))

    async def test_a_filter_does_not_reach_over(self, subject: VectorStore, scope: Scope, foreign: Scope) -> None:
        """Clause 18: not even one that only the other's records meet, or that all but few meet."""
        token = await subject.upsert(scope, [record("e", EAST)])
        assert list(await subject.search(scope, QUERY, limit=9, where=Eq("title", "theirs"), after=token)) == []
        assert await subject.count(scope, Eq("title", "theirs")) == 0
        await counted(subject, partial(subject.count, scope, Ne("title", "theirs")), 4)
        token = await subject.delete_matching(scope, Eq("title", "theirs"))
        await subject.search(scope, QUERY, limit=9, after=token)
        await counted(subject, lambda: subject.count(foreign, Eq("title", "theirs")), 4)

    async def test_writing_leaves_the_others_records(self, subject: VectorStore, scope: Scope, foreign: Scope) -> None:
        """Clause 18: an id is one's own."""
        before = await subject.upsert(foreign, [record("d", EAST, title="theirs", amount=1)])
        token = await subject.upsert(scope, [record(name, WEST, amount=7) for name in (*NAMES, "d", "e")])
        assert set(await subject.get(scope, ids(*NAMES, "d", "e"), after=token)) == {*NAMES, "d", "e"}
        told = await subject.get(foreign, ids(*NAMES, "d", "e"), after=before)
        assert set(told) == {*NAMES, "d"}
        assert all(row.fields == {"title": "theirs", "amount": 1} for row in told.values())
        found = await subject.search(foreign, QUERY, limit=9, after=before)
        assert [round(match.score, 4) for match in found] == [1, 1, 1, 1]

    @pytest.mark.parametrize("way", DELETING)
    async def test_deleting_leaves_the_others_records(
        self, subject: VectorStore, scope: Scope, foreign: Scope, way: str
    ) -> None:
        """Clauses 18 and 19: whichever way, and also in another collection of one's own."""
        await DELETING[way](subject, scope)
        token = await subject.upsert(scope, [record("new")])
        assert [match.id for match in await subject.search(scope, QUERY, limit=9, after=token)] == ["new"]
        token = await subject.upsert(foreign, [record("new", title="theirs", amount=1)])
        found = await subject.search(foreign, QUERY, limit=9, after=token)
        assert [match.id for match in found] == ["a", "b", "c", "d", "new"]
        await counted(subject, lambda: subject.count(foreign), 5)

    async def test_deleting_all_of_an_organization_that_has_nothing(self, subject: VectorStore, foreign: Scope) -> None:
        """Clause 19: is no error, and may be done twice."""
        nobody = fresh_scope()
        await subject.delete_organization(nobody)
        await subject.delete_organization(nobody)
        await counted(subject, lambda: subject.count(nobody), 0)
        await counted(subject, lambda: subject.count(foreign), 4)

    async def test_names_of_organizations_are_kept_apart(self, subject: VectorStore, scope: Scope) -> None:
        """Though one begins like the other, or differs in a dot or in the case of a letter."""
        base = scope.organization
        similar = [
            base,
            f"{base}.",
            f"{base}-",
            f"{base}_",
            f"{base}x",
            base.upper(),
            base[:-1],
            base.replace("-", "."),
        ]
        scopes = [Scope(SPEC.name, OrganizationId(name)) for name in similar]
        for number, where in enumerate(scopes):
            await subject.upsert(where, [record("mine", amount=number)])
        for number, where in enumerate(scopes):
            token = await subject.upsert(where, [record("other", amount=number)])
            found = await subject.search(where, QUERY, limit=9, where=Exists("amount"), after=token)
            assert [(match.id, match.fields["amount"]) for match in found] == [("mine", number), ("other", number)]

    async def test_the_longest_name_of_an_organization(self, subject: VectorStore, scope: Scope) -> None:
        """Two that differ in their last letter only."""
        start = f"{scope.organization}{'x' * 100}"[:127]
        for end in "ab":
            where = Scope(SPEC.name, OrganizationId(start + end))
            token = await subject.upsert(where, [record(end)])
            assert set(await subject.get(where, ids("a", "b"), after=token)) == {VectorId(end)}
