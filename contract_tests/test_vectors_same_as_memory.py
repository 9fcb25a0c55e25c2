"""Every vector store, driven by the same random steps, answers what the one in memory does: filters, matches, counts, errors."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from faultmaven_contract_tests.servers import needed_by
from faultmaven_contract_tests.vector_samples import FIELDS, PATIENCE, SPEC, fresh_scope
from faultmaven_core.ports.vector_fields import FieldType, FieldValue
from faultmaven_core.ports.vector_filters import (
    And,
    Eq,
    Exists,
    Filter,
    Gt,
    Gte,
    Has,
    In,
    Lt,
    Lte,
    Ne,
    Not,
    NotIn,
    Or,
)
from faultmaven_core.ports.vectors import (
    Embedding,
    Scope,
    VectorCapability,
    VectorId,
    VectorRecord,
    VectorStore,
    WriteToken,
)
from faultmaven_core.shared.errors import FaultMavenError
from test_vectors import OPENERS

VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.STRING: st.sampled_from(["", "a", "A", "b", "\u00e9", "a'b", '"', "\\", "1", "\U0001f9ea"]),
    FieldType.INTEGER: st.integers(-2, 2) | st.sampled_from([2**53 - 1, -(2**53) + 1]),
    FieldType.NUMBER: st.sampled_from([0.0, -0.0, 0.1, -0.1, 1.0, 1e300, -1e300, 5e-324, 2]),
    FieldType.BOOLEAN: st.booleans(),
}
"""Few, so that filters often meet records."""
TEXTS = VALUES[FieldType.STRING]
RECORD_FIELDS: st.SearchStrategy[Mapping[str, FieldValue]] = st.fixed_dictionaries(
    {},
    optional={
        name: VALUES.get(kind, st.lists(TEXTS, min_size=1, max_size=3).map(tuple)) for name, kind in FIELDS.items()
    },
)
NAMES = st.sampled_from([VectorId(name) for name in "abcdefgh"])
# Four directions and what lies between them: scores that are equal, and such that are clearly not.
VECTORS = st.tuples(*[st.integers(-2, 2)] * 4).filter(any).map(Embedding.of)


def leaves() -> st.SearchStrategy[Filter]:
    """Every kind of leaf that all backends answer, on every field."""
    found: list[st.SearchStrategy[Filter]] = [
        st.builds(Exists, st.sampled_from(sorted(FIELDS))),
        st.builds(Has, st.just("tags"), TEXTS),
    ]
    for name, kind in FIELDS.items():
        if kind is FieldType.STRINGS:
            continue
        field, value = st.just(name), VALUES[kind]
        several = st.lists(value, max_size=3).map(tuple)
        found += [
            st.builds(Eq, field, value),
            st.builds(Ne, field, value),
            st.builds(In, field, several),
            st.builds(NotIn, field, several),
        ]
        if kind in {FieldType.INTEGER, FieldType.NUMBER}:
            found += [st.builds(order, field, value) for order in (Gt, Gte, Lt, Lte)]
    return st.one_of(found)


FILTERS: st.SearchStrategy[Filter] = st.recursive(
    leaves(),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: And(*parts))
        | st.lists(inner, max_size=3).map(lambda parts: Or(*parts))
        | inner.map(Not)
    ),
    max_leaves=6,
)


class SameAnswers(RuleBasedStateMachine):
    """Each rule is one call on the backend and on the memory; what they answer is compared at once."""

    def __init__(self, backend: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.folder = Path(tempfile.mkdtemp())
        self.scopes = [fresh_scope(), fresh_scope()]
        self.memory, self.store = (
            self.runner.run(self.stack.enter_async_context(OPENERS[name](self.folder))) for name in ("memory", backend)
        )
        self.tokens: dict[tuple[VectorStore, Scope], WriteToken] = {}

    @initialize()
    def ensure(self) -> None:
        """The collection is there."""
        self.same(lambda store: store.ensure(SPEC))

    def teardown(self) -> None:
        """Everything is closed, whatever the steps found."""
        self.runner.run(self.stack.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)

    def same(self, call: Callable[[VectorStore], Awaitable[Any]], *, lags: bool = False) -> None:
        """Both answers must be one: a value, or the class of an error. What may lag gets time."""

        async def once(store: VectorStore) -> Any:
            try:
                return await call(store)
            except FaultMavenError as error:
                return type(error)

        async def both() -> tuple[Any, Any]:
            expected, found = await once(self.memory), await once(self.store)
            end = asyncio.get_running_loop().time() + PATIENCE
            while lags and found != expected and asyncio.get_running_loop().time() < end:
                await asyncio.sleep(0.01)
                found = await once(self.store)
            return expected, found

        expected, found = self.runner.run(both())
        assert found == expected

    def write(self, scope: Scope, call: Callable[[VectorStore], Awaitable[WriteToken]]) -> None:
        """A write whose token later reads use."""

        async def written(store: VectorStore) -> None:
            token = await call(store)
            # Of nothing there is no token, and the one before still counts.
            self.tokens[store, scope] = token or self.tokens.get((store, scope), token)

        self.same(written)

    @rule(number=st.integers(0, 1), rows=st.lists(st.tuples(NAMES, VECTORS, RECORD_FIELDS), max_size=5))
    def upsert(self, number: int, rows: list[tuple[VectorId, Embedding, Mapping[str, FieldValue]]]) -> None:
        """Perhaps nothing, perhaps an id twice."""
        scope = self.scopes[number]
        self.write(scope, lambda store: store.upsert(scope, [VectorRecord(*row) for row in rows]))

    @rule(number=st.integers(0, 1), names=st.lists(NAMES, max_size=3))
    def delete(self, number: int, names: list[VectorId]) -> None:
        """There or not."""
        scope = self.scopes[number]
        self.write(scope, lambda store: store.delete(scope, names))

    @rule(number=st.integers(0, 1), where=FILTERS)
    def delete_matching(self, number: int, where: Filter) -> None:
        """Some, none, or refused because it would be all."""
        scope = self.scopes[number]
        self.write(scope, lambda store: store.delete_matching(scope, where))

    @rule(number=st.integers(0, 1))
    def delete_organization(self, number: int) -> None:
        """The other one keeps all."""
        scope = self.scopes[number]
        self.write(scope, lambda store: store.delete_organization(scope))

    @rule(
        number=st.integers(0, 1), query=VECTORS, where=st.none() | FILTERS, least=st.sampled_from([None, 0.123, -0.777])
    )
    def search(self, number: int, query: Embedding, where: Filter | None, least: float | None) -> None:
        """All that meet the filter."""

        async def call(store: VectorStore) -> Any:
            scope = self.scopes[number]
            after = self.tokens.get((store, scope))
            found = await store.search(scope, query, limit=50, where=where, min_score=least, after=after)
            return sorted((match.id, round(match.score, 4), dict(match.fields)) for match in found)

        self.same(call)

    @rule(number=st.integers(0, 1), query=VECTORS, limit=st.integers(0, 4))
    def best(self, number: int, query: Embedding, limit: int) -> None:
        """The best scores; which of equal ones is the last is the backend's."""

        async def call(store: VectorStore) -> Any:
            scope = self.scopes[number]
            found = await store.search(scope, query, limit=limit, after=self.tokens.get((store, scope)))
            return [round(match.score, 4) for match in found]

        self.same(call)

    @rule(number=st.integers(0, 1), names=st.lists(NAMES, max_size=4))
    def get(self, number: int, names: list[VectorId]) -> None:
        """Whole records."""

        async def call(store: VectorStore) -> Any:
            scope = self.scopes[number]
            found = await store.get(scope, names, after=self.tokens.get((store, scope)))
            return {name: ([round(value, 5) for value in row.vector.values], row.fields) for name, row in found.items()}

        self.same(call)

    @rule(number=st.integers(0, 1), where=st.none() | FILTERS)
    def count(self, number: int, where: Filter | None) -> None:
        """With a filter or without."""
        lags = VectorCapability.EXACT_COUNT not in self.store.capabilities
        self.same(lambda store: store.count(self.scopes[number], where), lags=lags)

    @rule(number=st.integers(0, 1), size=st.integers(1, 4))
    def scan(self, number: int, size: int) -> None:
        """All ids."""

        async def call(store: VectorStore) -> Any:
            return sorted([found async for found in store.scan(self.scopes[number], page_size=size)])

        self.same(call, lags=VectorCapability.IMMEDIATE_READS not in self.store.capabilities)


EXAMPLES = {"sqlite": 25, "resilient": 25, "milvus": 4, "milvus_lite": 3}
"""Runs of twenty steps; what is quick is tried more often."""


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param(name, marks=[pytest.mark.servers(*needed_by(opener))] if needed_by(opener) else [])
        for name, opener in OPENERS.items()
        if name not in {"memory", "pinecone_live"}
    ],
)
def test_it_answers_as_memory_does(backend: str) -> None:
    """Whatever the steps."""
    run_state_machine_as_test(
        lambda: SameAnswers(backend),  # type: ignore[arg-type]  # it is called, and nothing else
        settings=settings(
            max_examples=EXAMPLES.get(backend, 6),
            stateful_step_count=20,
            suppress_health_check=list(HealthCheck),
        ),
    )
