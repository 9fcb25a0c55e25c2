"""Jobs in the program's own event loop: the rows are the queue, this only runs them soon."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from faultmaven_core.ports.job_queue import JobCapability, JobTransport, QueuedJob
from faultmaven_core.shared.errors import BackendUnavailableError, FaultMavenError

CONCURRENCY = 4

DRAIN_SECONDS = 10
"""How long closing waits for jobs; what is left stays in its rows for the next start."""

PAUSE_SECONDS = 2
"""Between looks for jobs that wait for their time or another attempt, or whose runner died."""

_log = logging.getLogger(__name__)


async def nothing_scheduled() -> int:
    """No schedules."""
    return 0


class EmbeddedJobs(JobTransport):
    """See the port. The owner calls `start` once the runner can be used."""

    capabilities = frozenset({JobCapability.SURVIVES_RESTART})

    def __init__(self, *, concurrency: int = CONCURRENCY, drain_seconds: float = DRAIN_SECONDS) -> None:
        self._concurrency, self._drain_seconds = concurrency, drain_seconds
        self._awake = asyncio.Event()
        self._closing = False
        self._told = 0
        self._loop: asyncio.Task[None] | None = None
        self._workers: set[asyncio.Task[None]] = set()

    async def start(
        self, run_one: Callable[[], Awaitable[bool]], tick: Callable[[], Awaitable[int]] = nothing_scheduled
    ) -> None:
        """Begin to run jobs by the runner's `run_one`, open ones of earlier runs first, and schedules by `tick`."""
        self._awake.set()
        self._loop = asyncio.create_task(self._run(run_one, tick), name="faultmaven-jobs")

    def notify(self, jobs: Sequence[QueuedJob]) -> None:
        self._told += 1
        self._awake.set()

    async def ping(self) -> None:
        if self._loop is None or self._loop.done():
            raise BackendUnavailableError("The embedded job runner does not run.")

    async def aclose(self) -> None:
        loop, self._loop = self._loop, None
        if loop is None:
            return
        self._closing = True
        self._awake.set()
        await loop
        if self._workers:
            await asyncio.wait(self._workers, timeout=self._drain_seconds)
        if left := list(self._workers):
            _log.warning("%d jobs are handed back; the next start runs them.", len(left))
            for worker in left:
                worker.cancel()
            await asyncio.wait(left)

    async def _run(self, run_one: Callable[[], Awaitable[bool]], tick: Callable[[], Awaitable[int]]) -> None:
        closing = False
        while not closing:
            called = True
            try:
                await asyncio.wait_for(self._awake.wait(), PAUSE_SECONDS)
            except TimeoutError:
                # Not at the start: a program that only looks something up need not do the housekeeping.
                await self._tick(tick)
                called = False
            self._awake.clear()
            closing = self._closing
            free = self._concurrency - len(self._workers)
            for _ in range(free if called else min(free, 1)):
                worker = asyncio.create_task(self._work(run_one), name="faultmaven-job-worker")
                self._workers.add(worker)
                worker.add_done_callback(self._workers.discard)

    async def _work(self, run_one: Callable[[], Awaitable[bool]]) -> None:
        """Run jobs until none is due; what was told of while it looked may have come too late for that look."""
        try:
            told = None
            while told != self._told:
                told = self._told
                while await run_one():
                    """The next one."""
        except FaultMavenError as error:
            # The database is away; the rows wait, and so do we.
            _log.warning("Jobs cannot be run now: %s", error)

    async def _tick(self, tick: Callable[[], Awaitable[int]]) -> None:
        try:
            await tick()
        except FaultMavenError as error:
            _log.warning("Schedules cannot be looked at now: %s", error)
