"""Installations whose jobs run in real Celery workers, woken through Redis, Sentinel or RabbitMQ; rows in PostgreSQL."""

from __future__ import annotations

import asyncio
import atexit
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from celery_workers import Worker, WorkerPlan, runner_options, start_worker
from faultmaven_adapters.jobs.brokers import BrokerPlace
from faultmaven_adapters.jobs.celery import CeleryJobs
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_contract_tests.faults import FaultProxy
from faultmaven_contract_tests.job_installation import Installation
from faultmaven_contract_tests.job_probes import Effects
from faultmaven_contract_tests.samples import Storage
from faultmaven_contract_tests.servers import Server, needs, private, shared
from faultmaven_contract_tests.servers.process import wait_until_ready
from faultmaven_core.jobs.runner import JobRunner
from faultmaven_core.ports.job_queue import QueuedJob
from faultmaven_core.shared.clock import SystemClock
from faultmaven_core.shared.errors import FaultMavenError, UnsupportedError
from faultmaven_core.shared.ids import RandomIds
from storages import as_app, emptied

QUICK = {"lease": 2.0, "beat": 0.3, "first_delay": 0.2, "longest_delay": 1.0, "patience": 1.5}
"""Seconds in which a test sees what takes minutes in production."""

GRACE_SECONDS = 1.0
STOP_SECONDS = 20.0
BEAT_SECONDS = 0.3
PROBES = "faultmaven_contract_tests.job_probes:handlers"


class Broker:
    """The other side of the transport. `url` is for workers, `near` for the tests' transport."""

    def __init__(self, url: str, near: str, harm: Callable[[], object], mend: Callable[[], object]) -> None:
        self.url, self.near, self.harm, self.mend = url, near, harm, mend
        self.server: Server | None = None


class CeleryInstallation(Installation):
    """See Installation. Beat runs from the start, workers do when they are told to."""

    def __init__(self, broker: Broker, folder: Path, handlers: str = PROBES, **changes: object) -> None:
        self.effects = Effects(folder / "effects.jsonl")
        self.capabilities = frozenset({"survives_restart"} | ({"failover"} if broker.server else set()))
        place = as_app(shared("postgres").url)
        plan = WorkerPlan(broker.url, place, handlers, str(self.effects.path), grace=GRACE_SECONDS, options=QUICK)
        self.plan = replace(plan, **changes)  # type: ignore[arg-type]  # the fields of the plan
        self.options = runner_options(self.plan.options)
        self.clock, self.told, self.workers = SystemClock(), [], list[Worker]()
        self._broker, self._numbers = broker, count()
        ids = RandomIds(self.clock)
        self.transport = CeleryJobs(BrokerPlace(broker.near, connect_timeout=1.0, timeout=2.0))
        self.database = SqlStorage(place, self.clock, ids, self.tell, options=SqlOptions())
        self.storage: Storage = self.database
        self._relay = JobRunner(self.storage.jobs, {}, self.clock, ids, random.random, options=self.options).relay

    async def start(self, runners: int = 1, *, concurrency: int = 2, killable: bool = False) -> None:
        plan = replace(self.plan, concurrency=concurrency)
        for _ in range(runners):
            self.workers.append(start_worker(plan, Path(f"{self.effects.path}.{next(self._numbers)}")))
        for worker in self.workers:
            await asyncio.to_thread(worker.wait_until_ready)

    async def stop(self) -> None:
        workers, self.workers = self.workers, []
        await asyncio.gather(*(asyncio.to_thread(worker.stop, STOP_SECONDS) for worker in workers))

    async def kill(self) -> None:
        workers, self.workers = self.workers, []
        for worker in workers:
            await asyncio.to_thread(worker.kill)

    async def wait(self, time: timedelta) -> None:
        await asyncio.sleep(time.total_seconds())

    def tell(self, jobs: Sequence[QueuedJob]) -> None:
        self.told += jobs
        self.transport.notify(jobs)

    async def cut(self) -> None:
        await asyncio.to_thread(self._broker.harm)

    async def mend(self) -> None:
        await asyncio.to_thread(self._broker.mend)

    async def failover(self) -> None:
        if self._broker.server is None:
            raise UnsupportedError("failover")
        await asyncio.to_thread(self._broker.server.primary().kill)

    async def beat(self) -> None:
        """What beat does, more often."""
        while True:
            try:
                self.transport.notify(await self.transport.lacking(await self._relay()))
            except FaultMavenError:
                """The database or the broker is away; a later step tells what this one could not."""
            await asyncio.sleep(BEAT_SECONDS)


@asynccontextmanager
async def opened(installation: CeleryInstallation) -> AsyncIterator[CeleryInstallation]:
    """Start it over an empty database; nothing of it outlives the context."""
    await emptied(shared("postgres"))
    await installation.transport.start()
    await installation.database.start()
    beat = asyncio.create_task(installation.beat())
    try:
        yield installation
    finally:
        beat.cancel()
        await asyncio.wait([beat])
        await installation.kill()
        await installation.database.aclose()
        await installation.transport.aclose()


@needs("postgres", "redis")
@asynccontextmanager
async def celery_redis(folder: Path) -> AsyncIterator[Installation]:
    """One Redis, which hangs when it is cut off."""
    with private("redis") as server:
        broker = Broker(server.url, server.url, server.pause, server.resume)
        async with opened(CeleryInstallation(broker, folder)) as installation:
            yield installation


@needs("postgres")
@asynccontextmanager
async def celery_sentinel(folder: Path) -> AsyncIterator[Installation]:
    """A primary with a replica and three sentinels, all of which die when they are cut off."""
    server = _sentinel()
    broker = Broker(server.url, server.url, server.kill, server.restart)
    broker.server = server
    try:
        async with opened(CeleryInstallation(broker, folder)) as installation:
            yield installation
    finally:
        for process in server.processes:
            if not process.alive:
                process.start()
        await asyncio.to_thread(wait_until_ready, server.name, server.ready, server.processes)


@needs("postgres", "rabbitmq")
@asynccontextmanager
async def celery_rabbitmq(folder: Path) -> AsyncIterator[Installation]:
    """RabbitMQ, which swallows everything when it is cut off."""
    url = shared("rabbitmq").url.replace("guest:guest@", "")
    with FaultProxy.in_thread("127.0.0.1", urlsplit(url).port or 0) as proxy:

        def cut() -> None:
            proxy.blackhole = True

        def mend() -> None:
            proxy.blackhole = False

        async with opened(CeleryInstallation(Broker(url, proxy.through(url), cut, mend), folder)) as installation:
            yield installation


@cache
def _sentinel() -> Server:
    """One for the run: its clauses kill it, the next one finds it well again."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(private("redis_sentinel"))


OPENERS = {"celery_redis": celery_redis, "celery_sentinel": celery_sentinel, "celery_rabbitmq": celery_rabbitmq}
