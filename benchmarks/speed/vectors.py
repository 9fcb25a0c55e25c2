"""Vector stores with 100,000 chunks: ours beside the client of the same store on the same data, and beside bare hnswlib."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.speed.measure import run
from benchmarks.speed.rounds import Part, Program, Programs, Setting
from faultmaven_contract_tests import servers

STORES = ("sqlite", "chroma", "chroma server", "milvus")
WITH_CLIENTS = STORES[1:]
WORK = (
    "search hnswlib",
    "search numpy",
    *(f"search {store} ours" for store in STORES),
    *(f"search {store} client" for store in WITH_CLIENTS),
    *(f"upsert {store} ours" for store in STORES),
    *(f"upsert {store} client" for store in WITH_CLIENTS),
)


@contextmanager
def _programs(setting: Setting) -> Iterator[Programs]:
    with ExitStack() as stack:
        chroma, milvus = (stack.enter_context(servers.private(name)) for name in ("chroma", "milvus"))
        command = [sys.executable, "-m", "benchmarks.speed.vector_work", str(setting.folder), chroma.url, milvus.url]
        for what in ("data", "hnswlib", *STORES):
            print(f"  filling {what}: {run([*command, 'fill', what]).wall:.0f} s")
        programs = {name: Program([*command, *name.split(" ", 1)]) for name in WORK}
        yield Programs(programs, "times", [*chroma.pids, *milvus.pids])


PART = Part(_programs)
