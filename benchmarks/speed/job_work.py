"""Jobs: `python -m benchmarks.speed.job_work WHAT WHOSE REDIS DATABASE NUMBER [WORKERS [SECONDS]]`.

`tell` times what a process pays for telling workers of jobs. `run` starts workers (of two processes each) over a full queue
and times their whole process trees from the first fifth of it to its end; starting them is not in it.
A job does nothing, or waits for so many seconds.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import psutil
from celery import Celery
from redis import Redis

from benchmarks.speed.measure import timed
from faultmaven.tree import WorkerSettings
from faultmaven_adapters.jobs.brokers import KEY_PREFIX, BrokerPlace, broker_at
from faultmaven_adapters.jobs.celery_app import CeleryOptions, celery_app
from faultmaven_adapters.jobs.publisher import BATCH, TASK, Publisher
from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_core.jobs.context import JobContext
from faultmaven_core.jobs.runner import JobRunner
from faultmaven_core.ports.job_queue import JobRequest, QueuedJob
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import SystemClock
from faultmaven_core.shared.ids import OrganizationId, RandomIds, UserId
from faultmaven_worker.app import run_celery
from faultmaven_worker.argv import celery_argv

ANN = Caller(OrganizationId("acme"), UserId("ann"))
OPERATION, NOTHING = "bench.nothing", b"{}"
SIZE = WorkerSettings(2, None, ("default",), False, 30.0, 100_000, 0, "")
READY = "ready\n"
COUNTED = 0.8
"""Share of the jobs that is timed."""


def bare(redis: str) -> Celery:
    """Celery by itself, with our settings."""
    app = celery_app(BrokerPlace(redis), CeleryOptions(max_tasks=SIZE.max_tasks))

    def nothing(job_id: str, trace: str) -> None:
        """Do nothing."""

    app.task(nothing, name=TASK, shared=False)
    return app


@asynccontextmanager
async def runner(database: str) -> AsyncIterator[JobRunner]:
    """The product's runner over one operation."""

    async def nothing(payload: bytes, _context: JobContext) -> None:
        """Wait, if at all."""
        if payload != NOTHING:
            await asyncio.sleep(float(payload))

    clock = SystemClock()
    ids = RandomIds(clock)
    storage = SqlStorage(database, clock, ids, lambda _: None)
    await storage.start()
    try:
        yield JobRunner(storage.jobs, {OPERATION: nothing}, clock, ids, random.random, worker="bench")
    finally:
        await storage.aclose()


async def asked(database: str, number: int, payload: bytes) -> list[QueuedJob]:
    """Rows of jobs."""
    clock, told = SystemClock(), list[QueuedJob]()
    storage = SqlStorage(database, clock, RandomIds(clock), told.extend)
    await storage.start()
    for _ in range(-(-number // 100)):
        async with storage.cases(ANN.organization) as unit:
            for _ in range(100):
                await unit.outbox.add(JobRequest(OPERATION, payload, ANN, time_limit=timedelta(minutes=1)))
            await unit.commit()
    await storage.aclose()
    return told


def tell(whose: str, redis: str, number: int) -> None:
    """Time it; the queue is empty again at the end."""
    jobs = [QueuedJob(uuid4(), "default") for _ in range(number)]
    place = BrokerPlace(redis)
    if whose == "ours":
        publisher = Publisher(broker_at(place), place)
        publisher.send(jobs[:1])

        def work() -> float:
            for begin in range(0, number, BATCH):
                publisher.send(jobs[begin : begin + BATCH])
            return number
    else:
        task = bare(redis).tasks[TASK]
        task.delay(str(jobs[0].id), "")

        def work() -> float:
            for job in jobs:
                task.delay(str(job.id), "")
            return number

    timed(work)
    Redis.from_url(redis).flushdb()


def run(whose: str, redis: str, database: str, number: int, workers: int, payload: bytes) -> None:
    """Time the workers' processes; `units` is how many jobs they did."""
    client = Redis.from_url(redis)
    client.flushdb()
    place = BrokerPlace(redis)
    jobs = asyncio.run(asked(database, number, payload)) if whose == "ours" else [_any() for _ in range(number)]
    Publisher(broker_at(place), place).send(jobs)
    command = [sys.executable, "-m", "benchmarks.speed.job_work", "worker", whose, redis, database, "0"]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(workers)]
    for child in children:
        while child.stdout and child.stdout.readline() != READY:
            """It may say other things."""
    # Pool processes connect and compile their statements with their first jobs; those are not counted.
    while _left(client) > number * COUNTED:
        time.sleep(0.005)
    cpu, wall, left = _used(children), time.perf_counter(), _left(client)
    while _left(client):
        time.sleep(0.02)
    print(json.dumps({"units": left, "cpu": _used(children) - cpu, "wall": time.perf_counter() - wall}))
    for child in children:
        child.terminate()
        child.communicate(timeout=30)


def worker(whose: str, redis: str, database: str) -> None:
    """Be a worker."""
    from celery.signals import worker_ready

    worker_ready.connect(lambda **_: (sys.stdout.write(READY), sys.stdout.flush()), weak=False)
    if whose == "ours":
        app = celery_app(BrokerPlace(redis), CeleryOptions(max_tasks=SIZE.max_tasks))
        sys.exit(run_celery(app, lambda: runner(database), SIZE))
    bare(redis).worker_main(celery_argv(SIZE))


def _any() -> QueuedJob:
    return QueuedJob(UUID(int=random.getrandbits(128)), "default")


def _left(client: Redis) -> int:
    return int(client.llen(f"{KEY_PREFIX}default")) + int(client.hlen(f"{KEY_PREFIX}unacked"))


def _used(children: list[subprocess.Popen[str]]) -> float:
    trees = [process for child in children for process in _tree(psutil.Process(child.pid))]
    times = [process.cpu_times() for process in trees]
    return float(sum(one.user + one.system for one in times))


def _tree(root: psutil.Process) -> list[psutil.Process]:
    return [root, *root.children(recursive=True)]


def main() -> None:
    """Do what the arguments name."""
    what, whose, redis, database, number, *more = sys.argv[1:]
    if what == "worker":
        worker(whose, redis, database)
    elif what == "tell":
        tell(whose, redis, int(number))
    else:
        workers, payload = int(more[0]) if more else 1, more[1].encode() if more[1:] else NOTHING
        run(whose, redis, database, int(number), workers, payload)


if __name__ == "__main__":
    main()
