"""A PostgreSQL all of whose connections are in use: work waits for one, probes do not."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from urllib.parse import urlsplit

import asyncpg
import pytest
from sqlalchemy import text

from faultmaven_adapters.sql import postgres_pool
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.unit import SqlTransaction
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.samples import ACME, case
from faultmaven_contract_tests.servers import shared
from faultmaven_core.cases.ports import CaseQuery, CaseUnitOfWork
from faultmaven_core.shared.errors import BackendUnavailableError, DeadlineExceededError
from storages import APP, as_app, as_owner, emptied, sql

pytestmark = pytest.mark.servers("postgres")

ONE = SqlOptions(pool_size=1, max_overflow=0, pool_timeout=0.2, connect_timeout=2.0, statement_timeout=2.0)


async def test_a_busy_database_is_not_away_and_one_that_is_away_is_not_busy() -> None:
    """Whoever balances must not take a server out because many work there; the others would be next."""
    await emptied(shared("postgres"))
    parts = urlsplit(shared("postgres").url)
    async with (
        FaultProxy(str(parts.hostname), int(parts.port or 0)) as proxy,
        sql(proxy.through(as_app(shared("postgres").url)), ONE) as storage,
    ):
        async with storage.cases(ACME) as unit:
            await unit.cases.add(case(1))
            with pytest.raises(BackendUnavailableError, match="in use"):
                async with storage.cases(ACME, read_only=True) as other:
                    await other.cases.get(case(1).id)
            await storage.ping()
            proxy.blackhole = True
            with pytest.raises((BackendUnavailableError, DeadlineExceededError)):
                await storage.ping()
            proxy.blackhole = False
            await unit.commit()
        await storage.ping()


async def test_a_database_that_takes_no_connection_more_is_not_away() -> None:
    """It has said so itself; and work goes on over the connections that there are."""
    await emptied(shared("postgres"))
    owner = await as_owner(shared("postgres").url)
    try:
        await owner.execute(f"CREATE ROLE contract_one LOGIN CONNECTION LIMIT 1 IN ROLE {APP}")
        try:
            url = as_app(shared("postgres").url).replace(f"{APP}@", "contract_one@")
            async with sql(url, ONE) as storage, storage.cases(ACME) as unit:
                await unit.cases.add(case(1))
                with pytest.raises(asyncpg.TooManyConnectionsError):
                    await asyncpg.connect(url)
                await storage.ping()
                await unit.commit()
        finally:
            await owner.execute("DROP ROLE contract_one")
    finally:
        await owner.close()


async def test_connections_are_given_out_in_the_order_of_asking() -> None:
    """Whoever has waited is next, however many come meanwhile and ask at the moment when one is free."""
    await emptied(shared("postgres"))
    async with sql(as_app(shared("postgres").url), replace(ONE, pool_timeout=60.0)) as storage:
        turns: list[str] = []

        async def ask(name: str, asking: asyncio.Event) -> None:
            asking.set()
            async with storage.cases(ACME, read_only=True) as unit:
                turns.append(name)
                await unit.cases.page(CaseQuery(), after=None, limit=1)

        async with asyncio.TaskGroup() as group:
            async with storage.cases(ACME, read_only=True) as unit:
                await unit.cases.page(CaseQuery(), after=None, limit=1)
                for number in range(3):
                    asking = asyncio.Event()
                    group.create_task(ask(f"waiting {number}", asking))
                    await asking.wait()
            for _ in range(5):
                await ask("newcomer", asyncio.Event())
        assert turns == ["waiting 0", "waiting 1", "waiting 2", *["newcomer"] * 5]


FEW = SqlOptions(pool_size=2, max_overflow=10)
_BACKEND = text("SELECT pg_backend_pid()")
ALIVE = "SELECT pid FROM pg_stat_activity WHERE pid = ANY($1::int[])"


async def backend(unit: CaseUnitOfWork) -> int:
    """The server's process of a unit's connection."""
    transaction: SqlTransaction = vars(unit)["transaction"]
    row = (await transaction.run(_BACKEND)).first()
    assert row is not None
    return int(row[0])


async def test_under_load_connections_are_kept_and_not_opened_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """To wait a moment for one costs less than to open one."""
    monkeypatch.setattr(postgres_pool, "PATIENCE", 60.0)
    async with sql(as_app(shared("postgres").url), FEW) as storage:
        seen: set[int] = set()

        async def work() -> None:
            for _ in range(5):
                async with storage.cases(ACME, read_only=True) as unit:
                    seen.add(await backend(unit))

        await asyncio.gather(*(work() for _ in range(12)))
        assert len(seen) <= FEW.pool_size


async def test_more_are_opened_for_work_that_takes_long() -> None:
    """As many as may be, at the same time."""
    async with sql(as_app(shared("postgres").url), FEW) as storage, AsyncExitStack() as stack, asyncio.timeout(60):
        units = [await stack.enter_async_context(storage.cases(ACME, read_only=True)) for _ in range(12)]
        assert len({await backend(unit) for unit in units}) == 12


async def test_a_pool_that_is_closed_under_work_forgets_nothing_of_it() -> None:
    """What is in use ends and is closed, who waits for it is next, and whoever comes later has as many places as before."""
    await emptied(shared("postgres"))
    owner = await as_owner(shared("postgres").url)
    try:
        async with sql(as_app(shared("postgres").url), replace(ONE, pool_timeout=60.0)) as storage:
            asking, begun = asyncio.Event(), asyncio.Event()

            async def wait() -> int:
                asking.set()
                async with storage.cases(ACME, read_only=True) as unit:
                    begun.set()
                    return await backend(unit)

            async with storage.cases(ACME, read_only=True) as unit:
                first = await backend(unit)
                waiting = asyncio.create_task(wait())
                await asking.wait()
                await storage.aclose()
            second = await asyncio.wait_for(waiting, 20)
            async with asyncio.timeout(20):
                while await owner.fetch(ALIVE, [first, second]):  # noqa: ASYNC110 - the server tells nobody
                    await asyncio.sleep(0.05)
            begun.clear()
            async with storage.cases(ACME, read_only=True) as unit:
                await backend(unit)
                asking.clear()
                waiting = asyncio.create_task(wait())
                await asking.wait()
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(begun.wait(), 1)
            await waiting
    finally:
        await owner.close()
