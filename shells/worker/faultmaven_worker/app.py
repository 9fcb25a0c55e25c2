"""Runs a Celery worker for our one task, until it is told to stop."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import Any

from celery import Celery
from celery.exceptions import CPendingDeprecationWarning, SecurityWarning
from celery.signals import worker_ready

from faultmaven.tree import WorkerSettings
from faultmaven_worker.argv import celery_argv
from faultmaven_worker.loop import Opener
from faultmaven_worker.stop import GracefulStop, HangUp
from faultmaven_worker.tasks import JobTask


def run_celery(app: Celery, opener: Opener, settings: WorkerSettings) -> int:
    """Run jobs in processes of their own, each with what `opener` opens; the exit code when the worker has ended."""
    _log_to_stderr()
    # Said of workers that run as root, for pickled messages; this one takes JSON only, and has no --uid.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    # Said at each lost connection, of a default that we set ourselves.
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
    hang_up = HangUp()
    held = JobTask(app, opener, hang_up, settings.heartbeat_file), GracefulStop(hang_up, settings.grace)
    worker_ready.connect(_say_ready, weak=False)
    try:
        app.worker_main(celery_argv(settings))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    finally:
        del held
    return 0


def say(sentence: str) -> None:
    """Tell whoever watches the worker."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def _say_ready(**_: Any) -> None:
    say("The worker is ready and takes jobs.")


def _log_to_stderr() -> None:
    # Before Celery does it: its own set-up would print in colours and to its own format.
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
