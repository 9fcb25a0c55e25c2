"""Documents: `python -m benchmarks.speed.knowledge_work WHAT HOME FOLDER`.

`first` syncs a folder into an empty home and reads everything, `again` syncs it once more after that. Both count the
processes that read documents too. `largest` reads the largest text that is taken, and prints for how many seconds the
event loop was held at most by our own work.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter, process_time

from faultmaven import FaultMaven, load_settings
from faultmaven_core.jobs.commands import ShowJob
from faultmaven_core.knowledge.commands import CountKnowledge, DocumentsTaken, SyncDocuments
from faultmaven_core.knowledge.reading import MOST_CHARACTERS

LOOK_SECONDS = 0.02
TICK_SECONDS = 0.001


@asynccontextmanager
async def opened(home: str) -> AsyncIterator[FaultMaven]:
    """A laptop's FaultMaven without a model: embedding would make the first time dearer and the second none."""
    async with FaultMaven.open(load_settings({"FM_HOME": home, "FM_EMBEDDING_URL": "none:"})) as fm:
        yield fm


async def synced(fm: FaultMaven, folder: str, *, look: float = LOOK_SECONDS) -> DocumentsTaken:
    """The folder as it is now, read to its end. Looks at the jobs every so many seconds; one that was given up ends the program."""
    taken = await fm.knowledge.sync(SyncDocuments(folder), fm.caller)
    left = set(taken.jobs)
    while left:
        await asyncio.sleep(look)
        states = {job_id: (await fm.jobs.show(ShowJob(job_id), fm.caller)).job for job_id in left}
        if ended := [job for job in states.values() if job.state in ("dead", "cancelled")]:
            raise SystemExit(f"a job is {ended[0].state}: {ended[0].error}")
        left = {job_id for job_id, job in states.items() if job.state != "succeeded"}
    return taken


async def sync(home: str, folder: str, *, again: bool) -> None:
    """Sync, and print what it cost; `again` with everything there already."""
    if again:
        async with opened(home) as fm:
            await synced(fm, folder)
    cpu, wall = used(), perf_counter()
    async with opened(home) as fm:
        taken = await synced(fm, folder)
        documents = (await fm.knowledge.stats(CountKnowledge(("global",)), fm.caller)).documents
    if again and (taken.documents or taken.unchanged + taken.duplicates < documents):
        raise SystemExit(f"something was read again: {taken}")
    print(json.dumps({"units": documents, "cpu": used() - cpu, "wall": perf_counter() - wall}))


async def largest(home: str, folder: str) -> None:
    """Read one huge text beside a clock that ticks every millisecond."""
    longest = 0.0

    async def ticks() -> None:
        nonlocal longest
        last, used_before = perf_counter(), process_time()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now, used_now = perf_counter(), process_time()
            # What this process did not work in was another's time, whoever had the processor then.
            longest = max(longest, min(now - last - TICK_SECONDS, used_now - used_before))
            last, used_before = now, used_now

    async with opened(home) as fm:
        clock = asyncio.create_task(ticks())
        await synced(fm, folder)
        clock.cancel()
        await asyncio.wait([clock])
    print(longest)


def write_largest(folder: str) -> None:
    """A document of nearly as many characters as are taken."""
    line = "The connection pool of payments-db is exhausted and kube_pod_status_ready is 0.\n"
    section = "## Step\n\n" + line * 12 + "\n"
    Path(folder).mkdir()
    Path(folder, "large.md").write_text((section * (MOST_CHARACTERS // len(section))), encoding="utf-8")


def used() -> float:
    """Seconds of CPU of this process and of those that it waited for."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def main() -> None:
    """Do what the arguments say."""
    what, home, folder = sys.argv[1:]
    if what == "largest":
        write_largest(folder)
    asyncio.run(largest(home, folder) if what == "largest" else sync(home, folder, again=what == "again"))


if __name__ == "__main__":
    main()
