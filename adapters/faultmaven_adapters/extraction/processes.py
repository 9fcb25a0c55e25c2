"""Extraction in child processes with limits: a hostile file can crash one, and costs nothing but itself."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import cast

from faultmaven_adapters.extraction.frames import DONE, MAX_FRAME, Order, message_of
from faultmaven_adapters.extraction.jobs import Failed, Job, Opened, Reply
from faultmaven_adapters.extraction.run import Executor, Run
from faultmaven_adapters.extraction.scratch import private_folder
from faultmaven_core.analysis.intake.prepare import Prepared
from faultmaven_core.analysis.model import Extraction
from faultmaven_core.ports.document_reader import ReadDocument
from faultmaven_core.ports.extraction_runner import EVERYTHING, ExtractionRun, ExtractionRunner, Input, Options
from faultmaven_core.shared.errors import BackendError

_PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "TMPDIR", "COVERAGE_PROCESS_START")
"""Variables that a child needs to start; all others may be secrets and stay here."""


_START_SECONDS = 120
"""A child imports numpy and compiles signatures: tenths of a second, on a machine under load many times that."""


_GRACE_SECONDS = 5

LARGE = 64 << 10
"""Bytes of a reply that is not taken apart on the event loop."""

WORTH_A_PROCESS = 2 << 20
"""Bytes of input from which a further process pays: reading them takes as long as starting one."""


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """For one process: `memory` in bytes of data, and how long a job may take: `seconds`, plus some per MiB."""

    memory: int = 2 << 30
    seconds: float = 60.0
    seconds_per_mib: float = 0.5
    most_seconds: float = 1800.0

    def wall(self, size: int) -> float:
        """Seconds for a job over `size` bytes."""
        return min(self.most_seconds, self.seconds + self.seconds_per_mib * (size >> 20))


class ProcessExtractionRunner(ExtractionRunner):
    """See the port. `tools` is `module:function` that children call to build their Tools.

    `processes` of 0 means as many as pay for the size of the input, at most one per core.
    """

    def __init__(self, tools: str, processes: int = 0, limits: ProcessLimits = ProcessLimits()) -> None:
        self._tools, self._limits = tools, limits
        self._processes = processes

    @asynccontextmanager
    async def run(self, inputs: Sequence[Input], options: Options = EVERYTHING) -> AsyncIterator[ExtractionRun]:
        """See the port."""
        paying = min(len(os.sched_getaffinity(0)), 1 + _size(inputs) // WORTH_A_PROCESS)
        pool = ProcessPool(self._tools, self._processes or paying, self._limits)
        with private_folder() as folder:
            run = Run(pool, folder, inputs, options)
            try:
                yield run
            finally:
                # Shielded, so that a second Ctrl-C cannot leave a process behind.
                await asyncio.shield(_end(run, pool))


def _size(inputs: Sequence[Input]) -> int:
    """Bytes on disk, as far as they can be told now."""
    size = 0
    for given in inputs:
        with suppress(OSError):
            size += os.stat(given.path).st_size
    return size


async def _end(run: Run, pool: ProcessPool) -> None:
    await run.stop()
    await pool.close()


class ProcessPool(Executor):
    """Children that wait for jobs; started when first needed, replaced when they die."""

    def __init__(self, tools: str, size: int, limits: ProcessLimits) -> None:
        self._tools, self._limits = tools, limits
        self._free = asyncio.Semaphore(size)
        self._idle: list[Process] = []
        self._all: set[Process] = set()

    async def submit(self, job: Job, size: int) -> Sequence[Reply]:
        """See the port of the run."""
        seconds = self._limits.wall(size)
        replies: list[Reply] = []
        async with self._free:
            child = self._idle.pop() if self._idle else await self._start()
            try:
                async with asyncio.timeout(seconds):
                    await self._do(child, Order(job, int(seconds) + 1), replies)
                self._idle.append(child)
            except TimeoutError:
                replies.append(Failed("timeout", f"{seconds:.0f}"))
            except (asyncio.IncompleteReadError, ConnectionError, pickle.UnpicklingError, EOFError):
                replies.append(Failed("killed", await self._fate(child)))
            finally:
                if child not in self._idle:
                    await self._kill(child)
        return replies

    async def close(self) -> None:
        """Kill what runs, and wait for it."""
        await asyncio.gather(*(self._kill(child) for child in tuple(self._all)))

    async def _start(self) -> Process:
        # -P: a file named like a module, lying in the folder that is investigated, must not be imported.
        command = (
            sys.executable,
            "-P",
            "-m",
            "faultmaven_adapters.extraction.child",
            self._tools,
            str(self._limits.memory),
        )
        environ = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
        child = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environ, start_new_session=True
        )
        self._all.add(child)
        try:
            async with asyncio.timeout(_START_SECONDS):
                ready = await _receive(child)
        except (asyncio.IncompleteReadError, TimeoutError) as error:
            await self._kill(child)
            raise BackendError(f"An extraction process does not start; `{' '.join(command[:5])}` shows why.") from error
        if ready != DONE:
            raise BackendError("An extraction process does not speak as this version does; install FaultMaven again.")
        return child

    async def _do(self, child: Process, order: Order, replies: list[Reply]) -> None:
        data = pickle.dumps(order, pickle.HIGHEST_PROTOCOL)
        orders = cast(asyncio.StreamWriter, child.stdin)
        orders.write(len(data).to_bytes(8, "little"))
        orders.write(data)
        await orders.drain()
        while (message := await _receive(child)) != DONE:
            if not isinstance(message, Opened | Prepared | Extraction | ReadDocument | Failed | str | bytes):
                raise pickle.UnpicklingError("no reply")
            replies.append(message)

    async def _fate(self, child: Process) -> str:
        # It closed its output, so it is about to end; a signal now would only hide how it ended.
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await child.wait()
        await self._kill(child)
        code = child.returncode or 0
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    async def _kill(self, child: Process) -> None:
        self._all.discard(child)
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
        await child.wait()


async def _receive(child: Process) -> object:
    replies = cast(asyncio.StreamReader, child.stdout)  # a pipe: it was asked for at the start
    size = int.from_bytes(await replies.readexactly(8), "little")
    if size > MAX_FRAME:
        raise pickle.UnpicklingError(f"a reply of {size:,} bytes")
    data = await replies.readexactly(size)
    # Thousands of values take tenths of a second; in a thread the loop stays free.
    return await asyncio.to_thread(message_of, data) if size > LARGE else message_of(data)
