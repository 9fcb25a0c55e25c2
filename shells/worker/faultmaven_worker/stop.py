"""A graceful stop: jobs may finish for a while, then they are handed back, and in the end nothing waits for ever."""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

from celery.signals import worker_shutting_down

HAND_BACK_SECONDS = 10.0
"""For handing back and closing, after the grace. Whoever sends SIGKILL after SIGTERM should wait longer than both."""

_log = logging.getLogger(__name__)


class HangUp:
    """A pipe that the worker closes and that ends in all its processes at once, also where the worker was killed."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()

    def listen(self) -> None:
        """In a pool process: let go of the end that is not ours, or the pipe would never end."""
        os.close(self._writer)

    def now(self) -> None:
        """In the worker: end it."""
        os.close(self._writer)


class GracefulStop:
    """Watches Celery's warm shutdown, which would wait for the longest job.

    Celery's own soft shutdown sleeps its whole time even where everything was done at once, and ends jobs by a signal
    that their rows learn nothing of; see docs/scaling.md.
    """

    def __init__(self, hang_up: HangUp, grace: float) -> None:
        self._hang_up, self._grace = hang_up, grace
        self._begun = False
        worker_shutting_down.connect(self._begin, weak=False)

    def _begin(self, **_: Any) -> None:
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._watch, name="faultmaven-graceful-stop", daemon=True).start()

    def _watch(self) -> None:
        pause = threading.Event()
        pause.wait(self._grace)
        _log.warning("The grace of %g s is over: jobs that still run are handed back.", self._grace)
        self._hang_up.now()
        pause.wait(HAND_BACK_SECONDS)
        # Such as a broker that hangs while we say goodbye. Pool processes die with us, rows and messages come back.
        _log.error("The worker did not end in time and is ended now.")
        os._exit(1)
