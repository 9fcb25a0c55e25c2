"""`fm transfer` between real backends: killed and resumed, refused, and told where both sides differ."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from buckets import fresh_prefix, s3_store
from faultmaven.composition.transfer import TransferRequest, open_transfer
from faultmaven_adapters.blobs.filesystem import FilesystemBlobStore
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.tables import METADATA
from faultmaven_adapters.sql.transfer import SqlTables
from faultmaven_adapters.transfer.journal import FileJournal
from faultmaven_adapters.vectors.memory import MemoryVectorStore
from faultmaven_adapters.vectors.milvus import MilvusVectorStore
from faultmaven_adapters.vectors.sqlite import SqliteVectorStore
from faultmaven_contract_tests.harness import Opener
from faultmaven_contract_tests.servers import needed_by, shared
from faultmaven_contract_tests.vector_samples import fresh_spec, record
from faultmaven_core.ports.blobs import BlobStore
from faultmaven_core.ports.vectors import Scope, VectorStore
from faultmaven_core.shared.errors import PermissionDeniedError
from faultmaven_core.shared.ids import OrganizationId
from faultmaven_core.transfer.model import Kind, Report, TargetNotEmptyError, TransferDiffersError
from faultmaven_core.transfer.service import Transfer
from faultmaven_core.transfer.vectors import VectorCargo
from storages import as_app, emptied
from test_vectors import OPENERS as VECTORS
from transfer_samples import ACME, OTHER, Sizes, installation

SMALL = Sizes(cases=60, blobs=20, blob_bytes=50_000, vectors=300, dimension=32, batches=(8, 1, 1))
LARGE = Sizes(cases=10_000, blobs=200, blob_bytes=5 << 20, vectors=50_000, dimension=384, batches=(400, 10, 80))
"""Ten thousand cases, a gigabyte of blobs and fifty thousand vectors."""

ENDS_WITHIN = 3600.0


class Move:
    """A source in files, and a target in PostgreSQL, S3 and Milvus; the command between them."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.source, self.sizes, self.prefix = folder / "source", sizes, fresh_prefix()
        self.journal = folder / "journal.jsonl"
        self.database = as_app(shared("postgres").url)
        s3 = shared("s3")
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FM_")},
            "FM_HOME": str(folder / "home"),
            "FM_TO_S3_ENDPOINT_URL": s3.url,
            "FM_TO_S3_ACCESS_KEY_ID": s3.access_key,
            "FM_TO_S3_SECRET_ACCESS_KEY": s3.secret_key,
        }
        milvus_url = f"milvus://{urlsplit(shared('milvus').url).netloc}"
        self.pairs = [
            (f"database=sqlite:{self.source / 'fm.db'}", self.database),
            (f"file:{self.source / 'blobs'}", f"s3://{s3.bucket}/{self.prefix}"),
            (f"vectors=sqlite:{self.source / 'vectors.db'}", milvus_url),
        ]

    def start(self) -> subprocess.Popen[bytes]:
        """The command as a process."""
        pairs = [word for source, target in self.pairs for word in ("--from", source, "--to", target)]
        command = [sys.executable, "-m", "faultmaven_cli.main", "transfer", *pairs, "--journal", str(self.journal)]
        return subprocess.Popen([*command, "--json"], env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    @asynccontextmanager
    async def opened(self, **options: Any) -> AsyncIterator[Transfer]:
        """What the command does, here."""
        sources, targets = zip(*self.pairs, strict=True)
        request = TransferRequest(sources, targets, **{"journal": self.journal, **options})
        async with open_transfer(request, environ=self.environ) as transfer:
            yield transfer

    async def run(self, **options: Any) -> Report:
        """All of it."""
        async with self.opened(**options) as transfer:
            return await transfer.run()

    def confirmed(self, kind: Kind) -> int:
        """Batches of a kind that the journal has."""
        return self.journal.read_bytes().count(f'"part": "{kind}/'.encode()) if self.journal.exists() else 0

    async def sides(self) -> AsyncIterator[tuple[str, Any, Any]]:
        """Everything at the source and at the target, part by part."""
        async for part in self._rows():
            yield part
        stores = FilesystemBlobStore(self.source / "blobs"), s3_store(shared("s3"), prefix=self.prefix)
        yield "blobs", await everything(stores[0]), await everything(stores[1])
        for store in stores:
            await store.aclose()
        indexes = SqliteVectorStore(self.source / "vectors.db"), MilvusVectorStore(shared("milvus").url)
        for name in self.sizes.collections:
            for organization in (ACME, OTHER):
                scope = Scope(name, organization)
                yield f"{organization}/{name}", await vectors_of(indexes[0], scope), await vectors_of(indexes[1], scope)
        for index in indexes:
            await index.aclose()

    async def _rows(self) -> AsyncIterator[tuple[str, Any, Any]]:
        databases = [SqlTables(str(self.source / "fm.db"), SqlOptions()), SqlTables(self.database, SqlOptions())]
        for organization in (ACME, OTHER):
            for table in METADATA.tables:
                source, target = [await rows_of(tables, organization, table) for tables in databases]
                yield f"{organization}/{table}", source, target
        for tables in databases:
            await tables.aclose()

    async def end(self) -> None:
        """Nothing is left in what tests share."""
        index = MilvusVectorStore(shared("milvus").url)
        for name in self.sizes.collections:
            await index.drop(name)
        await index.aclose()
        store = s3_store(shared("s3"), prefix=self.prefix)
        await store.delete([blob.key async for blob in store.list("")])
        await store.aclose()


async def rows_of(tables: SqlTables, organization: OrganizationId, table: str) -> Sequence[Mapping[str, Any]]:
    """All rows."""
    found: list[Mapping[str, Any]] = []
    position = ""
    while (page := await tables.page(organization, table, position)).rows:
        found += page.rows
        position = page.position
    return found


async def everything(store: BlobStore) -> Mapping[str, Any]:
    """Content, type and attributes of all blobs by key."""
    found = {}
    async for blob in store.list(""):
        async with store.open(blob.key) as reader:
            content = b"".join([chunk async for chunk in reader])
            found[blob.key.text] = (hash(content), len(content), reader.info.content_type, dict(reader.info.attributes))
    return found


async def vectors_of(store: VectorStore, scope: Scope) -> Mapping[str, Any]:
    """All vectors, to the last bit, with their fields."""
    ids = sorted([vector_id async for vector_id in store.scan(scope, page_size=1000)])
    found = await store.get(scope, ids)
    return {name: (found[name].vector.values.tobytes(), dict(found[name].fields)) for name in ids}


@pytest.fixture
async def move(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Move]:
    """A source that is full and a target that is empty; of the size that the test asks for."""
    # With collections that no other test has.
    sizes = replace(getattr(request, "param", SMALL), model=f"model-{uuid4().hex}")
    await emptied(shared("postgres"))
    (tmp_path / "source").mkdir()
    await installation(tmp_path / "source", sizes)
    move = Move(tmp_path, sizes)
    yield move
    await move.end()
    await emptied(shared("postgres"))


@pytest.mark.servers("postgres", "s3", "milvus")
class TestTransfer:
    """From files of one machine to servers."""

    @pytest.mark.parametrize(
        "move",
        [pytest.param(SMALL, id="small"), pytest.param(LARGE, id="large", marks=pytest.mark.soak)],
        indirect=True,
    )
    async def test_killed_at_any_moment_it_goes_on_where_it_was(self, move: Move) -> None:
        """And at the end everything is there, once, as it was; nothing is copied a second time that was confirmed."""
        await asyncio.to_thread(self._killed, move)
        report = await move.run()
        assert report.resumed
        assert all(outcome.equal for outcome in report.outcomes)
        copied, total = sums(report)
        assert copied < total
        async for part, source, target in move.sides():
            assert source == target, part
            assert source, part
        assert sums(await move.run()) == (0, total)

    def _killed(self, move: Move) -> None:
        """Kills it three times: among rows, among blobs and among vectors, after any number of batches of each."""
        chance = random.Random()
        for kind, most in zip(Kind, move.sizes.batches, strict=True):
            wanted, process = chance.randint(1, most), move.start()
            end = time.monotonic() + ENDS_WITHIN
            while move.confirmed(kind) < wanted and process.poll() is None and time.monotonic() < end:
                time.sleep(0.001)
            # The last moment is near the end: where this machine is busy, the end may come first.
            assert process.poll() is None or (kind is Kind.VECTORS and process.poll() == 0), process.communicate()
            process.kill()
            process.communicate()

    async def test_what_is_not_empty_is_refused(self, move: Move) -> None:
        """Unless this transfer has put it there; the journal knows."""
        async with move.opened() as transfer:
            planned = await transfer.plan()
        assert sums(planned) == (0, sum(outcome.part.items for outcome in planned.outcomes))
        assert sum(outcome.part.items for outcome in planned.outcomes) > SMALL.cases
        assert await self._is_empty(move)
        async with move.opened() as transfer:
            await transfer.run(verify=False)
            assert all(outcome.equal for outcome in (await transfer.verify()).outcomes)
        with pytest.raises(TargetNotEmptyError):
            await move.run(restart=True)
        again = await move.run()
        assert (again.resumed, sums(again)) == (True, (0, sums(planned)[1]))
        move.environ["FM_FROM_DATABASE_URL"] = f"sqlite:{move.source / 'fm.db'}"
        for pair in list(move.pairs):
            move.pairs = [pair]
            with pytest.raises(TargetNotEmptyError, match="is not empty"):
                await move.run(journal=None)

    async def test_what_differs_at_the_end_is_told_by_name_and_no_secret_is(self, move: Move) -> None:
        """Neither in the journal nor in a report, also where a URL holds it; what is missing is added by the next run."""
        canary = "a-canary-that-opens-nothing"
        source, target = move.pairs[0]
        parts = urlsplit(target)
        move.pairs[0] = source, parts._replace(netloc=parts.netloc.replace("@", f":{canary}@")).geturl()
        reports = [await move.run()]
        store = s3_store(shared("s3"), prefix=move.prefix)
        await store.delete([blob.key async for blob in store.list(f"{OTHER}/")][:1])
        await store.aclose()
        self._change(move, "x")
        with pytest.raises(TransferDiffersError) as told:
            await move.run()
        assert {str(part) for part in told.value.parts} == {f"database/{OTHER}/jobs_job", "blobs/*"}
        assert "blobs/*: 20 at the source, 19 at the target" in str(told.value)
        self._change(move, "")
        reports.append(await move.run())
        assert all(outcome.equal for outcome in reports[-1].outcomes)
        for text in (repr(reports), repr(told.value), str(told.value), move.journal.read_text()):
            assert [secret for secret in (canary, shared("s3").secret_key) if secret in text] == []
        assert ":***@" in f"{reports!r} {move.journal.read_text()}"

    async def test_one_organization_comes_back_from_a_database_that_shows_one_at_a_time(
        self, move: Move, tmp_path: Path
    ) -> None:
        """Row-level security lets nobody list all of them, so they are named; the other's things stay where they are."""
        await move.run()
        back = tmp_path / "back"
        database, blobs, vectors = [target for _, target in move.pairs]
        move.pairs = [
            (database, f"sqlite:{back / 'fm.db'}"),
            (blobs, f"file:{back / 'blobs'}"),
            (vectors, f"sqlite:{back / 'vectors.db'}"),
        ]
        move.environ |= {name.replace("FM_TO_", "FM_FROM_"): value for name, value in move.environ.items()}
        with pytest.raises(PermissionDeniedError, match="--organization"):
            await move.run(journal=None)
        report = await move.run(journal=None, organizations=[OTHER])
        assert all(outcome.equal for outcome in report.outcomes)
        tables = [SqlTables(str(path), SqlOptions()) for path in (move.source / "fm.db", back / "fm.db")]
        for table in METADATA.tables:
            source, target = [await rows_of(database, OTHER, table) for database in tables]
            assert source == target
        assert await tables[1].organizations() == [OTHER]
        for opened in tables:
            await opened.aclose()
        store = FilesystemBlobStore(back / "blobs")
        assert [blob.key.text.partition("/")[0] async for blob in store.list("")] == [OTHER, OTHER]
        await store.aclose()

    @staticmethod
    def _change(move: Move, trace: str) -> None:
        with closing(sqlite3.connect(move.source / "fm.db")) as database, database:
            database.execute("UPDATE jobs_job SET trace = ? WHERE organization_id = ?", [trace, OTHER])

    @staticmethod
    async def _is_empty(move: Move) -> bool:
        tables = SqlTables(move.database, SqlOptions())
        rows = [await tables.count(name, table) for name in (ACME, OTHER) for table in METADATA.tables]
        await tables.aclose()
        store = s3_store(shared("s3"), prefix=move.prefix)
        blobs = [blob async for blob in store.list("")]
        await store.aclose()
        return not any(rows) and not blobs


def sums(report: Report) -> tuple[int, int]:
    """Items that the run copied, and those that there are."""
    return sum(outcome.copied for outcome in report.outcomes), sum(outcome.part.items for outcome in report.outcomes)


STORES = {name: opener for name, opener in VECTORS.items() if name != "memory"}


@pytest.mark.parametrize(
    "opener",
    [pytest.param(opener, id=name, marks=pytest.mark.servers(*needed_by(opener))) for name, opener in STORES.items()],
)
async def test_vectors_go_to_every_store_and_come_back(opener: Opener, tmp_path: Path) -> None:
    """With every kind of field; neither way changes them."""
    spec = fresh_spec()
    scope = Scope(spec.name, OrganizationId(f"org-{uuid4().hex}"))
    directions = [(1.0, number / 7, -1.0, 0.3) for number in range(30)]
    fields: list[dict[str, Any]] = [
        {},
        {"title": 'a "quoted" Ü'},
        {"amount": -3, "weight": 0.1, "open": True, "tags": ("b", "a")},
    ]
    records = [record(f"r{number}", way, **fields[number % 3]) for number, way in enumerate(directions)]
    (tmp_path / "store").mkdir()
    source, back = MemoryVectorStore(), MemoryVectorStore()
    await source.ensure(spec)
    await source.upsert(scope, records)

    async def scopes() -> Sequence[Scope]:
        return [scope]

    async with opener(tmp_path / "store") as store:
        try:
            for number, pair in enumerate(((source, store), (store, back))):
                journal = FileJournal(tmp_path / f"{number}.jsonl", {})
                report = await Transfer([VectorCargo(pair, ("one", "other"), scopes)], journal).run()
                assert [(outcome.copied, outcome.equal) for outcome in report.outcomes] == [(30, True)]
                await journal.aclose()
        finally:
            await store.drop(spec.name)
    assert await back.describe(spec.name) == spec
    found = await back.get(scope, [row.id for row in records])
    assert {name: row.fields for name, row in found.items()} == {row.id: row.fields for row in records}
