"""Installations whose jobs run in the test's own loop; runners that are to be killed are processes of their own.

Run as a program this is such a process: its plan is the JSON on the command line.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from faultmaven_adapters.jobs.embedded import EmbeddedJobs
from faultmaven_adapters.sql.memory import MemoryStorage
from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_contract_tests.job_installation import Installation
from faultmaven_contract_tests.job_probes import Effects, handlers
from faultmaven_contract_tests.samples import Storage
from faultmaven_core.jobs.runner import JobRunner, RunnerOptions
from faultmaven_core.ports.job_queue import QueuedJob
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import UnsupportedError
from faultmaven_core.shared.ids import RandomIds

OPTIONS = RunnerOptions(
    lease=timedelta(seconds=2),
    beat=timedelta(seconds=0.1),
    first_delay=timedelta(seconds=0.2),
    longest_delay=timedelta(seconds=1),
    patience=timedelta(seconds=2),
)
GRACE_SECONDS = 0.5


class MovedClock(Clock):
    """The machine's time and a bit."""

    def __init__(self, ahead: timedelta = timedelta(0)) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        """See Clock."""
        return datetime.now(UTC) + self.ahead


class EmbeddedInstallation(Installation):
    """See Installation. `place` is where a process of its own finds the rows; empty where none can."""

    options = OPTIONS

    def __init__(self, folder: Path, place: str) -> None:
        self._place, self.clock = place, MovedClock()
        self.ids = RandomIds(self.clock)
        self.effects = Effects(folder / "effects.jsonl")
        self.capabilities = frozenset({"survives_restart"} if place else ())
        self._transports: list[EmbeddedJobs] = []
        self._children: list[subprocess.Popen[bytes]] = []
        self._cut = False
        self.told: list[QueuedJob] = []
        storage = MemoryStorage if not place else SqlStorage
        self.database = storage(place, self.clock, self.ids, self.tell)
        self.storage: Storage = self.database

    async def start(self, runners: int = 1, *, concurrency: int = 2, killable: bool = False) -> None:
        if killable:
            await self._start_child()
            return
        for _ in range(runners):
            transport = EmbeddedJobs(concurrency=concurrency, drain_seconds=GRACE_SECONDS)
            await transport.start(_runner(self.storage, self.effects.path, self.clock).run_one)
            self._transports.append(transport)

    async def stop(self) -> None:
        transports, self._transports = self._transports, []
        for transport in transports:
            await transport.aclose()

    async def kill(self) -> None:
        for child in self._children:
            child.kill()
            await asyncio.to_thread(child.communicate)
        self._children.clear()

    async def wait(self, time: timedelta) -> None:
        self.clock.ahead += time
        self.tell(())

    def tell(self, jobs: Sequence[QueuedJob]) -> None:
        self.told += jobs
        for transport in self._transports if not self._cut else ():
            transport.notify(jobs)

    async def cut(self) -> None:
        self._cut = True

    async def mend(self) -> None:
        self._cut = False

    async def failover(self) -> None:
        raise UnsupportedError("failover")

    async def _start_child(self) -> None:
        if not self._place:
            raise UnsupportedError("survives_restart")
        ready = self.effects.path.with_suffix(f".{len(self._children)}.ready")
        plan = {"place": self._place, "path": str(self.effects.path), "ready": str(ready)}
        plan["ahead"] = str(self.clock.ahead.total_seconds())
        child = subprocess.Popen([sys.executable, __file__, json.dumps(plan)], stdin=subprocess.PIPE)  # noqa: ASYNC220 - it returns at once
        self._children.append(child)
        async with asyncio.timeout(60):
            while not ready.exists():
                assert child.poll() is None, "the process of a runner ended while it started"
                await asyncio.sleep(0.02)
        ready.unlink()


@asynccontextmanager
async def opened(folder: Path, place: str) -> AsyncIterator[EmbeddedInstallation]:
    """An installation over these rows; nothing of it outlives the context."""
    installation = EmbeddedInstallation(folder, place)
    await installation.database.start()
    try:
        yield installation
    finally:
        await installation.kill()
        await installation.stop()
        await installation.database.aclose()


def _runner(storage: Storage, path: Path, clock: Clock) -> JobRunner:
    known = handlers(path, storage)
    return JobRunner(storage.jobs, known, clock, RandomIds(clock), random.random, options=OPTIONS)


async def _child(plan: dict[str, str]) -> None:
    clock = MovedClock(timedelta(seconds=float(plan["ahead"])))
    transport = EmbeddedJobs(concurrency=2, drain_seconds=GRACE_SECONDS)
    storage = SqlStorage(plan["place"], clock, RandomIds(clock), transport.notify)
    await storage.start()
    stop = asyncio.Event()
    # Nobody writes there: it becomes readable when the tests' process ends, however that ends.
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stop.set)
    await transport.start(_runner(storage, Path(plan["path"]), clock).run_one)
    Path(plan["ready"]).touch()  # noqa: ASYNC240 - one file, nobody waits
    await stop.wait()
    await transport.aclose()
    await storage.aclose()


if __name__ == "__main__":
    asyncio.run(_child(json.loads(sys.argv[1])))
