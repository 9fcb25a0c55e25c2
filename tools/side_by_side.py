"""Runs two commands at once: `side_by_side.py FIRST… -- SECOND…`.

Their outputs do not mix: the first is shown as it runs, then what the second has said until then, then the rest of it. Ends
with the first exit code that is not zero. An interrupt ends both, and so does the end of this program, however it comes.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from billiard.util import set_pdeathsig

LOOK_EVERY = 0.5
"""Seconds between two looks at what the second command has said."""

ENDINGS = (signal.SIGINT, signal.SIGTERM)
"""What this program is told to end by; the commands are told by an interrupt, on which they end what they have started."""


def main(arguments: Sequence[str]) -> int:
    """The exit code of the first that failed."""
    if arguments.count("--") != 1:
        sys.exit(__doc__)
    cut = arguments.index("--")
    both: list[subprocess.Popen[bytes]] = []

    def interrupt(*_: object) -> None:
        for command in both:
            command.send_signal(signal.SIGINT)

    for number in ENDINGS:
        signal.signal(number, interrupt)
    with tempfile.NamedTemporaryFile() as said:
        # What comes meanwhile waits until there are both to be told.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
        second = _started(arguments[cut + 1 :], said)
        first = _started(arguments[:cut], None)
        both += [first, second]
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
        first.wait()
        _follow(second, said.name)
    return next((command.returncode for command in both if command.returncode), 0)


def _started(command: Sequence[str], output: IO[bytes] | None) -> subprocess.Popen[bytes]:
    # In a group of its own a terminal does not tell it as well: who is told twice breaks off what the first has begun.
    return subprocess.Popen(
        command,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        process_group=0,
        preexec_fn=_listening,  # noqa: PLW1509  # this program has no threads
    )


def _listening() -> None:
    """Ends with this program; and hears an interrupt also where a shell in the background has them ignored."""
    set_pdeathsig(signal.SIGINT)
    for number in ENDINGS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)


def _follow(command: subprocess.Popen[bytes], place: str) -> None:
    """Shows everything that it has said and says, until it ends."""
    with Path(place).open("rb") as said:
        ended = False
        while not ended:
            ended = command.poll() is not None
            shutil.copyfileobj(said, sys.stdout.buffer)
            sys.stdout.flush()
            if not ended:
                time.sleep(LOOK_EVERY)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
