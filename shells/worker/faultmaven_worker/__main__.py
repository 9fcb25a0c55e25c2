"""`python -m faultmaven_worker`: what `fm worker` becomes; all of its size and limits stands in the environment."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

from faultmaven import load_settings
from faultmaven.composition import worker
from faultmaven.tree import Settings
from faultmaven_core.shared.errors import FaultMavenError, MisconfiguredError
from faultmaven_worker.liveness import keep_touching

FAILED, RETRY_LATER, MISCONFIGURED = 70, 75, 78
"""Exit codes, of sysexits.h."""


def main() -> int:
    """Run the worker; its exit code."""
    try:
        settings = load_settings()
        if settings.jobs.url.scheme == "embedded":
            return asyncio.run(_embedded(settings))
        asyncio.run(_reach(settings))
        return _celery(settings)
    except FaultMavenError as error:
        sys.stderr.write(f"error: {error}\n")
        if isinstance(error, MisconfiguredError):
            return MISCONFIGURED
        return RETRY_LATER if error.retryable else FAILED


async def _reach(settings: Settings) -> None:
    """Before anything is forked: what cannot work is said here, once, and nothing stays open."""
    _say("Waiting for the database and the broker.")
    async with worker.open_runner(settings):
        """The database is there, its schema is right."""
    await worker.wait_for_broker(settings)


def _celery(settings: Settings) -> int:
    from faultmaven_worker.app import run_celery
    from faultmaven_worker.schedule import BeatProcess

    app = worker.celery_app_of(settings)
    beat = BeatProcess() if settings.worker.beat else None
    if beat:
        beat.start()
    try:
        return run_celery(app, lambda: worker.open_runner(settings), settings.worker)
    finally:
        if beat:
            beat.close()


async def _embedded(settings: Settings) -> int:
    """Run jobs in this very process, from the rows, without a broker."""
    if settings.worker.autoscale:
        raise MisconfiguredError(
            "FM_WORKER_AUTOSCALE_MIN and _MAX need a broker in FM_JOBS_URL; set FM_WORKER_CONCURRENCY."
        )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with worker.open_embedded(settings):
        _say("The worker is ready and takes jobs.")
        beats = asyncio.create_task(keep_touching(settings.worker.heartbeat_file))
        await stop.wait()
        beats.cancel()
        _say("The worker stops.")
    return 0


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    # Celery's signal handlers end the process by themselves, so nothing but the code is left to say.
    sys.exit(main())
