"""The local embedding model beside the bare runtime on the same chunks, which were turned into tokens beforehand."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.speed.rounds import Part, Program, Programs, Setting

WORK = ("ours", "bare", "bare, as they come")


@contextmanager
def _programs(setting: Setting) -> Iterator[Programs]:
    module = [sys.executable, "-m", "benchmarks.speed.embedding_work"]
    yield Programs({name: Program([*module, name, str(setting.data)]) for name in WORK}, "chunks")


PART = Part(_programs)
