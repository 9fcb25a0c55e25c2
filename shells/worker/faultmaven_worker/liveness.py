"""The file that tells a liveness probe that an event loop of the worker still turns."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

SECONDS = 5.0
"""Between touches; a probe should give up after some of them."""

_log = logging.getLogger(__name__)


async def keep_touching(path: str) -> None:
    """Touch the file for ever; without a path do nothing for ever. One that cannot be written is said, not died of."""
    while True:
        if path:
            try:
                Path(path).touch()  # noqa: ASYNC240 - a touch; done by the loop itself, for that is what it proves
            except OSError as error:
                why = os.strerror(error.errno) if error.errno else "unknown reason"
                _log.warning("FM_WORKER_HEARTBEAT_FILE %s cannot be written: %s.", path, why)
        await asyncio.sleep(SECONDS)
