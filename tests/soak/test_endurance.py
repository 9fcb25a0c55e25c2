"""What takes minutes: gigabytes, crashes at any moment, thousands of jobs, long fuzzing. `make soak` runs these."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.speed.corpus import write_log
from benchmarks.speed.measure import run
from faultmaven import FaultMaven, load_settings
from faultmaven.composition.compute import tools
from faultmaven_core.analysis.analyse import analyse
from faultmaven_core.analysis.diagnose.conclude import Request
from faultmaven_core.cases.commands import DeleteCase, ListCases, OpenCase

pytestmark = pytest.mark.soak

ROOT = Path(__file__).resolve().parents[2]
FM = [sys.executable, "-m", "faultmaven_cli.main"]
MEBIBYTE = 1 << 20


def test_a_gigabyte_of_logs_fits_into_160_mebibytes_per_process(data: Path, tmp_path: Path) -> None:
    """Read in blocks, never held whole; every line is counted."""
    log = tmp_path / "large.log"
    write_log(data, log, 1024 * MEBIBYTE)
    cost = run([*FM, "investigate", str(log), "--json", "--home", str(tmp_path / "home")])
    coverage = json.loads(cost.output)["coverage"][0]
    assert coverage["size"] == log.stat().st_size
    assert coverage["lines"] > 1_000_000
    assert cost.peak <= 160 * MEBIBYTE


def test_a_case_opens_after_a_kill_at_any_moment(tmp_path: Path) -> None:
    """Fifty investigations share one home and are ended from outside, from their first millisecond to their last."""
    chance = random.Random(7)
    for _ in range(50):
        child = subprocess.Popen(
            [*FM, "investigate", str(ROOT / "examples" / "failed-job" / "evidence"), "--home", str(tmp_path), "--copy"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(chance.uniform(0.05, 3.0))
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        listed = subprocess.run(
            [*FM, "case", "list", "--json", "--home", str(tmp_path)], capture_output=True, text=True, check=False
        )
        assert listed.returncode == 0, listed.stderr
    cases = json.loads(listed.stdout)["items"]
    assert cases
    again = [*FM, "investigate", str(ROOT / "examples" / "failed-job" / "evidence"), "--json", "--home", str(tmp_path)]
    done = subprocess.run([*again, "--case", cases[-1]["case_id"]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["root_cause"]


async def test_thousands_of_jobs_are_all_done(tmp_path: Path) -> None:
    """Each deleted case leaves a job behind; none is lost, and nothing of the cases stays."""
    async with FaultMaven.open(load_settings({"FM_HOME": str(tmp_path)})) as fm:
        for number in range(2000):
            case = await fm.cases.open(OpenCase(question=f"Question {number}?"), fm.caller)
            await fm.cases.delete(DeleteCase(case.case_id, forever=True), fm.caller)
        await fm.application.runner.run_due()
        assert (await fm.cases.list(ListCases(), fm.caller)).items == ()
        assert not await fm.application.runner.run_one()


def test_a_thousand_damaged_incidents_each_give_a_record(data: Path) -> None:
    """Bytes are flipped, cut out, doubled and swapped between files; the analysis never fails and never hangs."""
    chance = random.Random(11)
    files = sorted(file for file in (data / "cases").glob("*/*/evidence/*") if 0 < file.stat().st_size < 50_000)
    assert len(files) > 100
    for number in range(1000):
        chosen = {
            f"{index}-{file.name}": damaged(file.read_bytes(), chance)
            for index, file in enumerate(chance.sample(files, 3))
        }
        begin = time.monotonic()
        record = analyse(chosen, Request("case_000000000000", "What is wrong?", "0"), tools())
        assert {coverage.file for coverage in record.coverage} >= set(chosen), number
        assert time.monotonic() - begin < 30, (number, list(chosen))


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The content after a few accidents."""
    for _ in range(chance.randint(1, 8)):
        start = chance.randrange(len(content) + 1)
        end = min(len(content), start + chance.randint(1, 400))
        middle = chance.choice(
            [b"", chance.randbytes(end - start), content[start:end] * 2, content[start:end][::-1], b"\n", b'"', b"{"]
        )
        content = content[:start] + middle + content[end:]
    return content
