"""What a run starts ends with it, however it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
STARTS = """
import time
import pytest
from faultmaven_contract_tests.servers import shared

NAMES = {names}

@pytest.mark.servers(*NAMES)
def test_planted():
    for name in NAMES:
        shared(name)
    open("ready", "w").close()
    time.sleep(120)
"""
FEW = ["redis", "postgres", "redis_sentinel"]
ENDS = {
    "killed": (signal.SIGKILL, [*FEW, "rabbitmq", "s3"]),
    "interrupted": (signal.SIGINT, FEW),
    "terminated": (signal.SIGTERM, FEW),
}


@pytest.fixture
def planted() -> Iterator[Path]:
    """A folder whose tests run under the root's conftest, with temporary files of their own; open, as PostgreSQL's is."""
    with TemporaryDirectory(prefix="fm-") as name:
        folder = Path(name)
        shutil.copy(ROOT / "conftest.py", folder)
        (folder / "pytest.ini").write_text(
            "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
        )
        (folder / "tmp").mkdir()
        for opened in (folder, folder / "tmp"):
            opened.chmod(0o711)
        yield folder


@contextmanager
def run(folder: Path, source: str) -> Iterator[subprocess.Popen[str]]:
    """A test run of one file, in a process of its own."""
    (folder / "test_planted.py").write_text(source)
    child = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_planted.py"],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def until_ready(child: subprocess.Popen[str], folder: Path) -> list[psutil.Process]:
    """All that a run has started, when its test says so."""
    deadline = time.monotonic() + 200
    while not (folder / "ready").exists():
        assert child.poll() is None, child.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    family: list[psutil.Process] = psutil.Process(child.pid).children(recursive=True)
    return family


def ran_to_its_end(folder: Path, source: str) -> tuple[int, str]:
    """The exit code and what was printed."""
    with run(folder, source) as child:
        output, _ = child.communicate(timeout=200)
        return child.returncode, output


@pytest.mark.parametrize(("how", "names"), ENDS.values(), ids=ENDS.keys())
def test_no_process_outlives_a_run_that_is_ended(planted: Path, how: signal.Signals, names: list[str]) -> None:
    """Servers, what they started, and their files, also where nobody could clean up."""
    with run(planted, STARTS.format(names=names)) as child:
        family = until_ready(child, planted)
        assert len(family) > 10
        child.send_signal(how)
        child.wait(30)
        _, alive = psutil.wait_procs(family, timeout=10)
        assert alive == []
    assert list((planted / "tmp").iterdir()) == []


def test_what_tests_start_themselves_ends_with_a_killed_run(planted: Path) -> None:
    """Workers and commands, in whatever session, and the runs of tests that they are."""
    source = (
        "import subprocess, time\n\n"
        "def test_planted():\n    subprocess.Popen(['sleep', '120'], start_new_session=True)\n"
        "    time.sleep(3)\n    open('ready', 'w').close()\n    time.sleep(120)\n"
    )
    with run(planted, source) as child:
        family = until_ready(child, planted)
        child.kill()
        child.wait(30)
        _, alive = psutil.wait_procs(family, timeout=10)
        assert alive == []


def test_a_run_that_ends_well_leaves_nothing(planted: Path) -> None:
    """No process and no file."""
    source = STARTS.format(names=FEW).replace("time.sleep(120)", "pass")
    code, output = ran_to_its_end(planted, source)
    assert code == 0, output
    assert list((planted / "tmp").iterdir()) == []


def test_a_process_that_a_test_leaves_behind_makes_the_run_red(planted: Path) -> None:
    """Although the test itself passed."""
    source = "import subprocess\n\ndef test_planted():\n    global left\n    left = subprocess.Popen(['sleep', '60'])\n"
    code, output = ran_to_its_end(planted, source)
    assert code == 1, output
    assert "Left running by a test" in output
    assert "sleep 60" in output


def test_a_shared_server_that_ends_during_a_run_makes_it_red(planted: Path) -> None:
    """Tests kill servers of their own; what broke by itself is told with its last lines."""
    source = (
        "import pytest\nfrom faultmaven_contract_tests.servers import shared\n\n"
        "@pytest.mark.servers('redis')\ndef test_planted(): shared('redis').stop()\n"
    )
    code, output = ran_to_its_end(planted, source)
    assert code == 1, output
    assert "The server redis ended by itself. Its last lines:" in output
    assert "User requested shutdown" in output


def test_a_server_that_cannot_start_fails_the_tests_that_need_it(planted: Path) -> None:
    """With its name and its last lines, and only those tests."""
    source = (
        "import pytest\nfrom pathlib import Path\nfrom faultmaven_contract_tests.servers import redis, shared\n\n"
        "def false(): return Path('/bin/sh')\n\nredis.old_server = false\n\n"
        "@pytest.mark.servers('redis_old')\ndef test_planted(): shared('redis_old')\n\n"
        "@pytest.mark.servers('redis')\ndef test_other(): shared('redis')\n"
    )
    code, output = ran_to_its_end(planted, source)
    assert code == 1, output
    assert "1 failed, 1 passed" in output
    assert "The server redis_old ended while it started. Its last lines:" in output
    assert "Illegal option --" in output


CONNECTS = """
import asyncio
from faultmaven_contract_tests import connections

connections.PATIENCE = {patience}

async def answer(reader, writer):
    await reader.read()
    writer.close()

async def test_planted():
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        {end}

async def test_other():
    pass
"""


def test_a_connection_that_a_test_leaves_open_fails_that_test(planted: Path) -> None:
    """And not another one, in which it happens to be found."""
    code, output = ran_to_its_end(planted, CONNECTS.format(patience=0.2, end="connections.planted = writer"))
    assert code == 1, output
    assert "ERROR test_planted.py::test_planted - AssertionError: The test left" in output, output
    assert "test_other" not in output


def test_a_connection_that_ends_a_little_later_is_waited_for(planted: Path) -> None:
    """As where the other side has a word to say to it."""
    end = "asyncio.get_running_loop().call_later(0.5, writer.close)"
    code, output = ran_to_its_end(planted, CONNECTS.format(patience=30, end=end))
    assert code == 0, output
