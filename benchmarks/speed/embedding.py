"""The local embedding model, and a whole ingest with it, beside the bare runtime on the same chunks, which are tokens already."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.speed.measure import run
from benchmarks.speed.rounds import Part, Program, Programs, Setting

WORK = ("ours", "bare", "bare, as they come", "ingest", "bare ingest")
RUNBOOKS = 24


@contextmanager
def _programs(setting: Setting) -> Iterator[Programs]:
    runbooks = setting.folder / "runbooks"
    runbooks.mkdir()
    for number, page in enumerate(sorted(setting.data.glob("kb/corpus/**/*.md"))[::20][:RUNBOOKS]):
        shutil.copy(page, runbooks / f"{number}-{page.name}")

    def command(name: str) -> list[str]:
        module = [sys.executable, "-m", "benchmarks.speed.embedding_work"]
        return [*module, name, str(setting.data), str(setting.folder)]

    run(command("seed"))
    yield Programs({name: Program(command(name)) for name in WORK}, "chunks")


PART = Part(_programs)
