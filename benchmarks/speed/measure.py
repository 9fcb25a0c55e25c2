"""What a program costs: CPU time of its whole process tree, peak memory, and what others took meanwhile."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU and of wall time, bytes of peak memory of the largest process, cores that others kept busy."""

    cpu: float
    wall: float
    peak: int
    foreign: float
    output: str


def run(command: Sequence[str]) -> Cost:
    """Run a program to its end. Raises SystemExit that shows the program's error where it fails."""
    busy, begin = _busy(), monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as child:
        output = child.stdout.read().decode() if child.stdout else ""
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    wall = monotonic() - begin
    # grep-like programs end with 1 where nothing matched.
    if child.returncode not in {0, 1}:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}.")
    cpu = usage.ru_utime + usage.ru_stime
    foreign = max(0.0, _busy() - busy - cpu) / max(wall, 1 / _TICKS)
    return Cost(cpu, wall, usage.ru_maxrss * 1024, foreign, output)


def _busy() -> float:
    """Seconds of CPU that all processes of the machine have used."""
    fields = [int(field) for field in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
    idle = fields[3] + fields[4]
    return (sum(fields[:8]) - idle) / _TICKS
