"""An installation that runs jobs, as the suites of transports see it."""

from __future__ import annotations

import asyncio
import json
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from faultmaven_contract_tests.job_probes import Effects
from faultmaven_contract_tests.samples import ACME, Storage
from faultmaven_core.jobs.model import OPEN, Job
from faultmaven_core.jobs.runner import RunnerOptions
from faultmaven_core.jobs.service import JobService
from faultmaven_core.ports.job_queue import JobRequest, QueuedJob
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.ids import OrganizationId, UserId

ANN = Caller(ACME, UserId("ann"))
SECONDS = 60
"""How long anything may take before a clause fails; a busy machine is no failure."""


class Installation(Protocol):
    """One installation: rows, a transport, and runners that know the operations of `job_probes`. At first none runs.

    `options` are its runners' times, short enough to wait for. Commits of `storage` tell the transport.
    """

    capabilities: frozenset[str]
    storage: Storage
    clock: Clock
    options: RunnerOptions
    effects: Effects
    told: list[QueuedJob]
    """What the transport was told of, in that order."""

    @abstractmethod
    async def start(self, runners: int = 1, *, concurrency: int = 2, killable: bool = False) -> None:
        """Start runners, each for so many jobs at once. Raises UnsupportedError where they are to be killable and cannot."""

    @abstractmethod
    async def stop(self) -> None:
        """End all runners as one does for a new version; they have their grace for what is at work."""

    @abstractmethod
    async def kill(self) -> None:
        """End all killable runners as a power cut would."""

    @abstractmethod
    async def wait(self, time: timedelta) -> None:
        """Let so much of the installation's time pass."""

    @abstractmethod
    def tell(self, jobs: Sequence[QueuedJob]) -> None:
        """Tell the transport of jobs, as commits do."""

    @abstractmethod
    async def cut(self) -> None:
        """From now on nothing reaches the other side of the transport."""

    @abstractmethod
    async def mend(self) -> None:
        """It does again."""

    @abstractmethod
    async def failover(self) -> None:
        """Kill what the transport speaks to, where another one takes its place. Raises UnsupportedError where none does."""


def request(operation: str = "probe.note", payload: object = None, **more: Any) -> JobRequest:
    """A job of a probe."""
    return replace(JobRequest(operation, json.dumps(payload or {}).encode(), ANN), **more)


async def ask(subject: Installation, *wanted: JobRequest) -> list[UUID]:
    """Ask for jobs in one unit and commit."""
    async with subject.storage.cases(wanted[0].caller.organization) as unit:
        asked = [await unit.outbox.add(one) for one in wanted]
        await unit.commit()
    return asked


async def job_of(subject: Installation, job_id: UUID, organization: OrganizationId = ACME) -> Job:
    """The row."""
    async with subject.storage.job_units(organization, read_only=True) as unit:
        return await unit.jobs.get(job_id)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when it is so."""
    async with asyncio.timeout(SECONDS):
        while not await condition():  # noqa: ASYNC110 - what is waited for may happen in another process
            await asyncio.sleep(0.02)


async def ended(subject: Installation, *job_ids: UUID, organization: OrganizationId = ACME) -> list[Job]:
    """The rows, when all have ended."""

    async def over() -> bool:
        return all([(await job_of(subject, job_id, organization)).state not in OPEN for job_id in job_ids])

    await until(over)
    return [await job_of(subject, job_id, organization) for job_id in job_ids]


async def began(subject: Installation, job_id: UUID, times: int = 1) -> None:
    """Return when a job's operation was called so often."""

    async def called() -> bool:
        return len(subject.effects.seen(job_id, "began")) >= times

    await until(called)


def service(subject: Installation) -> JobService:
    """Jobs as people see them, in the installation's time."""
    return JobService(subject.storage.job_units, subject.storage.jobs, subject.clock)


def none_open(subject: Installation) -> Callable[[], Awaitable[bool]]:
    """Whether every job has ended."""

    async def over() -> bool:
        return all(depth.state not in OPEN for depth in await subject.storage.jobs.depths())

    return over
