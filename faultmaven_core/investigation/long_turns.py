"""Turns that take longer than anybody wants to wait: they go on as jobs, which outlive client and process."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from faultmaven_core import codec
from faultmaven_core.cases.turn_commands import TurnKept
from faultmaven_core.investigation.keeping import place_of, view_of
from faultmaven_core.investigation.ports import Watch
from faultmaven_core.investigation.receiving import digest, refused
from faultmaven_core.investigation.service import unwatched
from faultmaven_core.investigation.turn_commands import Attachment, FinishTurn, TakeTurn, TurnPlace, TurnView
from faultmaven_core.investigation.turns import TurnService
from faultmaven_core.jobs.commands import JobView, ShowJob
from faultmaven_core.jobs.context import JobContext
from faultmaven_core.jobs.model import OPEN, JobState
from faultmaven_core.jobs.runner import JobRunner
from faultmaven_core.jobs.service import JobService
from faultmaven_core.ports.extraction_runner import Extracted, Progress
from faultmaven_core.ports.job_queue import MOST_PAYLOAD, JobRequest
from faultmaven_core.ports.writes import RequestKeyReusedError
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import FaultMavenError, NotFoundError
from faultmaven_core.shared.ids import Ids

FINISH = "turn.finish"
"""The operation that the job is of."""

ATTEMPTS = 3

LEAD = timedelta(seconds=2)
"""How long other runners leave a new job alone, so that whoever works at it already can take it."""

FAILED = (JobState.DEAD, JobState.CANCELLED)
"""An id is used once, and what such a job names may have been given back: the same turn once more is another job."""

_REUSED = "Another turn is under way under this key; a new turn needs a new one."

_log = logging.getLogger(__name__)


class LongTurns:
    """Answers turns, in time or later. What is still under way when it is closed is handed to other runners of jobs."""

    def __init__(self, turns: TurnService, jobs: JobService, runner: JobRunner, clock: Clock, ids: Ids) -> None:
        self._turns, self._jobs, self._runner = turns, jobs, runner
        self._clock, self._ids = clock, ids
        self._going: set[asyncio.Task[None]] = set()
        # By key, what is sent under it: another turn under the key would be kept before a longer one, and cost it its key.
        self._answering: dict[UUID, str] = {}

    async def take(
        self,
        command: TakeTurn,
        caller: Caller,
        attachments: Sequence[Attachment] = (),
        *,
        seconds: float,
        progress: Watch = unwatched,
    ) -> TurnView | JobView:
        """Answer a turn; where that takes more than so many seconds, the job that goes on with it.

        For a turn that is still under way as a job, under its request key, that job. Raises as TurnService.take does.
        """
        until = asyncio.get_running_loop().time() + seconds
        keyed = caller if caller.request_key else replace(caller, request_key=f"turn-{self._ids.new()}")
        request = digest(command, attachments)
        attempt, job = await self._last(command.case_id, keyed, request) if caller.request_key else (0, None)
        if job is not None:
            return job
        key = _id(command.case_id, keyed, "")
        if self._answering.get(key, request) != request:
            raise RequestKeyReusedError(_REUSED)
        begun = await self._turns.begin(command, keyed, attachments)
        if isinstance(begun, TurnView):
            return begun
        watched = _Watched(progress)
        work = asyncio.create_task(self._turns.answer(begun, keyed, watched), name=f"turn {request}")
        self._answering[key] = request
        work.add_done_callback(lambda _: self._answering.pop(key, None))
        try:
            await asyncio.wait((work,), timeout=max(0.0, until - asyncio.get_running_loop().time()))
            if work.done():
                return view_of(work.result())
            job = await self._asked(attempt, begun, keyed)
        except BaseException as error:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            if refused(error):
                await self._turns.give_back(begun, keyed)
            raise
        going = asyncio.create_task(self._attended(job, work, watched), name=f"long {work.get_name()}")
        self._going.add(going)
        going.add_done_callback(self._going.discard)
        return job

    async def aclose(self) -> None:
        """Hand over what is under way."""
        for task in self._going:
            task.cancel()
        if self._going:
            await asyncio.wait(self._going)

    async def _last(self, case_id: str, caller: Caller, request: str) -> tuple[int, JobView | None]:
        """How many jobs of this turn have failed, and the one that is under way."""
        failed = 0
        while True:
            try:
                job = (await self._jobs.show(ShowJob(str(_id(case_id, caller, request, failed))), caller)).job
            except NotFoundError:
                return failed, None
            if job.state not in FAILED:
                return failed, job if job.state in OPEN else None
            failed += 1

    async def _asked(self, attempt: int, begun: FinishTurn, caller: Caller) -> JobView:
        """The job of a turn. Raises RequestKeyReusedError where another one is under way under its key."""
        job_id = _id(begun.turn.case_id, caller, begun.request, attempt)
        payload = codec.encode(begun)
        if len(payload) > MOST_PAYLOAD:
            payload = codec.encode(replace(begun, turn=replace(begun.turn, query="", intent_data={}), cut=True))
        key = f"{FINISH} {_id(begun.turn.case_id, caller, '')}"
        asker = replace(caller, request_key="")
        due = self._clock.now() + LEAD
        job = await self._jobs.ask(
            JobRequest(FINISH, payload, asker, key, run_at=due, max_attempts=ATTEMPTS, id=job_id)
        )
        if job.job_id != str(job_id):
            raise RequestKeyReusedError(_REUSED)
        # One that has failed meanwhile names files that were given back with it: this turn's are others.
        return await self._asked(attempt + 1, begun, caller) if job.state in FAILED else job

    async def _attended(self, job: JobView, work: asyncio.Task[TurnKept], watched: _Watched) -> None:
        async def under_way(_: bytes, context: JobContext) -> TurnPlace:
            watched.context = context
            return place_of(await work)

        try:
            # Another job that runs has a due time too: the end of its lease, which is not ours to take.
            if job.state == JobState.QUEUED and job.due_at is not None:
                await self._runner.attend(UUID(job.job_id), job.due_at, under_way)
        except FaultMavenError as error:
            # The database is away; the row is the truth, and its lease ends.
            _log.warning("The job %s of a turn is left to its row: %s", job.job_id, error)
        finally:
            work.cancel()  # where another runner has the job
            await asyncio.gather(work, return_exceptions=True)


class _Watched:
    """Tells whoever waits how the reading goes, and from then on the job."""

    def __init__(self, first: Watch) -> None:
        self._first = first
        self.context: JobContext | None = None

    def __call__(self, event: Progress | Extracted) -> None:
        if self.context is None:
            self._first(event)
        elif isinstance(event, Progress):
            self.context.progress(event.files_done, event.files_total, event.finding or f"{event.stage} {event.name}")


def _id(case_id: str, caller: Caller, request: str, attempt: int = 0) -> UUID:
    whole = f"{FINISH}\0{caller.organization}\0{caller.user}\0{case_id}\0{caller.request_key}\0{request}\0{attempt}"
    return UUID(bytes=hashlib.sha256(whole.encode()).digest()[:16], version=5)
