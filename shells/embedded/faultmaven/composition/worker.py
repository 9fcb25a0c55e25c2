"""What a worker runs: the Celery application, runners of jobs, and what keeps rows and schedules moving."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from injector import Module, provider, singleton

from faultmaven.composition.resources import open_application
from faultmaven.composition.select import backend
from faultmaven.composition.stores import Transport, broker_place
from faultmaven.tree import Settings
from faultmaven_core.jobs.runner import JobRunner

if TYPE_CHECKING:
    from celery import Celery

Step = Callable[[], Awaitable[None]]


def celery_app_of(settings: Settings) -> Celery:
    """The Celery application that these settings describe, without tasks."""
    from faultmaven_adapters.jobs.celery_app import CeleryOptions, celery_app

    chosen = settings.worker
    options = CeleryOptions(chosen.queues, settings.jobs.time_limit, chosen.max_tasks, chosen.max_memory)
    return celery_app(broker_place(settings), options)


@asynccontextmanager
async def open_runner(settings: Settings) -> AsyncIterator[JobRunner]:
    """What runs a job, with all that its operation may need."""
    async with open_application(settings) as application:
        yield application.runner


@asynccontextmanager
async def open_embedded(settings: Settings) -> AsyncIterator[None]:
    """Runs jobs from now on, as many at once as the settings say; at the end finishes or hands back what runs."""
    concurrency = settings.worker.concurrency or os.cpu_count() or 1
    made = backend("jobs", "embedded").EmbeddedJobs(concurrency=concurrency, drain_seconds=settings.worker.grace)
    async with open_application(settings, overrides=[_Given(made)]):
        yield


@asynccontextmanager
async def open_housekeeping(settings: Settings) -> AsyncIterator[Step]:
    """A step to be taken every second: jobs of schedules are asked for, runners are told of what nobody took."""
    transport: Any = backend("jobs", settings.jobs.url.scheme).CeleryJobs(broker_place(settings))
    async with open_application(settings, overrides=[_Given(transport)]) as application:

        async def step() -> None:
            await application.scheduler.tick()
            transport.notify(await transport.lacking(await application.runner.relay()))

        yield step


async def wait_for_broker(settings: Settings) -> None:
    """Return when the broker answers. Raises its error when the start-up wait is over."""
    from faultmaven_adapters._support.backoff import wait_until_up

    transport: Any = backend("jobs", settings.jobs.url.scheme).CeleryJobs(broker_place(settings))
    try:
        await wait_until_up(transport.ping, patience=settings.startup_wait)
    finally:
        await transport.aclose()


class _Given(Module):
    """A transport that was made already."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    @singleton
    @provider
    def transport(self) -> Transport:
        """It."""
        return self._transport  # type: ignore[no-any-return]  # the module was chosen by name
