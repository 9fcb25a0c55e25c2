"""kill -9 at any moment leaves a case that opens, and an investigation that can be run again."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from faultmaven import FaultMaven, Settings, load_settings
from faultmaven_core.cases.commands import ListCases, ReadJournal, ReadReport
from faultmaven_core.evidence.commands import ListEvidence
from faultmaven_core.investigation.commands import Investigate
from faultmaven_core.shared.errors import NotFoundError

PROGRAM = """
import asyncio, sys
from faultmaven import FaultMaven, load_settings
from faultmaven_core.cases.commands import OpenCase
from faultmaven_core.evidence.commands import AddEvidence
from faultmaven_core.investigation.commands import Investigate

async def main() -> None:
    home, evidence = sys.argv[1:]
    settings = load_settings({"FM_HOME": home, "FM_EXTRACTION_PROCESSES": "1"})
    print("begun", flush=True)
    while True:
        async with FaultMaven.open(settings) as fm:
            case = await fm.cases.open(OpenCase("Why does web crash?"), fm.caller)
            await fm.evidence.add(AddEvidence(case.case_id, evidence, copy=True), fm.caller)
            await fm.investigation.investigate(Investigate(case.case_id), fm.caller)

asyncio.run(main())
"""

KILLS = 8


def killed_after(seconds: float, home: Path, evidence: Path) -> None:
    """Run the program and kill it without warning, so many seconds after it began its work."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(home), str(evidence)], stdout=subprocess.PIPE, start_new_session=True
    )
    assert program.stdout is not None
    assert program.stdout.readline() == b"begun\n"
    time.sleep(seconds)
    program.send_signal(signal.SIGKILL)
    program.wait()
    program.stdout.close()


async def check_everything(settings: Settings) -> None:
    """Every case opens: its evidence is listed, its journal is whole, its record is there or was never stored."""
    async with FaultMaven.open(settings) as fm:
        for case in (await fm.cases.list(ListCases(limit=1000), fm.caller)).items:
            assert case.status in {"inquiry", "investigating"}
            assert (await fm.cases.journal(ReadJournal(case.case_id), fm.caller)).intact
            items = (await fm.evidence.list(ListEvidence(case.case_id), fm.caller)).items
            assert all(item.state == "available" for item in items)
            try:
                record = await fm.investigation.report(ReadReport(case.case_id), fm.caller)
            except NotFoundError:
                assert case.verdict == ""
            else:
                assert record.verdict == case.verdict


async def test_killed_at_random_moments(tmp_path: Path, crash: Path) -> None:
    """From the making of the database to the storing of the record, eight times over one home."""
    home = tmp_path / "home"
    settings = load_settings({"FM_HOME": str(home), "FM_EXTRACTION_PROCESSES": "1"})
    moments = random.Random(20260301)
    for number in range(KILLS):
        # Early moments hit the schema and the first rows, late ones extraction and the record.
        await asyncio.to_thread(killed_after, moments.uniform(0, 0.25 + 0.3 * number), home, crash)
        await check_everything(settings)
    async with FaultMaven.open(settings) as fm:
        for case in (await fm.cases.list(ListCases(limit=1000), fm.caller)).items:
            done = await fm.investigation.investigate(Investigate(case.case_id), fm.caller)
            assert done.record.verdict == done.case.verdict
