"""What the SQLite file of vectors alone can do to us: damage, locks, other releases, killed writers, memory."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import sys
import threading
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from faultmaven_adapters.vectors.sqlite import SqliteVectorStore, file
from faultmaven_adapters.vectors.sqlite.likeness import Block, Held, Shelf
from faultmaven_contract_tests.vector_samples import EAST, SPEC, fresh_scope, ids, record
from faultmaven_core.ports.vector_filters import Eq, Gt
from faultmaven_core.ports.vectors import Embedding, Scope, VectorId, VectorRecord
from faultmaven_core.shared.errors import BackendError, BackendRefusedError, CorruptDataError, MisconfiguredError
from faultmaven_core.shared.ids import OrganizationId

QUERY = Embedding.of(EAST)
WRITER = """
import asyncio, sys
from pathlib import Path
from faultmaven_adapters.vectors.sqlite import SqliteVectorStore
from faultmaven_contract_tests.vector_samples import SPEC, record
from faultmaven_core.ports.vectors import Scope
from faultmaven_core.shared.ids import OrganizationId

async def main():
    store = SqliteVectorStore(Path(sys.argv[1]))
    await store.ensure(SPEC)
    for number in range(10**9):
        rows = [record(f"r{row}", [1, number, row, 0], amount=number, title=str(row)) for row in range(300)]
        await store.upsert(Scope(SPEC.name, OrganizationId("org")), rows)
        print(number, flush=True)

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where no file is yet, nor its folder."""
    return tmp_path / "data" / "vectors.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteVectorStore]:
    """With the collection of the samples."""
    store = SqliteVectorStore(path)
    await store.ensure(SPEC)
    yield store
    await store.aclose()


@pytest.fixture
def scope() -> Scope:
    """An organization with nothing."""
    return fresh_scope()


async def test_what_does_not_fit_into_memory_is_found_as_well(
    path: Path, store: SqliteVectorStore, scope: Scope
) -> None:
    """In the same order, with and without a filter, and after changes."""
    chance = random.Random(7)
    rows = [
        record(f"r{number}", [chance.uniform(-1, 1) for _ in range(4)], amount=number % 7) for number in range(3000)
    ]
    await store.upsert(scope, rows)
    small = SqliteVectorStore(path, most_cached=1000)
    for where in (None, Eq("amount", 3), Gt("amount", 0)):
        for limit in (1, 10, 500):
            expected = await store.search(scope, QUERY, limit=limit, where=where)
            assert await small.search(scope, QUERY, limit=limit, where=where) == expected
            assert len(expected) == min(limit, await store.count(scope, where))
    best = (await store.search(scope, QUERY, limit=1))[0]
    await store.delete(scope, [best.id])
    assert (await small.search(scope, QUERY, limit=5)) == (await store.search(scope, QUERY, limit=5))
    await small.aclose()


async def test_memory_is_given_to_those_who_search(path: Path, store: SqliteVectorStore) -> None:
    """What an organization has in memory makes room for the next one's, and comes back."""
    scopes = [fresh_scope() for _ in range(6)]
    for number, scope in enumerate(scopes):
        await store.upsert(scope, [record(f"r{row}", EAST, amount=number) for row in range(100)])
    small = SqliteVectorStore(path, most_cached=6000)
    for number, scope in [*enumerate(scopes)] * 2:
        found = await small.search(scope, QUERY, limit=100)
        assert [match.fields["amount"] for match in found] == [number] * 100
    await small.aclose()


def test_memory_has_a_bound() -> None:
    """Whoever searched last stays in it."""
    shelf = Shelf(2500)

    def held() -> Held:
        made = Held(0)
        made.add(Block(np.arange(1, 51), np.ones((50, 4), np.float32)))
        return made

    assert held().size == 1200
    for scope in (1, 2):
        shelf.put(scope, held())
    first = shelf.take(1)
    assert first
    shelf.put(1, first)
    shelf.put(3, held())
    assert [shelf.take(scope) is None for scope in (1, 2, 3)] == [False, True, False]


async def test_many_changes_between_searches(store: SqliteVectorStore, scope: Scope) -> None:
    """What is in memory follows each of them: added, replaced, removed, all gone."""
    chance = random.Random(11)
    there: dict[VectorId, VectorRecord] = {}
    for _ in range(60):
        new = [record(f"r{chance.randrange(400)}", [chance.uniform(-1, 1) for _ in range(4)]) for _ in range(25)]
        unique = {row.id: row for row in new}
        await store.upsert(scope, list(unique.values()))
        there |= unique
        gone = chance.sample(sorted(there), min(len(there), chance.randrange(15)))
        await store.delete(scope, gone)
        for name in gone:
            del there[name]
        found = await store.search(scope, QUERY, limit=1000)
        expected = {name: row.vector.values[0] for name, row in there.items()}
        assert {match.id: match.score for match in found} == pytest.approx(expected, abs=1e-5)
    await store.delete_organization(scope)
    assert await store.search(scope, QUERY, limit=9) == []


async def test_a_writer_that_is_killed_leaves_whole_batches(path: Path) -> None:
    """Whatever it was doing: every record is of one batch, and vector, fields and index agree."""
    writer = await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, str(path), stdout=PIPE)
    assert writer.stdout
    for _ in range(3):
        await writer.stdout.readline()
    writer.kill()
    rest = await writer.stdout.read()
    await writer.wait()
    acknowledged = 2 + len(rest.splitlines())
    store = SqliteVectorStore(path)
    scope = Scope(SPEC.name, OrganizationId("org"))
    found = await store.search(scope, QUERY, limit=1000)
    (number,) = {match.fields["amount"] for match in found}
    assert isinstance(number, int)
    assert acknowledged <= number <= acknowledged + 1
    assert len(found) == await store.count(scope) == await store.count(scope, Eq("amount", number)) == 300
    told = await store.get(scope, [match.id for match in found])
    for match in found:
        expected = Embedding.of([1, number, int(str(match.fields["title"])), 0])
        assert told[match.id].vector == expected
        assert match.score == pytest.approx(expected.values[0], abs=1e-5)
    await store.aclose()


async def test_a_damaged_file_is_said(path: Path, store: SqliteVectorStore, scope: Scope) -> None:
    """Also where SQLite itself would not notice: a vector of the wrong length, fields that are none."""
    await store.upsert(scope, [record("a", amount=1)])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE vectors SET vector = x'0000'")
    connection.close()
    await store.aclose()
    again = SqliteVectorStore(path)
    with pytest.raises(CorruptDataError):
        await again.search(scope, QUERY, limit=1)
    with pytest.raises(CorruptDataError):
        await again.get(scope, ids("a"))
    await again.aclose()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE vectors SET vector = zeroblob(16)")
        connection.execute("UPDATE records SET fields = 'nothing'")
    connection.close()
    again = SqliteVectorStore(path)
    with pytest.raises(CorruptDataError):
        await again.search(scope, QUERY, limit=1)
    with pytest.raises(CorruptDataError):
        await again.get(scope, ids("a"))
    await again.aclose()
    await asyncio.to_thread(path.write_bytes, b"no file of vectors" * 1000)
    broken = SqliteVectorStore(path)
    with pytest.raises(CorruptDataError, match="restore it"):
        await broken.search(scope, QUERY, limit=1)
    await broken.aclose()


async def test_a_file_of_a_newer_release_is_left_alone(path: Path, store: SqliteVectorStore) -> None:
    """It may mean something else by the same tables."""
    await store.aclose()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    newer = SqliteVectorStore(path)
    with pytest.raises(MisconfiguredError, match="newer release"):
        await newer.ping()
    await newer.aclose()


async def test_a_file_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    """With its place."""
    (tmp_path / "file").write_bytes(b"")
    for place in (tmp_path, tmp_path / "file" / "vectors.db"):
        store = SqliteVectorStore(place)
        with pytest.raises(BackendError, match="folder") as caught:
            await store.ping()
        assert not caught.value.retryable
        await store.aclose()


async def test_a_file_that_another_program_holds_is_said(path: Path, store: SqliteVectorStore, scope: Scope) -> None:
    """Nothing has happened, so another try is right; who only reads is not held up."""
    await store.upsert(scope, [record("a")])
    impatient = SqliteVectorStore(path, patience=0.05)
    await impatient.upsert(scope, [record("b")])
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(BackendRefusedError):
        await impatient.upsert(scope, [record("c")])
    assert len(await impatient.search(scope, QUERY, limit=9)) == 2
    holder.execute("ROLLBACK")
    holder.close()
    await impatient.upsert(scope, [record("c")])
    assert len(await store.search(scope, QUERY, limit=9)) == 3
    await impatient.aclose()


async def test_two_stores_make_the_file_at_once(path: Path) -> None:
    """As the processes of an installation do when they start."""
    stores = [SqliteVectorStore(path) for _ in range(6)]
    await asyncio.gather(*(store.ensure(SPEC) for store in stores))
    scope = fresh_scope()
    await asyncio.gather(*(store.upsert(scope, [record(f"r{n}")]) for n, store in enumerate(stores)))
    for store in stores:
        assert await store.count(scope) == 6
        await store.aclose()


async def test_a_caller_who_gives_up_leaves_whole_batches(
    store: SqliteVectorStore, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batch that is being written comes to its end, no further one begins, and the store goes on."""
    add, begun, may_go_on, batches = file.add, threading.Event(), threading.Event(), list[int]()

    def slowly(connection: sqlite3.Connection, place: int, records: Sequence[VectorRecord]) -> None:
        batches.append(len(records))
        if len(batches) == 2:
            begun.set()
            assert may_go_on.wait(60)
        add(connection, place, records)

    monkeypatch.setattr(file, "add", slowly)
    writing = asyncio.ensure_future(store.upsert(scope, [record(f"r{number}") for number in range(2000)]))
    assert await asyncio.to_thread(begun.wait, 60)
    writing.cancel()
    may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await store.upsert(scope, [record("last")])
    assert batches == [500, 500, 1]
    assert await store.count(scope) == 1001


async def test_a_connection_that_cannot_be_closed_keeps_nothing_else_open(
    path: Path, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one folds its log into the file, and the threads end."""
    others = set(threading.enumerate())
    store = SqliteVectorStore(path)
    await store.ensure(SPEC)
    await store.upsert(scope, [record("a")])
    assert await store.count(scope) == 1
    close, closed = file.VectorFile.close, list[file.VectorFile]()

    def failing(one: file.VectorFile) -> None:
        close(one)
        closed.append(one)
        if len(closed) == 1:
            raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(file.VectorFile, "close", failing)
    threads = {one for one in set(threading.enumerate()) - others if one.name.startswith("faultmaven-vectors")}
    assert len(threads) >= 2
    with pytest.raises(sqlite3.OperationalError):
        await store.aclose()
    assert await asyncio.to_thread(os.listdir, path.parent) == ["vectors.db"]
    assert not any(thread.is_alive() for thread in threads)
