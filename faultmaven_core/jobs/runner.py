"""Runs jobs: claim, call the operation, write down how it ended. At least once, so operations are idempotent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any

from faultmaven_core.jobs.model import Job, JobState
from faultmaven_core.jobs.ports import JobStore
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import FaultMavenError
from faultmaven_core.shared.ids import Ids

LEASE = timedelta(seconds=60)
"""After this long without a result a runner counts as dead and its job is claimed again."""

MOST_ATTEMPTS = 5
FIRST_DELAY = timedelta(seconds=2)
LONGEST_DELAY = timedelta(minutes=5)

KEEP = timedelta(days=7)
"""How long rows of ended jobs are kept, for a person to look at."""

Handler = Callable[[bytes, Caller], Coroutine[Any, Any, object]]
"""Runs one operation, given its command as JSON and the caller who asked for it."""

_log = logging.getLogger(__name__)


class JobRunner:
    """The same under every transport; `chance` gives numbers from 0 to 1 that spread the retries of many runners."""

    def __init__(
        self, store: JobStore, handlers: Mapping[str, Handler], clock: Clock, ids: Ids, chance: Callable[[], float]
    ) -> None:
        self._store, self._handlers, self._clock, self._ids, self._chance = store, handlers, clock, ids, chance

    async def run_due(self) -> int:
        """Run all jobs that are due, one after another; how many there were. Rows of long ago are removed."""
        count = 0
        while await self.run_one():
            count += 1
        if count:
            await self._store.sweep(self._clock.now() - KEEP)
        return count

    async def run_one(self) -> bool:
        """Run one due job; False where none is."""
        now = self._clock.now()
        job = await self._store.claim(now, now + LEASE, self._ids.new())
        if job is None:
            return False
        # An attempt is counted before the work, so that a job which kills its runner is given up in the end.
        if job.attempts > MOST_ATTEMPTS:
            await self._store.finish(job, JobState.DEAD, error="given up: its runner never came back")
            return True
        try:
            await self._call(job)
        except FaultMavenError as error:
            await self._failed(job, f"{error.code}: {error}", retryable=error.retryable)
        except Exception as error:  # noqa: BLE001 - the loop must outlive any job
            # A defect of ours must not stop the jobs behind this one; the log has the trace, the row the class.
            _log.exception("Job %s (%s) failed", job.id, job.operation)
            await self._failed(job, type(error).__name__, retryable=True)
        else:
            await self._store.finish(job, JobState.SUCCEEDED)
        return True

    async def _call(self, job: Job) -> None:
        handler = self._handlers.get(job.operation)
        if handler is None:
            raise FaultMavenError(f"There is no operation {job.operation}.")
        await handler(job.payload, job.caller)

    async def _failed(self, job: Job, error: str, *, retryable: bool) -> None:
        if not retryable or job.attempts >= MOST_ATTEMPTS:
            await self._store.finish(job, JobState.DEAD, error=error)
            return
        # Not full jitter: a first delay near zero would only repeat the failure.
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (job.attempts - 1)) * (0.5 + self._chance() / 2)
        await self._store.finish(job, JobState.WAITING, error=error, run_at=self._clock.now() + delay)
