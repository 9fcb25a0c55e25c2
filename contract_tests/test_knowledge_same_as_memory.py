"""SQLite, PostgreSQL and memory, driven by the same random steps, find the same documents, chunks and words."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from faultmaven_contract_tests.knowledge_repositories import HERS, PAYMENTS
from faultmaven_contract_tests.samples import ACME, EVERYBODY, OTHER, Storage, document
from faultmaven_core.knowledge.chunking import cut
from faultmaven_core.knowledge.headings import markdown_headings
from faultmaven_core.knowledge.model import DocumentState, Status
from faultmaven_core.knowledge.ports import DocumentQuery, KnowledgeUnitOfWork
from faultmaven_core.knowledge.tokens import terms
from faultmaven_core.shared.errors import FaultMavenError
from storages import OPENERS

pytestmark = pytest.mark.servers("postgres")

NUMBERS = st.integers(1, 3)
ORGANIZATIONS = st.sampled_from([ACME, OTHER])
SCOPES = st.sampled_from([EVERYBODY, PAYMENTS, HERS])
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60) | st.lists(
    st.sampled_from(
        ["dns", "Pods", "KubePodCrashLooping", "node_load15", "Größe", "\u2102", "時刻表", "# Fix\n", "\n", "ORA-01555"]
    ),
    max_size=30,
).map(" ".join)
"""Whatever files hold, and words that meet each other."""


class SameFindings(RuleBasedStateMachine):
    """Each rule is one unit of work on each; what they answer is compared at once."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.folder = Path(tempfile.mkdtemp())
        self.storages: list[Storage] = [
            self.runner.run(self.stack.enter_async_context(OPENERS[name](self.folder)))
            for name in ("memory", "sqlite", "postgres")
        ]
        self.asked = ["dns"]

    def teardown(self) -> None:
        """Everything is closed, whatever the steps found."""
        self.runner.run(self.stack.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)

    def everywhere(self, organization: Any, work: Callable[[KnowledgeUnitOfWork], Awaitable[Any]]) -> Any:
        """The answer of all, which must be one: a value, or the class of an error."""

        async def once(storage: Storage) -> Any:
            try:
                async with storage.knowledge(organization) as unit:
                    answer = await work(unit)
                    await unit.commit()
                    return answer
            except FaultMavenError as error:
                return type(error)

        first, *others = [self.runner.run(once(storage)) for storage in self.storages]
        assert all(other == first for other in others), (first, others)
        return first

    @rule(number=NUMBERS, organization=ORGANIZATIONS, scope=SCOPES, name=NUMBERS)
    def add(self, number: int, organization: Any, scope: Any, name: int) -> None:
        """A document, perhaps one that is there, perhaps under a name that is taken."""
        new = document(number, organization, scope=scope, name=f"name {name}", words=number)
        self.everywhere(organization, lambda unit: unit.knowledge.add([new]))

    @rule(number=NUMBERS, organization=ORGANIZATIONS, text=TEXTS)
    def read(self, number: int, organization: Any, text: str) -> None:
        """Chunks of a text as it is cut, perhaps of a document that is not there. All of its words can be asked for."""
        chunks = cut("Runbook", text, tuple(markdown_headings(text)), document(number).key)
        self.everywhere(organization, lambda unit: unit.knowledge.replace_chunks(document(number).key, chunks))
        self.asked = [*self.asked[-3:], *terms(text)[:6]]

    @rule(
        number=NUMBERS,
        organization=ORGANIZATIONS,
        version=st.integers(1, 3),
        state=st.sampled_from(DocumentState),
        status=st.sampled_from([Status.UNSTATED, Status.DEPRECATED]),
    )
    def save(self, number: int, organization: Any, version: int, state: DocumentState, status: Status) -> None:
        """A document in some version, perhaps not the stored one, as a search may or may not find it."""

        async def work(unit: KnowledgeUnitOfWork) -> None:
            found = await unit.knowledge.get(document(number).id)
            scope, name = found.scope, found.name
            changed = document(
                number, organization, scope=scope, name=name, version=version, state=state, status=status, words=number
            )
            await unit.knowledge.save([changed])

        self.everywhere(organization, work)

    @rule(numbers=st.lists(NUMBERS, max_size=2), organization=ORGANIZATIONS)
    def remove(self, numbers: list[int], organization: Any) -> None:
        """Documents, perhaps some that are not there."""
        self.everywhere(organization, lambda unit: unit.knowledge.remove([document(one).key for one in numbers]))

    @rule(organization=ORGANIZATIONS, scopes=st.lists(SCOPES, max_size=3), data=st.data(), limit=st.integers(1, 3))
    def search(self, organization: Any, scopes: Any, data: st.DataObject, limit: int) -> None:
        """For words that were read, with weights of any kind."""
        asked = st.sampled_from(self.asked)
        weights = data.draw(st.dictionaries(asked, st.integers(-1, 5), max_size=5))
        self.everywhere(organization, lambda unit: unit.knowledge.candidates(scopes, weights, limit))

    @invariant()
    def all_that_can_be_found_is_the_same(self) -> None:
        """Documents, chunks, words with their frequencies, names, counts; for both organizations."""
        for organization in (ACME, OTHER):
            self.everywhere(organization, lambda unit: seen(unit, self.asked))


async def seen(unit: KnowledgeUnitOfWork, asked: list[str]) -> list[Any]:
    """What there is, and what a search of everything is told."""
    everywhere, knowledge = [EVERYBODY, PAYMENTS, HERS], unit.knowledge
    chunks = [await knowledge.chunks(document(number).key) for number in (1, 2, 3)]
    names = {name for parts in chunks for part in parts for name in part.names}
    candidates = await knowledge.candidates(everywhere, dict.fromkeys(asked, 1), 9)
    statistics = await knowledge.statistics(everywhere, asked)
    assert bool(candidates) == any(statistics.frequency.values())
    return [
        await knowledge.page(DocumentQuery(everywhere, tuple(DocumentState)), after=None, limit=9),
        chunks,
        candidates,
        statistics,
        await knowledge.named(everywhere, names, 9),
        await knowledge.census(everywhere, "hashing-1"),
        await knowledge.by_name(EVERYBODY, ["name 1", "name 2"]),
    ]


SameFindings.TestCase.settings = settings(
    max_examples=10, stateful_step_count=15, suppress_health_check=list(HealthCheck)
)
TestSameFindings = SameFindings.TestCase
