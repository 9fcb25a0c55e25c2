"""A PostgreSQL that is away, hangs, or goes in the middle: an error of ours in time, and no doubt where there need be none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.request_keys import ANN, KEYED, everything, service
from faultmaven_contract_tests.samples import ACME, case
from faultmaven_contract_tests.servers import Server, private, shared
from faultmaven_core.cases.commands import OpenCase
from faultmaven_core.shared.errors import (
    AmbiguousError,
    BackendUnavailableError,
    DeadlineExceededError,
    NotFoundError,
)
from storages import APP, DATABASE, as_app, as_owner, emptied, new_database, sql

pytestmark = pytest.mark.servers("postgres")

QUICK = SqlOptions(connect_timeout=2.0, statement_timeout=2.0, startup_wait=0.0)
PATIENT = SqlOptions(connect_timeout=60.0, startup_wait=0.0)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One to harm."""
    with private("postgres") as started:
        asyncio.run(new_database(started.url, DATABASE))
        yield started


@asynccontextmanager
async def through_proxy(options: SqlOptions = QUICK) -> AsyncIterator[tuple[SqlStorage, FaultProxy]]:
    """An empty storage behind a proxy."""
    await emptied(shared("postgres"))
    parts = urlsplit(shared("postgres").url)
    async with (
        FaultProxy(str(parts.hostname), int(parts.port or 0)) as proxy,
        sql(proxy.through(as_app(shared("postgres").url)), options) as storage,
    ):
        yield storage, proxy


async def add(storage: SqlStorage, number: int = 1) -> None:
    """One unit that writes."""
    async with storage.cases(ACME) as unit:
        await unit.cases.add(case(number))
        await unit.commit()


async def has(storage: SqlStorage, number: int = 1) -> bool:
    """Whether the unit's change is there."""
    async with storage.cases(ACME, read_only=True) as unit:
        try:
            await unit.cases.get(case(number).id)
        except NotFoundError:
            return False
    return True


async def test_a_unit_that_is_cancelled_while_it_gives_its_connection_back_still_gives_it_back() -> None:
    """Cancelled once on the way out, and once more while that is cleared up: `through_proxy` sees that none is in use."""
    async with through_proxy(PATIENT) as (storage, proxy):
        for cancellations in (1, 2):
            left = asyncio.Event()

            async def look(left: asyncio.Event = left) -> None:
                async with storage.cases(ACME, read_only=True):
                    proxy.latency = 60.0
                    left.set()

            task = asyncio.create_task(look())
            await left.wait()
            for _ in range(cancellations):
                await asyncio.sleep(0.05)
                task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            proxy.latency = 0
            assert "0 connections in use" in storage.pool()
        await add(storage)


async def test_connections_that_died_while_nobody_used_them_are_no_error() -> None:
    """All that the pool holds, in every later unit."""
    async with through_proxy() as (storage, proxy):
        async with storage.cases(ACME), storage.cases(ACME), storage.cases(ACME, read_only=True):
            pass
        proxy.cut()
        await add(storage)
        proxy.cut()
        assert await has(storage)


async def test_a_directory_that_cannot_be_asked_never_says_that_there_is_nobody() -> None:
    """Who signs in would be told that the name is wrong, or take a name that somebody has."""
    async with through_proxy() as (storage, proxy):
        assert await storage.accounts.by_username("nobody") is None
        proxy.cut()
        assert await storage.accounts.by_username("nobody") is None
        proxy.refuse = True
        proxy.cut()
        for asked in (
            storage.accounts.by_username("nobody"),
            storage.accounts.by_refresh_digest("0" * 64),
            storage.accounts.organizations(),
        ):
            with pytest.raises(BackendUnavailableError):
                await asked


async def test_a_connection_to_what_has_become_a_replica_is_given_up() -> None:
    """Its server takes no changes any more; whoever got it from the pool again would be refused for ever."""
    async with through_proxy(SqlOptions(pool_size=1, max_overflow=0)) as (storage, proxy), owning() as owner:
        try:
            # As a replica answers; sessions that begin after the reset are a primary's again.
            await owner.execute(f"ALTER DATABASE {DATABASE} SET default_transaction_read_only = on")
            proxy.cut()
            with pytest.raises(BackendUnavailableError, match="takes no changes now"):
                await add(storage)
        finally:
            await owner.execute(f"ALTER DATABASE {DATABASE} RESET default_transaction_read_only")
        await add(storage)
        assert await has(storage)


@asynccontextmanager
async def owning() -> AsyncIterator[asyncpg.Connection]:
    """A connection that may change the database itself."""
    owner = await as_owner(shared("postgres").url)
    try:
        yield owner
    finally:
        await owner.close()


async def test_a_pool_without_a_look_at_its_connections_hands_out_dead_ones() -> None:
    """What the setting is for: the end of one that has just died is not seen yet."""
    async with through_proxy(SqlOptions(pre_ping=False)) as (storage, proxy):
        await add(storage)
        proxy.cut()
        with pytest.raises(BackendUnavailableError):
            await has(storage)
        assert await has(storage)


async def test_a_connection_that_breaks_in_a_unit_is_unavailable_and_nothing_is_kept() -> None:
    """Before the commit was sent there is no doubt."""
    async with through_proxy() as (storage, proxy):
        async with storage.cases(ACME) as unit:
            await unit.cases.add(case())
            proxy.cut()
            with pytest.raises(BackendUnavailableError):
                await unit.cases.get(case().id)
        async with storage.cases(ACME) as unit:
            await unit.cases.add(case())
            proxy.cut()
            await asyncio.sleep(0.05)
            with pytest.raises(BackendUnavailableError, match="before the commit; nothing is kept"):
                await unit.commit()
        assert not await has(storage)


async def test_a_command_whose_connection_broke_before_its_commit_is_begun_again() -> None:
    """The caller never hears of it, key or no key."""
    async with through_proxy() as (storage, proxy):
        proxy.cut_next_reply(to=b"INSERT INTO cases_journal")
        await service(storage).open(OpenCase("why?"), ANN)
        assert len(await everything(storage)) == 2


async def test_an_answer_to_a_commit_that_is_lost_is_ambiguous() -> None:
    """It happened, but nobody could know."""
    async with through_proxy() as (storage, proxy):
        async with storage.cases(ACME) as unit:
            await unit.cases.add(case())
            proxy.cut_next_reply(to=b"COMMIT")
            with pytest.raises(AmbiguousError, match="may or may not have happened"):
                await unit.commit()
        assert await has(storage)


async def test_a_commit_that_never_arrived_is_ambiguous() -> None:
    """It did not happen, and nobody could know either."""
    async with through_proxy() as (storage, proxy):
        async with storage.cases(ACME) as unit:
            await unit.cases.add(case())
            proxy.blackhole = True
            committing = asyncio.create_task(unit.commit())
            await asyncio.sleep(0.1)
            proxy.cut()
            with pytest.raises(AmbiguousError):
                await committing
        proxy.blackhole = False
        assert not await has(storage)


async def test_a_command_whose_commit_broke_is_resolved_by_its_key() -> None:
    """Once, whether its answer was lost or it had not arrived; without a key the caller is told."""
    async with through_proxy() as (storage, proxy):
        cases = service(storage)
        proxy.cut_next_reply(to=b"COMMIT")
        answer = await cases.open(OpenCase("why?"), KEYED)
        assert [one.id for one in (await everything(storage))[::2]] == [answer.case_id]
        proxy.cut_next_reply(to=b"COMMIT")
        with pytest.raises(AmbiguousError):
            await cases.open(OpenCase("why not?"), ANN)


async def test_a_network_that_swallows_everything_is_given_up_in_time() -> None:
    """In a statement, at the begin, and in the first connection; afterwards all is well."""
    async with through_proxy() as (storage, proxy):
        began = time.monotonic()
        async with storage.cases(ACME) as unit:
            await unit.cases.add(case())
            proxy.blackhole = True
            with pytest.raises(DeadlineExceededError):
                await unit.cases.get(case().id)
        for _ in range(2):
            with pytest.raises(DeadlineExceededError):
                await storage.ping()
        assert time.monotonic() - began < 40
        proxy.blackhole = False
        assert not await has(storage)


async def test_a_server_that_hangs_is_given_up_in_time(server: Server) -> None:
    """With a commit under way the end is unknown; when it goes on, so do we."""
    async with sql(as_app(server.url), QUICK) as storage:
        await add(storage, 20)
        async with storage.cases(ACME) as unit, storage.cases(ACME, read_only=True) as reader:
            await unit.cases.add(case(21))
            began = time.monotonic()
            hang(server)
            try:
                with pytest.raises(AmbiguousError):
                    await unit.commit()
                with pytest.raises(DeadlineExceededError):
                    await reader.cases.get(case(20).id)
            finally:
                server.resume()
            assert time.monotonic() - began < 40
        assert await has(storage, 20)


def hang(server: Server) -> None:
    """The server and the processes that serve its connections."""
    import psutil

    server.pause()
    for pid in server.pids:
        for child in psutil.Process(pid).children(recursive=True):
            child.suspend()


async def test_a_server_that_was_killed_between_two_units_is_no_error(server: Server) -> None:
    """When it is up again, the next unit works on a new connection."""
    async with sql(as_app(server.url), QUICK) as storage:
        await add(storage, 30)
        server.kill()
        with pytest.raises(BackendUnavailableError):
            await has(storage, 30)
        await asyncio.to_thread(server.restart)
        assert await has(storage, 30)


async def test_a_server_that_is_killed_in_a_unit_is_unavailable(server: Server) -> None:
    """And the unit is not there afterwards."""
    async with sql(as_app(server.url), QUICK) as storage:
        async with storage.cases(ACME) as unit:
            await unit.cases.add(case(40))
            server.kill()
            with pytest.raises(BackendUnavailableError):
                await unit.cases.get(case(40).id)
        await asyncio.to_thread(server.restart)
        assert not await has(storage, 40)


async def test_a_start_waits_for_a_server_that_is_coming_up(server: Server) -> None:
    """And gives up when its time is over."""
    server.kill()
    with pytest.raises(BackendUnavailableError):
        async with sql(as_app(server.url), QUICK):
            pass
    opening = asyncio.create_task(opened(as_app(server.url), SqlOptions(startup_wait=60)))
    await asyncio.sleep(0.5)
    assert not opening.done()
    await asyncio.to_thread(server.restart)
    await opening


async def opened(url: str, options: SqlOptions) -> None:
    """Start and close."""
    async with sql(url, options):
        pass


async def test_a_host_that_nobody_knows_is_unavailable() -> None:
    """Names may come later in a cluster, so it is waited for like a server that is down."""
    with pytest.raises(BackendUnavailableError, match="host name is not known"):
        await opened("postgresql://u@nowhere.invalid:5432/db", QUICK)


async def test_a_server_without_free_connections_is_unavailable() -> None:
    """With the two remedies."""
    await emptied(shared("postgres"))
    owner = await as_owner(shared("postgres").url)
    await owner.execute("DROP ROLE IF EXISTS crowded; CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
    await owner.close()
    with pytest.raises(BackendUnavailableError, match="lower FM_DATABASE_POOL_SIZE, or raise max_connections"):
        await opened(as_app(shared("postgres").url).replace(APP, "crowded"), QUICK)
