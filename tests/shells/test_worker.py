"""`fm worker` as people start and stop it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from faultmaven_contract_tests.servers import shared

Fm = Callable[..., subprocess.CompletedProcess[str]]
READY = "The worker is ready and takes jobs."


@contextmanager
def started(environ: dict[str, str], log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that is ready."""
    with log.open("wb") as file:
        command = [sys.executable, "-m", "faultmaven_cli.main", "worker", *arguments]
        worker = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        until(lambda: READY in log.read_text())
        yield worker
    finally:
        worker.kill()
        worker.wait()


def until(condition: Callable[[], bool]) -> None:
    """Return when it is so."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.servers("redis")
def test_a_worker_runs_what_is_scheduled_and_ends_cleanly(environ: dict[str, str], tmp_path: Path, fm: Fm) -> None:
    """With beat, processes as many as asked for, a sign of life, and no process left when it was asked to stop."""
    url = shared("redis").url
    alive, log = tmp_path / "alive", tmp_path / "log"
    more = {"FM_JOBS_URL": url, "FM_CACHE_URL": url, "FM_WORKER_HEARTBEAT_FILE": str(alive)}
    with started(environ | more, log, "--concurrency", "2", "--beat") as worker:
        until(alive.exists)
        until(lambda: "succeeded" in fm("jobs", "list", "--json", **more).stdout)
        born = [child.pid for child in psutil.Process(worker.pid).children()]
        assert len(born) >= 3, "Two processes of the pool, and beat."
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(40) == 0, log.read_text()
    until(lambda: not any(psutil.pid_exists(pid) for pid in born))


def test_a_worker_without_a_broker_takes_jobs_from_their_rows(environ: dict[str, str], tmp_path: Path) -> None:
    """And ends at once when it has none."""
    with started(environ | {"FM_JOBS_URL": "embedded:"}, tmp_path / "log", "--concurrency", "1") as worker:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(40) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--concurrency", "2", "--autoscale", "1,2"], "exclude each other"),
        (["--concurrency", "0"], "0 is not in the range"),
        (["--autoscale", "4"], "not two whole numbers"),
        (["--autoscale", "4,1"], "must go up"),
        (["--autoscale", "0,3"], "must go up"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(fm: Fm, arguments: list[str], said: str) -> None:
    """Before anything is started."""
    ended = fm("worker", *arguments)
    assert (ended.returncode, said in ended.stderr) == (2, True), ended.stderr


def test_an_option_stands_above_its_variable_and_that_variables_other_name(fm: Fm) -> None:
    """An autoscale from the environment does not contradict a concurrency that somebody typed."""
    given = {"CELERY_AUTOSCALE_MIN": "1", "CELERY_AUTOSCALE_MAX": "3", "FM_JOBS_URL": "nonsense:"}
    ended = fm("worker", "--concurrency", "2", **given)
    assert "FM_JOBS_URL" in ended.stderr
    assert "AUTOSCALE" not in ended.stderr
    assert ended.returncode == 78


def test_a_broker_that_does_not_come_up_ends_the_worker_with_a_sentence(fm: Fm) -> None:
    """After the start-up wait, with the code for "try again later", and without the password."""
    nobody = "redis://:kanarienvogel-7@127.0.0.1:10007/0"
    ended = fm("worker", FM_JOBS_URL=nobody, FM_CACHE_URL="redis://127.0.0.1:10007/1", FM_STARTUP_WAIT="1s")
    assert ended.returncode == 75
    assert ended.stderr.splitlines()[-1].startswith("error: The broker at 127.0.0.1:10007 cannot be reached")
    assert "kanarienvogel" not in ended.stderr + ended.stdout


def test_autoscaling_without_a_broker_is_refused(fm: Fm) -> None:
    """There is nothing to scale."""
    ended = fm("worker", "--autoscale", "1,2", FM_JOBS_URL="embedded:")
    assert (ended.returncode, "need a broker" in ended.stderr) == (78, True)
