"""Operations whose effects a suite sees, whichever process runs them: each effect is one line appended to one file."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from faultmaven_contract_tests.samples import Storage
from faultmaven_core.jobs.context import Handler, JobContext
from faultmaven_core.shared.errors import (
    BackendUnavailableError,
    FaultMavenError,
    InvalidInputError,
    NotFoundError,
    RateLimitedError,
)
from faultmaven_core.shared.ids import CaseId

_FAILURES: Mapping[str, FaultMavenError] = {
    "unavailable": BackendUnavailableError("The probe is away."),
    "invalid_input": InvalidInputError("The probe is wrong."),
    "rate_limited": RateLimitedError("The probe is busy.", retry_after=1.5),
}


@dataclass(frozen=True, slots=True)
class Effect:
    """What a job did. `started` is its attempt's moment in the installation's time, `at` the machine's, in seconds."""

    job: UUID
    what: str
    attempt: int
    organization: str
    user: str
    trace: str
    started: datetime
    at: float


class Effects:
    """The file, read by the suite and appended to by every process that runs jobs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, context: JobContext, what: str, started: datetime) -> None:
        """Append one line, whole however many processes do so at once."""
        line = {
            "job": str(context.job_id),
            "what": what,
            "attempt": context.attempt,
            "organization": context.caller.organization,
            "user": context.caller.user,
            "trace": context.trace,
            "started": started.isoformat(),
            "at": time.time(),
        }
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, json.dumps(line).encode() + b"\n")
        finally:
            os.close(handle)

    def seen(self, job: UUID | None = None, what: str = "") -> Sequence[Effect]:
        """The effects, of one job and of one kind where they are named, in the order in which they happened."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        every = [_effect(json.loads(line)) for line in lines]
        return [one for one in every if job in (None, one.job) and what in ("", one.what)]


def handlers(path: Path, storage: Storage) -> Mapping[str, Handler]:
    """The operations. Their payloads are JSON objects; `times` says at how many calls they do what they are named after."""
    probes = _Probes(Effects(path), storage)
    return {
        "probe.note": probes.note,
        "probe.sleep": probes.sleep,
        "probe.hang": probes.hang,
        "probe.fail": probes.fail,
        "probe.die": probes.die,
        "probe.steps": probes.steps,
        "probe.look": probes.look,
    }


class _Probes:
    def __init__(self, effects: Effects, storage: Storage) -> None:
        self._effects, self._storage = effects, storage

    async def note(self, payload: bytes, context: JobContext) -> object:
        """Do nothing but be seen; the answer is the payload."""
        await self._begin(context)
        return json.loads(payload)

    async def sleep(self, payload: bytes, context: JobContext) -> object:
        """Take `seconds`."""
        started = await self._begin(context)
        await asyncio.sleep(json.loads(payload)["seconds"])
        self._effects.add(context, "done", started)
        return None

    async def hang(self, payload: bytes, context: JobContext) -> object:
        """Never end."""
        started = await self._begin(context)
        if self._calls(context) <= json.loads(payload).get("times", 1_000):
            await asyncio.Event().wait()
        self._effects.add(context, "done", started)
        return None

    async def fail(self, payload: bytes, context: JobContext) -> object:
        """Raise the error with the code `error`."""
        given = json.loads(payload)
        started = await self._begin(context)
        if self._calls(context) <= given.get("times", 1_000):
            raise _FAILURES[given["error"]]
        self._effects.add(context, "done", started)
        return None

    async def die(self, payload: bytes, context: JobContext) -> object:
        """Take the process along, as a lack of memory would."""
        started = await self._begin(context)
        if self._calls(context) <= json.loads(payload).get("times", 1_000):
            os.kill(os.getpid(), signal.SIGKILL)
        self._effects.add(context, "done", started)
        return None

    async def steps(self, payload: bytes, context: JobContext) -> object:
        """Go on for long, saying how far it is."""
        await self._begin(context)
        steps = json.loads(payload)["steps"]
        for step in range(steps):
            context.progress(step, steps, f"Step {step}")
            await asyncio.sleep(0.02)
        return steps

    async def look(self, payload: bytes, context: JobContext) -> object:
        """Say whether a case can be seen."""
        await self._begin(context)
        async with self._storage.cases(context.caller.organization, read_only=True) as unit:
            try:
                await unit.cases.get(CaseId(json.loads(payload)["case_id"]))
            except NotFoundError:
                return False
        return True

    async def _begin(self, context: JobContext) -> datetime:
        async with self._storage.job_units(context.caller.organization, read_only=True) as unit:
            started = (await unit.jobs.get(context.job_id)).started_at
        assert started is not None
        self._effects.add(context, "began", started)
        return started

    def _calls(self, context: JobContext) -> int:
        return len(self._effects.seen(context.job_id, "began"))


def _effect(line: dict[str, Any]) -> Effect:
    return Effect(**line | {"job": UUID(line["job"]), "started": datetime.fromisoformat(line["started"])})
