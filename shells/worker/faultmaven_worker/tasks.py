"""The one task, and the event loop under it in every pool process."""

from __future__ import annotations

import os
from typing import Any
from uuid import UUID

from celery import Celery
from celery.exceptions import Reject
from celery.signals import worker_process_init, worker_process_shutdown
from celery.worker.request import Request

from faultmaven_worker.loop import ApplicationLoop, Opener
from faultmaven_worker.stop import HangUp

TASK = "fm.run"


class Delivery(Request):  # type: ignore[misc]  # Celery has no types
    """A message that a worker holds, whose acknowledgement may fail because the broker is gone.

    Celery logs that and goes on; the message then counts as held for ever, and a worker that holds as many as it may takes
    no other, also when the broker is back. Not swallowed, the error makes it connect anew.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connection_errors = ()


class JobTask:
    """Gives a Celery application the task that runs a job by its id."""

    def __init__(self, app: Celery, opener: Opener, hang_up: HangUp, heartbeat_file: str = "") -> None:
        self._opener, self._hang_up, self._heartbeat = opener, hang_up, heartbeat_file
        self._loop: ApplicationLoop | None = None
        app.task(self._run, name=TASK, shared=False, Request=f"{__name__}:{Delivery.__name__}")
        # Celery keeps weak references otherwise, and the methods are made anew at each mention.
        worker_process_init.connect(self._begin, weak=False)
        worker_process_shutdown.connect(self._end, weak=False)

    def _begin(self, **_: Any) -> None:
        """After the fork: what the parent opened must not be used here."""
        self._hang_up.listen()
        self._loop = ApplicationLoop(self._opener, self._hang_up.reader, self._heartbeat)
        self._loop.start()

    def _end(self, **_: Any) -> None:
        if self._loop is not None:
            self._loop.close()

    def _run(self, job_id: str, trace: str) -> None:  # noqa: ARG002 - for whoever reads messages; the row has it, too
        if self._loop is None:
            raise RuntimeError(f"Process {os.getpid()} was not prepared for jobs.")
        if not self._loop.run(UUID(job_id)):
            raise Reject("handed back", requeue=True)
