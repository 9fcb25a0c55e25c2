"""Documents: reading a folder of runbooks first and once more, and whether the event loop is held meanwhile."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.speed.rounds import Part, Program, Programs, Setting, judged

LONGEST_HOLD = 0.1
"""Seconds that the event loop may be held."""

ATTEMPTS = 3


@contextmanager
def _programs(setting: Setting) -> Iterator[Programs]:
    corpus = setting.data / "kb" / "corpus"
    # Each run has a home of its own, made anew: what is measured once must not be there the next time.
    with tempfile.TemporaryDirectory(prefix="fm-speed-kb-") as folder:
        script = 'home=$(mktemp -d "$1/XXXXXX") && exec "$2" -m benchmarks.speed.knowledge_work "$3" "$home" "$4"'
        by_name = {
            what: Program(["sh", "-c", script, "sh", folder, sys.executable, what, str(corpus)])
            for what in ("first", "again")
        }
        yield Programs(by_name, "documents")


def _afterwards(setting: Setting) -> Sequence[bool]:
    """How long the loop was held while a text of the largest size was read, cut and stored: the least of some attempts.

    What our work holds, it holds each time; what the machine's other work holds, it does not.
    """
    held = []
    for attempt in range(ATTEMPTS):
        folder = setting.folder / str(attempt)
        folder.mkdir()
        command = [
            sys.executable,
            "-m",
            "benchmarks.speed.knowledge_work",
            "largest",
            str(folder),
            str(folder / "large"),
        ]
        held.append(float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout))
    name = "seconds that the event loop is held by a text of two million characters"
    return [judged(name, [min(held)], most=LONGEST_HOLD)]


PART = Part(_programs, _afterwards)
