"""Repositories beside an ORM, on SQLite and on PostgreSQL: what the process that asks the database pays for it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.speed.repository_work import OPERATIONS, WHOSE, fill
from benchmarks.speed.rounds import Part, Program, Programs, Setting


@contextmanager
def programs(setting: Setting) -> Iterator[Programs]:
    """Both do the same on the same rows."""
    place = str(setting.folder / "cases.db")
    asyncio.run(fill(place))
    yield Programs(_of("sqlite", place), "operations")


def _of(database: str, place: str) -> dict[str, Program]:
    return {
        f"{database} {work} {whose}": Program(
            [sys.executable, "-m", "benchmarks.speed.repository_work", whose, work, place]
        )
        for work in OPERATIONS
        for whose in WHOSE
    }


PART = Part(programs)
