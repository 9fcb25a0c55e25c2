"""The same evidence gives the same record, byte for byte: again, in any order of files, in one process or four."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from faultmaven.composition.compute import tools
from faultmaven_adapters.extraction.in_process import InProcessExtractionRunner
from faultmaven_adapters.extraction.processes import ProcessExtractionRunner
from faultmaven_adapters.extraction.walk import walk
from faultmaven_core.analysis.diagnose.conclude import Request, diagnose
from faultmaven_core.analysis.mechanisms.load import mechanisms
from faultmaven_core.codec import encode
from faultmaven_core.ports.extraction_runner import Extracted, ExtractionRunner, Input

CASES = (
    "holmes_ask/21_job_fail_curl_no_svc_account",  # kubectl output
    "holmes_ask/71_connection_pool_starvation",  # a compressed log
    "opensre_rds_postgres/009-dual-fault-connection-cpu",  # metrics and events as JSON
)
TOOLS = "faultmaven.composition.compute:tools"


async def record_of(runner: ExtractionRunner, inputs: Sequence[Input]) -> bytes:
    """The record as it would be written to a file."""
    async with runner.run(inputs) as run:
        found = [part.extraction async for part in run if isinstance(part, Extracted)]
        request = Request("case_1", "What is the root cause?", "0")
        return encode(diagnose(found, request, mechanisms(), run.read))


@pytest.mark.parametrize("case", CASES)
async def test_order_and_number_of_processes_do_not_show(case: str, data: Path) -> None:
    """Neither the file system's order nor which child is done first may decide what is called the cause."""
    inputs = walk([str(data / "cases" / case / "evidence")])
    assert inputs
    first = await record_of(ProcessExtractionRunner(TOOLS, processes=1), inputs)
    assert await record_of(ProcessExtractionRunner(TOOLS, processes=4), inputs) == first
    for seed in range(3):
        shuffled = random.Random(seed).sample(inputs, len(inputs))
        assert await record_of(InProcessExtractionRunner(tools()), shuffled) == first


async def test_a_log_of_several_segments_gives_the_same_record_in_one_process_and_four(tmp_path: Path) -> None:
    """Big logs are read in parts, side by side: the parts' borders must not show."""
    lines = [
        f"2026-03-01T10:{n // 60 % 60:02d}:{n % 60:02d}Z {'ERROR' if n % 997 == 0 else 'INFO'} web request {n} took {n * 37 % 900} ms"
        for n in range(3600)
    ]
    block = "\n".join(lines).encode() + b"\n"
    log = tmp_path / "big.log"
    log.write_bytes(block * ((36 << 20) // len(block)))
    inputs = walk([str(log)])
    one = await record_of(ProcessExtractionRunner(TOOLS, processes=1), inputs)
    assert await record_of(ProcessExtractionRunner(TOOLS, processes=4), inputs) == one


PROGRAM = """
import sys
from pathlib import Path
from faultmaven.composition.compute import tools
from faultmaven_core.analysis.analyse import analyse
from faultmaven_core.analysis.diagnose.conclude import Request
from faultmaven_core.codec import encode

folder = Path(sys.argv[1])
sources = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
sys.stdout.buffer.write(encode(analyse(sources, Request("case_1", "What is the root cause?", "0"), tools())))
"""


@pytest.mark.parametrize("case", CASES)
def test_the_order_of_sets_does_not_show(case: str, data: Path) -> None:
    """Python orders sets of strings anew in every process, by a seed."""
    records = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM, str(data / "cases" / case / "evidence")],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in range(4)
    }
    assert len(records) == 1
    assert json.loads(records.pop())["claims"]
