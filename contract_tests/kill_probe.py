"""Operations for workers that are killed while they run: an effect in the database, a poison, one without end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path

from faultmaven_adapters.sql.storage import SqlStorage
from faultmaven_core.cases.commands import OpenCase
from faultmaven_core.cases.service import CaseService
from faultmaven_core.jobs.context import Handler, JobContext
from faultmaven_core.shared.clock import SystemClock
from faultmaven_core.shared.ids import RandomIds

EFFECT, POISON, ENDLESS = "probe.effect", "probe.poison", "probe.endless"
WORK_SECONDS = 0.01


def handlers(path: Path, storage: SqlStorage) -> Mapping[str, Handler]:
    """Operations that note each of their runs in the file `path`."""
    clock = SystemClock()
    cases = CaseService(storage.cases, clock, RandomIds(clock))

    async def effect(_: bytes, context: JobContext) -> str:
        """Open a case; the command takes effect once however often the job runs, by the caller's request key."""
        _note(path, context)
        opened = await cases.open(OpenCase(title=str(context.job_id)), context.caller)
        # Here many are killed: after the effect, before the job is known to be done.
        await asyncio.sleep(WORK_SECONDS)
        return opened.case_id

    async def poison(_: bytes, context: JobContext) -> None:
        _note(path, context)
        os.kill(os.getpid(), signal.SIGKILL)

    async def endless(_: bytes, context: JobContext) -> None:
        _note(path, context)
        await asyncio.Event().wait()

    return {EFFECT: effect, POISON: poison, ENDLESS: endless}


def runs(path: Path) -> list[str]:
    """The ids of jobs, once for each time they were begun."""
    return path.read_text().split() if path.exists() else []


def _note(path: Path, context: JobContext) -> None:
    # One write in append mode: lines of many processes do not mix.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, f"{context.job_id}\n".encode())
    os.close(descriptor)
