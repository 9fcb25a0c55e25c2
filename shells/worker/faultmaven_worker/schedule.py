"""Beat: asks for the jobs of schedules and tells workers of jobs that nobody took. Two at once do no harm.

A process of its own (`python -m faultmaven_worker.schedule`), since the worker forks and must hold no connections. It ends
when its standard input does, so it never outlives the worker that started it.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading

from faultmaven import load_settings
from faultmaven.composition.worker import Step, open_housekeeping
from faultmaven.tree import Settings
from faultmaven_core.shared.errors import FaultMavenError

SECONDS = 1.0
"""Between steps: what is due starts at most so much later."""

RESTART_SECONDS = 2.0
END_SECONDS = 10.0

_log = logging.getLogger(__name__)


async def keep_house(settings: Settings, stop: asyncio.Event) -> None:
    """Take a step every second until `stop`; while the database is away, wait for it."""
    while not stop.is_set():
        try:
            async with open_housekeeping(settings) as step:
                await _steps(step, stop)
        except FaultMavenError as error:
            _log.warning("Schedules and forgotten jobs wait: %s", error)
            await _pause(RESTART_SECONDS, stop)


async def _steps(step: Step, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await step()
        except FaultMavenError as error:
            _log.warning("Schedules and forgotten jobs wait: %s", error)
        await _pause(SECONDS, stop)


async def _pause(seconds: float, stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


class BeatProcess:
    """The process beside a worker; started again where it ends by itself."""

    def __init__(self, command: tuple[str, ...] = (sys.executable, "-m", "faultmaven_worker.schedule")) -> None:
        self._command = command
        self._closing = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="faultmaven-beat", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End the process; returns when it has ended."""
        self._closing.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._closing.is_set():
            with subprocess.Popen(self._command, stdin=subprocess.PIPE) as child:  # noqa: S603 - our own module
                while child.poll() is None and not self._closing.wait(0.2):
                    """It runs."""
                if child.stdin:
                    child.stdin.close()
                try:
                    child.wait(END_SECONDS)
                except subprocess.TimeoutExpired:
                    child.kill()
            if not self._closing.wait(RESTART_SECONDS):
                _log.error("The process for schedules ended with %s and is started again.", child.returncode)


async def _until_input_ends(settings: Settings) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    # A thread, for standard input may be a file that the loop cannot watch.
    threading.Thread(target=lambda: (sys.stdin.buffer.read(), loop.call_soon_threadsafe(stop.set)), daemon=True).start()
    await keep_house(settings, stop)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(_until_input_ends(load_settings()))
