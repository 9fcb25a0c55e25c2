"""Documents of knowledge are read in processes: a hostile one costs itself and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from faultmaven_adapters.extraction.document_reader import ProcessDocumentReader
from faultmaven_adapters.extraction.processes import ProcessLimits
from faultmaven_core.knowledge.kinds import HTML
from faultmaven_core.ports.document_reader import UnreadableDocumentError

TOOLS = "faultmaven.composition.compute:tools"


async def test_a_document_that_takes_too_long_or_too_much_is_given_up_and_the_next_is_read(tmp_path: Path) -> None:
    """A process that was ended is replaced."""
    slow, good = tmp_path / "slow", tmp_path / "good"
    slow.write_bytes(b"<p>a" * 3_000_000)
    good.write_text("<h1>Redis</h1>")
    limits = ProcessLimits(seconds=0.5, seconds_per_mib=0.0)
    async with ProcessDocumentReader(TOOLS, limits=limits).reading() as reading:
        with pytest.raises(UnreadableDocumentError, match=r"slow\.html (took longer|ended the process)"):
            await reading.read(str(slow), "slow.html", HTML)
        assert (await reading.read(str(good), "good.html", HTML)).text == "Redis\n"


async def test_a_cancelled_reading_leaves_no_process(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a document."""
    slow = tmp_path / "slow"
    slow.write_bytes(b"<p>a" * 3_000_000)
    started = asyncio.Event()

    async def read() -> None:
        async with ProcessDocumentReader(TOOLS).reading() as reading:
            started.set()
            await reading.read(str(slow), "slow.html", HTML)

    before = set(psutil.Process().children())
    task = asyncio.create_task(read())
    await started.wait()
    async with asyncio.timeout(60):
        while not set(psutil.Process().children()) - before:  # noqa: ASYNC110 - a process tells nobody that it started
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert set(psutil.Process().children()) <= before
