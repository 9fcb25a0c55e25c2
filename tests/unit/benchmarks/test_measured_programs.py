"""What a program is said to have cost is its own cost."""

from __future__ import annotations

import re
import sys

import pytest

from benchmarks.speed.measure import run

MEBIBYTE = 1 << 20


def test_its_memory_is_not_that_of_who_started_it() -> None:
    """The system counts what was there before the program was."""
    ballast = bytearray(200 * MEBIBYTE)
    ballast[::4096] = b"x" * len(ballast[::4096])
    small, large = (run([sys.executable, "-c", f"x = b'1' * {size}"]) for size in (1, 100 * MEBIBYTE))
    assert small.peak < 50 * MEBIBYTE
    assert 100 * MEBIBYTE < large.peak < 150 * MEBIBYTE


def test_its_output_and_its_time_are_told() -> None:
    """Of the program alone."""
    cost = run([sys.executable, "-c", "import time; print('said', end=''); time.sleep(0.2)"])
    assert cost.output == "said"
    assert cost.wall >= 0.2 > cost.cpu > 0


@pytest.mark.parametrize(
    ("command", "said"),
    [([sys.executable, "-c", "raise SystemExit(3)"], "ended with 3"), (["no-such-program"], "could not be started")],
)
def test_one_that_fails_is_named(command: list[str], said: str) -> None:
    """Also where there is none; nothing is measured."""
    with pytest.raises(SystemExit, match=f"^{re.escape(command[0])}.* {said}"):
        run(command)
