"""What both SQL databases must do alike below the repositories of knowledge: an index that follows, statements that use it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import ClauseElement, Compiled, Executable, Insert, delete, insert, literal_column, select, text, update
from sqlalchemy.ext.compiler import compiles

from faultmaven_adapters.sql.engine import Rows, Values
from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_adapters.sql.tables import CHUNK, DERIVED, DOCUMENT, METADATA, NAME, POSTING, VOCABULARY
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_contract_tests.knowledge_repositories import keep
from faultmaven_contract_tests.samples import ACME, EVERYBODY, OTHER, chunk, document
from faultmaven_core.knowledge.model import DocumentState
from faultmaven_core.knowledge.ports import DocumentQuery, KnowledgeUnitOfWork
from storages import OPENERS

pytestmark = pytest.mark.servers("postgres")

TRUTH = (DOCUMENT, CHUNK, NAME, VOCABULARY)
INDEX = {
    "sqlite": ("knowledge_posting", "knowledge_index_terms", "knowledge_index_document"),
    "postgres": ("knowledge_posting",),
}


_CONDITIONS = re.compile(r" on knowledge_(?:chunk|name|posting|vocabulary)\b.*\n *((?:Index|Recheck) Cond: .*)?")
_OF_ITS_OWN = re.compile(r"\b(?:document|term|name)\b")
"""What a condition of these tables names beside the organization."""


class Plan(Executable, ClauseElement):
    """How a database would run a statement."""

    inherit_cache = False

    def __init__(self, statement: Any) -> None:
        # What a change looks for is found as a query finds it. The columns would be taken for those of the plan.
        query = select(statement.table).where(statement.whereclause) if statement.is_dml else statement
        self.statement: Any = query.with_only_columns(literal_column("1"), maintain_column_froms=True)


@compiles(Plan, "sqlite")
def _plan_of_sqlite(element: Plan, compiler: Compiled, **options: Any) -> str:
    return f"EXPLAIN QUERY PLAN {compiler.process(element.statement, **options)}"


@compiles(Plan, "postgresql")
def _plan_of_postgres(element: Plan, compiler: Compiled, **options: Any) -> str:
    return f"EXPLAIN {compiler.process(element.statement, **options)}"


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each database."""
    found: str = request.param
    return found


@pytest.fixture
async def storage(kind: str, tmp_path: Path) -> AsyncIterator[SqlStorage]:
    """An empty one."""
    async with OPENERS[kind](tmp_path) as opened:
        assert isinstance(opened, SqlStorage)
        yield opened


def transaction(unit: KnowledgeUnitOfWork) -> SqlTransaction:
    """The unit's own, for statements that no repository has."""
    found: SqlTransaction = vars(unit)["transaction"]
    return found


async def raw(storage: SqlStorage, *statements: Executable) -> None:
    """Run statements of somebody else's and commit."""
    async with storage.knowledge(ACME) as unit:
        for statement in statements:
            await transaction(unit).run(statement)
        await unit.commit()


async def holding(storage: SqlStorage, *words: str) -> list[list[str]]:
    """The titles of the documents that hold each word."""
    found = []
    async with storage.knowledge(ACME, read_only=True) as unit:
        for word in words:
            candidates = await unit.knowledge.candidates([EVERYBODY], {word: 1}, 99)
            known = await unit.knowledge.get_many([one.document for one in candidates])
            frequency = (await unit.knowledge.statistics([EVERYBODY], [word])).frequency
            assert frequency.get(word, 0) == len(candidates)
            found.append([known[one.document].title for one in candidates])
    return found


async def indexed(storage: SqlStorage, *words: str) -> list[tuple[str, int]]:
    """The words that the index has, and in how many documents."""
    async with storage.knowledge(ACME, read_only=True) as unit:
        return sorted((await unit.knowledge.statistics([EVERYBODY], words)).frequency.items())


async def test_removing_a_document_leaves_nothing_in_any_table(storage: SqlStorage, kind: str) -> None:
    """Whether it could be found or not; FTS5 has no word of it left."""
    for number, state in enumerate((DocumentState.READY, DocumentState.FAILED, DocumentState.REMOVED), 1):
        await keep(storage, document(number, state=state), chunks=[chunk(0), chunk(1, "größe")])
    async with storage.knowledge(ACME) as unit:
        for table in (*METADATA.tables, *INDEX[kind]):
            count = text(f"SELECT count(*) AS rows FROM {table}")
            (row,) = await transaction(unit).run(count)
            assert bool(row.rows) == table.startswith("knowledge_"), table
        await unit.knowledge.remove([document(number).key for number in (1, 2, 3)])
        for table in (*METADATA.tables, *INDEX[kind]):
            count = text(f"SELECT count(*) AS rows FROM {table}")
            (row,) = await transaction(unit).run(count)
            assert row.rows == 0, table
        await unit.commit()


async def test_the_index_follows_rows_whoever_writes_them(storage: SqlStorage) -> None:
    """Copied row by row, changed, and removed past the repository."""
    await keep(storage, document(1), document(2), chunks=[chunk(0, "dns pod")])
    await keep(storage, document(3, state=DocumentState.PENDING), chunks=[chunk(0, "dns")])
    async with storage.knowledge(ACME, read_only=True) as unit:
        rows = {table: [row._asdict() for row in await transaction(unit).run(select(table))] for table in TRUTH}
    await raw(storage, delete(DOCUMENT))
    assert await indexed(storage, "dns", "pod") == []
    await raw(storage, *(insert(table).values(rows[table]) for table in TRUTH))
    assert await indexed(storage, "dns", "pod") == [("dns", 2), ("pod", 2)]
    assert await holding(storage, "dns", "pod") == [["Runbook 1", "Runbook 2"]] * 2
    async with storage.knowledge(ACME, read_only=True) as unit:
        (words,) = await transaction(unit).run(select(VOCABULARY.c.terms).where(VOCABULARY.c.searchable).limit(1))
    (dns, fix, pod) = words.terms.split(" ")
    assert (dns[-3:], fix[-3:], pod[-3:]) == ("dns", "fix", "pod")
    second = VOCABULARY.c.document == document(2).key
    await raw(storage, update(VOCABULARY).where(second).values(terms=f"{dns} {dns[:-3]}new"))
    assert await indexed(storage, "dns", "pod", "new") == [("dns", 2), ("new", 1), ("pod", 1)]
    await raw(storage, update(VOCABULARY).where(second).values(searchable=False))
    assert await indexed(storage, "dns", "pod", "new") == [("dns", 1), ("pod", 1)]
    await raw(storage, update(VOCABULARY).where(second).values(searchable=True))
    await raw(storage, delete(VOCABULARY).where(VOCABULARY.c.document == document(1).key))
    assert await indexed(storage, "dns", "pod", "new") == [("dns", 1), ("new", 1)]
    assert await holding(storage, "dns") == [["Runbook 2"]]


def reads_all(plan: str) -> bool:
    """Whether a plan goes through all rows of a table, or of an organization where there are many.

    FTS5 looks a word up by what it calls a scan with index 1.
    """
    scans = [line for line in plan.splitlines() if "SCAN knowledge" in line or " SCAN t " in line]
    if "Seq Scan" in plan or any(not line.endswith("VIRTUAL TABLE INDEX 1:") for line in scans):
        return True
    return any(not _OF_ITS_OWN.search(condition) for condition in _CONDITIONS.findall(plan))


async def test_no_statement_reads_a_whole_table(
    storage: SqlStorage, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each finds an index that it can use, also where row-level security decides which operators may look."""
    await keep(storage, document(1), chunks=[chunk()])
    plans: list[str] = []
    run = SqlTransaction.run

    async def explained(self: SqlTransaction, statement: Executable, values: Values = None) -> Rows:
        if not isinstance(statement, Insert):
            if kind == "postgres":
                await run(self, text("SET LOCAL enable_seqscan = off"))
            plan = [" ".join(map(str, row)) for row in await run(self, Plan(statement), values)]
            plans.append("\n".join(plan))
        return await run(self, statement, values)

    monkeypatch.setattr(SqlTransaction, "run", explained)
    key, name = document().key, document().name
    async with storage.knowledge(ACME) as unit:
        knowledge = unit.knowledge
        await knowledge.get(document().id)
        await knowledge.get_many([key])
        await knowledge.save([document()])
        await knowledge.page(DocumentQuery([EVERYBODY], tags=("dns",)), after=key, limit=9)
        await knowledge.by_name(EVERYBODY, [name])
        await knowledge.by_digest(EVERYBODY, document().sha256)
        await knowledge.of_source(EVERYBODY, document().source)
        await knowledge.in_state(DocumentState.PENDING, 9)
        await knowledge.not_embedded("other", 9)
        await knowledge.blobs()
        await knowledge.census([EVERYBODY], "other")
        await knowledge.chunks(key)
        await knowledge.chunks_at([(key, 0)])
        await knowledge.statistics([EVERYBODY], ["dns", "pod"])
        assert len(await knowledge.candidates([EVERYBODY], {"dns": 1, "pod": 2}, 9)) == 1
        await knowledge.named([EVERYBODY], ["errno11"], 9)
        await knowledge.replace_chunks(key, [])
        await knowledge.remove([key])
    assert len(plans) > len("statements of twenty")
    assert [plan for plan in plans if reads_all(plan)] == []


async def test_a_statement_that_reads_a_whole_table_is_seen(storage: SqlStorage) -> None:
    """The test above can fail: a table, and the words of FTS5 without one to look for."""
    async with storage.knowledge(ACME) as unit:
        for statement in (select(CHUNK).where(CHUNK.c.text == "x"), select(POSTING)):
            plan = await transaction(unit).run(Plan(statement))
            assert reads_all("\n".join(" ".join(map(str, row)) for row in plan))


async def test_writers_of_one_document_leave_the_chunks_of_one_of_them(storage: SqlStorage) -> None:
    """Whole, and the index has its words and no others; writers of other documents with the same words do not fail."""
    await keep(storage, *(document(number) for number in range(1, 5)))
    words = [f"w{number}" for number in range(8)]

    async def write(number: int) -> None:
        async with storage.knowledge(ACME) as unit:
            mine = [chunk(part, f"same {words[number]}", of=1) for part in range(number + 1)]
            of = document(1 + number % 2).key
            await unit.knowledge.replace_chunks(of, [replace(part, document=of) for part in mine])
            await unit.commit()

    await asyncio.gather(*(write(number) for number in range(8)))
    found = await holding(storage, *words)
    assert sorted(title for titles in found for title in titles) == ["Runbook 1", "Runbook 2"]
    assert await holding(storage, "same") == [["Runbook 1", "Runbook 2"]]
    async with storage.knowledge(ACME, read_only=True) as unit:
        for number in (1, 2):
            parts = await unit.knowledge.chunks(document(number).key)
            (won,) = {part.terms[1] for part in parts}
            assert [part.number for part in parts] == list(range(words.index(won) + 1))
            assert f"Runbook {number}" in found[words.index(won)]


async def test_the_words_of_others_stand_apart_in_the_index(storage: SqlStorage) -> None:
    """No word of the index belongs to two organizations or scopes: none of a search's work depends on others' words."""
    await keep(storage, document(1), chunks=[chunk()])
    await keep(storage, document(2, OTHER), chunks=[chunk()])
    seen: list[set[str]] = []
    for organization in (ACME, OTHER):
        async with storage.knowledge(organization, read_only=True) as unit:
            own = select(VOCABULARY.c.terms).where(VOCABULARY.c.organization_id == organization)
            (row,) = await transaction(unit).run(own)
            seen.append(set(row.terms.split(" ")))
    assert {word[12:] for word in seen[0]} == {word[12:] for word in seen[1]} == {"_dns", "_fix", "_timeout"}
    assert seen[0].isdisjoint(seen[1])
    assert set(DERIVED.tables) == {"knowledge_posting"}
