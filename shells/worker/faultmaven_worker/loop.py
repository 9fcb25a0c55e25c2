"""The event loop of a pool process: one thread, one application, open for the life of the process."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from faultmaven_core.shared.errors import FaultMavenError
from faultmaven_worker.liveness import keep_touching

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
CLOSE_SECONDS = 10.0
FAILURE = 70
"""Exit code of a process that cannot go on, as of sysexits.h."""

_log = logging.getLogger(__name__)


class Runner(Protocol):
    """Runs jobs: the core's JobRunner."""

    async def run(self, job_id: UUID) -> bool:
        """Run one job; False where it is not ours to run."""


Opener = Callable[[], AbstractAsyncContextManager[Runner]]


class ApplicationLoop:
    """Made after the fork. `hang_up` is a descriptor that ends (reads as empty) when jobs are to be handed back."""

    def __init__(self, opener: Opener, hang_up: int, heartbeat_file: str = "") -> None:
        self._opener, self._hang_up, self._heartbeat = opener, hang_up, heartbeat_file
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._runner: asyncio.Future[Runner] = self._loop.create_future()
        self._running: set[asyncio.Task[bool]] = set()
        self._thread = threading.Thread(target=self._work, name="faultmaven-worker-loop", daemon=True)

    def start(self) -> None:
        """Open the application in the background: Celery wants to hear from its process at once."""
        self._thread.start()

    def run(self, job_id: UUID) -> bool:
        """Run a job to its end; False where it was handed back instead. Called by the process's main thread."""
        done: Future[bool] = asyncio.run_coroutine_threadsafe(self._run(job_id), self._loop)
        return done.result()

    def close(self) -> None:
        """Close the application; returns when that is done, or after a while."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(CLOSE_SECONDS)

    def _work(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._live())

    async def _live(self) -> None:
        self._loop.add_reader(self._hang_up, self._hand_back)
        tasks = [
            asyncio.create_task(work) for work in (self._stop.wait(), keep_touching(self._heartbeat), self._serve())
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        failures = [error for task in tasks if task.done() and (error := task.exception())]
        if failures:
            # Without an application the process could only hold jobs up; the pool starts another one.
            _log.error("The worker process ends.", exc_info=failures[0])
            os._exit(FAILURE)
        self._hand_back()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    async def _serve(self) -> None:
        """Keep the application open; try again where it cannot be opened, as while the database is away."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._opener() as runner:
                    self._runner.set_result(runner)
                    await asyncio.Event().wait()
            except FaultMavenError as error:
                _log.warning("Jobs cannot be run yet, next try in %.1f s: %s", pause, error)
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    async def _run(self, job_id: UUID) -> bool:
        task = asyncio.create_task(self._run_opened(job_id), name=f"job {job_id}")
        self._running.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            return False
        except FaultMavenError as error:
            # The database is away. The row is the truth: it is told of again, or its lease ends.
            _log.warning("Job %s is left to its row: %s", job_id, error)
            return True
        finally:
            self._running.discard(task)

    async def _run_opened(self, job_id: UUID) -> bool:
        runner = await asyncio.shield(self._runner)
        await runner.run(job_id)
        return True

    def _hand_back(self) -> None:
        self._loop.remove_reader(self._hang_up)
        for task in self._running:
            task.cancel()
