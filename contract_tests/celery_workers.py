"""Real Celery workers for tests, started in tenths of a second.

Run as a program this is a nursery: it has imported everything, and forks a worker for each line on its standard input.
What a worker is and does comes from the product (`faultmaven_worker`); only its operations are the tests'.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil
from billiard.util import set_pdeathsig

from faultmaven.tree import WorkerSettings
from faultmaven_adapters.jobs.brokers import BrokerPlace
from faultmaven_adapters.jobs.celery import CeleryJobs
from faultmaven_adapters.jobs.celery_app import CeleryOptions, celery_app
from faultmaven_adapters.sql.options import SqlOptions
from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_core.jobs.runner import JobRunner, RunnerOptions
from faultmaven_core.shared.clock import SystemClock
from faultmaven_core.shared.ids import RandomIds
from faultmaven_worker.app import run_celery

START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """All that a worker process must know, as JSON. Times in seconds; `handlers` is module:function, called with `path` and a storage."""

    broker: str
    database: str
    handlers: str
    path: str
    ready: str = ""
    concurrency: int = 2
    queues: tuple[str, ...] = ("default",)
    grace: float = 5.0
    max_tasks: int = 500
    autoscale: tuple[int, int] | None = None
    options: dict[str, float] = field(default_factory=dict)


def runner_options(seconds: dict[str, float]) -> RunnerOptions:
    """The options that these times give."""
    return RunnerOptions(**{name: timedelta(seconds=value) for name, value in seconds.items()})


@asynccontextmanager
async def opened(plan: WorkerPlan) -> AsyncIterator[JobRunner]:
    """The runner of a pool process: the product's, over the tests' operations."""
    module, function = plan.handlers.split(":")
    clock = SystemClock()
    ids = RandomIds(clock)
    transport = CeleryJobs(BrokerPlace(plan.broker))
    storage = SqlStorage(plan.database, clock, ids, transport.notify, options=SqlOptions(pool_size=2, max_overflow=2))
    await transport.start()
    await storage.start()
    handlers = getattr(import_module(module), function)(Path(plan.path), storage)
    name, options = f"{os.getpid()}", runner_options(plan.options)
    try:
        yield JobRunner(
            storage.jobs, handlers, clock, ids, random.random, worker=name, queues=plan.queues, options=options
        )
    finally:
        await storage.aclose()
        await transport.aclose()


def work(plan: WorkerPlan) -> int:
    """Be a worker until told to stop."""
    from celery.signals import worker_ready

    worker_ready.connect(lambda **_: Path(plan.ready).touch(), weak=False)
    app = celery_app(BrokerPlace(plan.broker), CeleryOptions(queues=tuple(plan.queues), max_tasks=plan.max_tasks))
    settings = WorkerSettings(plan.concurrency, plan.autoscale, plan.queues, False, plan.grace, plan.max_tasks, 0, "")
    return run_celery(app, lambda: opened(plan), settings)


class Worker:
    """A worker process and its children, in a process group of its own."""

    def __init__(self, pid: int, ready: Path) -> None:
        self.pid, self._ready = pid, ready

    def wait_until_ready(self) -> None:
        """Return when it takes jobs."""
        _until(self._ready.exists, f"worker {self.pid} takes jobs")

    def children(self) -> list[int]:
        """Its pool processes."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [child.pid for child in psutil.Process(self.pid).children()]
        return []

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return bool(psutil.pid_exists(self.pid))

    def kill(self) -> None:
        """End it and its children as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        _until(lambda: not self.alive, f"worker {self.pid} is gone")

    def stop(self, seconds: float) -> None:
        """Ask it to stop and wait for that."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        _until(lambda: not self.alive, f"worker {self.pid} stops", seconds)


def start_worker(plan: WorkerPlan, ready: Path) -> Worker:
    """A new worker; `ready` is a file that it makes when it takes jobs."""
    nursery = _nursery()
    assert nursery.stdin
    assert nursery.stdout
    nursery.stdin.write(json.dumps(dataclasses.asdict(dataclasses.replace(plan, ready=str(ready)))) + "\n")
    nursery.stdin.flush()
    return Worker(int(nursery.stdout.readline()), ready)


@cache
def _nursery() -> subprocess.Popen[str]:
    child = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    atexit.register(end_workers)
    return child


def end_workers() -> None:
    """Kill all workers, and the nursery."""
    if _nursery.cache_info().currsize:
        _nursery().communicate(timeout=30)
        _nursery.cache_clear()


def _until(condition: Any, what: str, seconds: float = START_SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"After {seconds} s it is not so that {what}."
        time.sleep(0.02)


def _bear() -> None:
    """Fork a worker for each line; at the end of the input kill those that are left."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them, so nobody need collect them
    born = []
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.setsid()
            set_pdeathsig(signal.SIGKILL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            plan = json.loads(line)
            log = os.open(f"{plan['ready']}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os._exit(work(WorkerPlan(**{**plan, "queues": tuple(plan["queues"])})))
        born.append(pid)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
    for pid in born:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    _bear()
