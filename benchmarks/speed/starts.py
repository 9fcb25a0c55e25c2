"""How soon each service lives and is ready, and what memory it takes then, beside the smallest server there is.

On SQLite and files, with tables that are there already.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.speed.goals import STARTED
from benchmarks.speed.measure import run
from benchmarks.speed.rounds import Part, Program, Programs, Setting

LIVE, READY = "/health/live", "/health/ready"


@contextmanager
def _programs(setting: Setting) -> Iterator[Programs]:
    home = str(setting.folder / "home")
    run(_command("all", READY, home))
    programs = {"hello": Program(_command("hello", LIVE))}
    for service in STARTED:
        programs[f"{service} live"] = Program(_command(service, LIVE, home))
        programs[f"{service} ready"] = Program(_command(service, READY, home))
    yield Programs(programs, "starts")


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.speed.start_work", *arguments]


PART = Part(_programs)
