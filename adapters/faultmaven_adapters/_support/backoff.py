"""Waiting at start for a server that is starting too."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from faultmaven_core.shared.backoff import delay
from faultmaven_core.shared.errors import FaultMavenError

FIRST_DELAY = 0.2
LONGEST_DELAY = 5.0

_log = logging.getLogger(__name__)


async def wait_until_up(
    attempt: Callable[[], Awaitable[None]],
    *,
    patience: float,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    seconds: Callable[[], float] = time.monotonic,
    chance: Callable[[], float] = random.random,
) -> None:
    """Make the attempt until it succeeds; between failures that are retryable wait, longer each time.

    Whatever is not retryable (a wrong password) is raised at once, the last failure when `patience` seconds are over.
    """
    end, tries = seconds() + patience, 0
    while True:
        try:
            await attempt()
        except FaultMavenError as error:
            left = end - seconds()
            if not error.retryable or left <= 0:
                raise
            tries += 1
            pause = min(left, delay(tries, base=FIRST_DELAY, cap=LONGEST_DELAY, chance=chance))
            _log.info("Not up yet, next try in %.1f s: %s", pause, error)
            await sleep(pause)
        else:
            return
