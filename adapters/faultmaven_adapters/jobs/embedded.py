"""Jobs in the program's own event loop: the rows are the queue, this only runs them soon."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from faultmaven_core.ports.job_queue import JobTransport, QueuedJob
from faultmaven_core.shared.errors import FaultMavenError

DRAIN_SECONDS = 10
"""How long closing waits for jobs; what is left stays in its rows for the next start."""

PAUSE_SECONDS = 5
"""Between looks for jobs that wait for another attempt, or whose runner died."""

_log = logging.getLogger(__name__)


class EmbeddedJobs(JobTransport):
    """See the port. The owner calls `start` once the runner can be used."""

    def __init__(self) -> None:
        self._awake = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    async def start(self, run_due: Callable[[], Awaitable[int]]) -> None:
        """Begin to run jobs by the runner's `run_due`, those of earlier runs first."""
        self._awake.set()
        self._task = asyncio.create_task(self._loop(run_due), name="faultmaven-jobs")

    def notify(self, jobs: Sequence[QueuedJob]) -> None:
        self._awake.set()

    async def aclose(self) -> None:
        task, self._task = self._task, None
        if task is None:
            return
        self._closing = True
        self._awake.set()
        try:
            await asyncio.wait_for(task, DRAIN_SECONDS)
        except TimeoutError:
            # A job that was cut off is claimed again when its lease ends.
            _log.warning("Jobs are left for the next start.")

    async def _loop(self, run_due: Callable[[], Awaitable[int]]) -> None:
        closing = False
        while not closing:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), PAUSE_SECONDS)
            self._awake.clear()
            closing = self._closing
            try:
                await run_due()
            except FaultMavenError as error:
                # The database is away; the rows wait, and so do we.
                _log.warning("Jobs cannot be run now: %s", error)
