"""tools/side_by_side.py: two commands at once, of which none outlives the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "tools/side_by_side.py"
WAITS = """
import sys, time
from pathlib import Path

try:
    Path(sys.argv[1]).touch()
    time.sleep(120)
except KeyboardInterrupt:
    print(sys.argv[1], "told", flush=True)
    try:
        time.sleep(1)
    except KeyboardInterrupt:
        print(sys.argv[1], "told twice", flush=True)
    Path(sys.argv[1]).unlink()
    sys.exit(2)
"""
SAYS = "import sys; print(sys.argv[1]); sys.exit(int(sys.argv[2]))"


def beside(first: list[str], second: list[str]) -> list[str]:
    """The command that runs both, each a program and its arguments."""
    return [sys.executable, str(PROGRAM), sys.executable, "-c", *first, "--", sys.executable, "-c", *second]


@contextmanager
def waiting(folder: Path, *, deaf: bool = False) -> Iterator[subprocess.Popen[str]]:
    """Two commands that wait to be told. `deaf`: started by a shell in the background, which has interrupts ignored."""
    with subprocess.Popen(
        beside([WAITS, "first"], [WAITS, "second"]),
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=(lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) if deaf else None,  # noqa: PLW1509  # no threads
    ) as program:
        try:
            until(lambda: {one.name for one in folder.iterdir()} == {"first", "second"})
            yield program
        finally:
            program.kill()


def until(what: Callable[[], bool]) -> None:
    """Wait for what happens in other processes."""
    end = time.monotonic() + 60
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(("codes", "code"), [((0, 0), 0), ((3, 0), 3), ((0, 4), 4), ((3, 4), 3)])
def test_the_first_is_shown_before_the_second_and_a_failure_of_either_counts(codes: tuple[int, int], code: int) -> None:
    """Whichever ends first."""
    one, other = map(str, codes)
    ended = subprocess.run(beside([SAYS, "A", one], [SAYS, "B", other]), check=False, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (code, "A\nB\n")


@pytest.mark.parametrize("deaf", [False, True], ids=["in front", "in the background"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_tells_the_program_tells_both(tmp_path: Path, number: signal.Signals, deaf: bool) -> None:
    """Each is told once, and has time to end what it started itself."""
    with waiting(tmp_path, deaf=deaf) as program:
        program.send_signal(number)
        said, _ = program.communicate(timeout=60)
    assert (program.returncode, said) == (2, "first told\nsecond told\n")
    assert not list(tmp_path.iterdir())


def test_a_terminal_tells_each_once(tmp_path: Path) -> None:
    """It tells everybody in front of it; who is told twice leaves what it started behind."""
    with waiting(tmp_path) as program:
        os.killpg(program.pid, signal.SIGINT)
        said, _ = program.communicate(timeout=60)
    assert (program.returncode, said) == (2, "first told\nsecond told\n")


def test_neither_outlives_a_program_that_is_killed(tmp_path: Path) -> None:
    """They are told by the system."""
    with waiting(tmp_path) as program:
        program.kill()
        until(lambda: not list(tmp_path.iterdir()))
