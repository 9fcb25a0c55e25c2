"""Runs jobs: claim, call the operation, write down how it ended. At least once, so operations are idempotent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from faultmaven_core import codec
from faultmaven_core.jobs.context import Handler, JobCancelledError, JobContext, kept
from faultmaven_core.jobs.model import MOST_RESULT, Claim, Ending, Job, JobState, Lease
from faultmaven_core.jobs.ports import JobStore, QueueDepth
from faultmaven_core.ports.job_queue import QueuedJob
from faultmaven_core.shared.backoff import delay
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import DeadlineExceededError, FaultMavenError, RateLimitedError, StaleVersionError
from faultmaven_core.shared.ids import Ids

HAND_BACK_SECONDS = 5
"""How long a runner that is stopped tries to give its job back; after that the end of the lease does it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunnerOptions:
    """The times that a runner keeps.

    After `lease` without a heartbeat a runner counts as dead and its job is claimed again. Retries wait from `first_delay`
    on, doubled each time up to `longest_delay`. A job that nobody took for `patience` is told of again. No attempt takes
    longer than `time_limit`, whatever its job asked for.
    """

    lease: timedelta = timedelta(seconds=60)
    beat: timedelta = timedelta(seconds=5)
    first_delay: timedelta = timedelta(seconds=2)
    longest_delay: timedelta = timedelta(minutes=5)
    patience: timedelta = timedelta(seconds=60)
    time_limit: timedelta = timedelta(minutes=30)


DEFAULTS = RunnerOptions()


class JobRunner:
    """The same under every transport; `chance` gives numbers from 0 to 1 that spread the retries of many runners."""

    def __init__(
        self,
        store: JobStore,
        handlers: Mapping[str, Handler],
        clock: Clock,
        ids: Ids,
        chance: Callable[[], float],
        *,
        worker: str = "",
        queues: Sequence[str] = (),
        options: RunnerOptions = DEFAULTS,
    ) -> None:
        self._store, self._handlers, self._clock, self._ids, self._chance = store, handlers, clock, ids, chance
        self._worker, self._queues, self._options = worker, tuple(queues), options

    async def run_due(self) -> int:
        """Run all due jobs of its queues, one after another; how many there were."""
        count = 0
        while await self.run_one():
            count += 1
        return count

    async def run_one(self) -> bool:
        """Run the oldest due job of its queues; False where none is."""
        return await self._run(None)

    async def run(self, job_id: UUID) -> bool:
        """Run one job; False, and nothing is done, where it is not due, another runner has it, or it has ended."""
        return await self._run(job_id)

    async def attend(self, job_id: UUID, due: datetime, work: Handler) -> bool:
        """Run a job by work that has begun already, also before it is due at `due`, when any runner may take it."""
        return await self._run(job_id, due, work)

    async def relay(self, limit: int = 500) -> Sequence[QueuedJob]:
        """Jobs that runners must be told of again: just due, or lost on the way. Call it every second or two."""
        return await self._store.unclaimed(self._clock.now(), self._options.patience, limit)

    async def depths(self) -> Sequence[QueueDepth]:
        """How many jobs wait, run or were given up, and since when."""
        return await self._store.depths()

    async def _run(self, job_id: UUID | None, due: datetime | None = None, work: Handler | None = None) -> bool:
        now = max(self._clock.now(), due) if due else self._clock.now()
        until = now + self._options.lease
        job = await self._store.claim(Claim(now, until, self._ids.new(), self._worker, self._queues, job_id))
        if job is None:
            return False
        try:
            ending = _without_work(job) or await self._attempt(job, work)
        except asyncio.CancelledError:
            # We are being stopped: another runner may have the job now and not only when the lease ends.
            with suppress(TimeoutError, FaultMavenError):
                back = Ending(JobState.QUEUED, job.error, due_at=self._clock.now(), counted=False)
                await asyncio.wait_for(self._store.finish(job, back), HAND_BACK_SECONDS)
            raise
        if not await self._store.finish(job, ending):
            _log.warning("The job %s (%s) is another runner's by now; its result is not taken.", job.id, job.operation)
        return True

    async def _attempt(self, job: Job, begun: Handler | None) -> Ending:
        context = JobContext(job)
        try:
            return _succeeded(await self._work(job, context, begun or self._handlers.get(job.operation)), context)
        except JobCancelledError:
            return Ending(JobState.CANCELLED, progress=context.latest)
        except FaultMavenError as error:
            after = error.retry_after if isinstance(error, RateLimitedError) else 0.0
            return self._failed(job, context, f"{error.code}: {error}", retryable=_passes(error), after=after)
        except Exception as error:  # noqa: BLE001 - the loop must outlive any job
            # A defect of ours must not stop the jobs behind this one; the log has the trace, the row the class.
            _log.exception("Job %s (%s) failed", job.id, job.operation)
            return self._failed(job, context, type(error).__name__, retryable=True)

    async def _work(self, job: Job, context: JobContext, handler: Handler | None) -> object:
        """Call the handler within its time limit, renewing the lease meanwhile."""
        if handler is None:
            raise FaultMavenError(f"There is no operation {job.operation}.")
        seconds = min(job.time_limit, self._options.time_limit).total_seconds()
        work = asyncio.create_task(handler(job.payload, context), name=f"job {job.id}")
        beats = asyncio.create_task(self._beat(job, context, work), name=f"heartbeat {job.id}")
        try:
            async with asyncio.timeout(seconds) as limit:
                return await work
        except TimeoutError:
            if not limit.expired():
                raise
            raise DeadlineExceededError(f"The attempt took longer than its time limit of {seconds:g} s.") from None
        except asyncio.CancelledError:
            if context.stopped:
                context.check()
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            raise RuntimeError("The operation cancelled itself.") from None
        finally:
            beats.cancel()
            await asyncio.wait([beats])

    async def _beat(self, job: Job, context: JobContext, work: asyncio.Task[object]) -> None:
        while True:
            await asyncio.sleep(self._options.beat.total_seconds())
            try:
                lease = await self._store.renew(job, self._clock.now() + self._options.lease, context.latest)
            except FaultMavenError as error:
                # The work goes on: whether the lease ends before the database is back, its token decides.
                _log.warning("The lease of job %s cannot be renewed now: %s", job.id, error)
                continue
            if lease is not Lease.HELD:
                context.stopped = True
                work.cancel()
                return

    def _failed(self, job: Job, context: JobContext, error: str, *, retryable: bool, after: float = 0.0) -> Ending:
        if not retryable or job.attempts >= job.max_attempts:
            return Ending(JobState.DEAD, kept(error), progress=context.latest)
        base, cap = self._options.first_delay.total_seconds(), self._options.longest_delay.total_seconds()
        seconds = max(after, delay(job.attempts, base=base, cap=cap, chance=self._chance))
        due_at = self._clock.now() + timedelta(seconds=seconds)
        return Ending(JobState.WAITING, kept(error), due_at=due_at, progress=context.latest)


def _passes(error: FaultMavenError) -> bool:
    """Whether a later attempt may succeed; unlike a caller, a job can read again what somebody else changed."""
    return error.retryable or isinstance(error, StaleVersionError)


def _without_work(job: Job) -> Ending | None:
    """How a job ends that must not be started again."""
    if job.cancel_requested:
        return Ending(JobState.CANCELLED, job.error)
    if job.attempts > job.max_attempts:
        return Ending(JobState.DEAD, "given up: its runner never came back")
    return None


def _succeeded(value: object, context: JobContext) -> Ending:
    result, error = codec.encode(value), ""
    if len(result) > MOST_RESULT:
        # The work is done, so this is no failure; whoever looks for the result learns why there is none.
        result, error = b"", f"too_large: The result has {len(result)} bytes, {MOST_RESULT} are kept."
    return Ending(JobState.SUCCEEDED, error, result, progress=context.latest)
