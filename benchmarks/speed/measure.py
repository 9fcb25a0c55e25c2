"""What a program costs: CPU time of its whole process tree, peak memory, and what others took meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

_TICKS = os.sysconf("SC_CLK_TCK")

_LAUNCHER = """
import json, os, sys, time
told = int(sys.argv[1])
os.set_inheritable(told, False)
begin = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ), 0)
cost = [usage.ru_utime + usage.ru_stime, time.perf_counter() - begin, usage.ru_maxrss]
os.write(told, json.dumps(cost).encode())
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A small program that starts the measured one: the system counts as its memory what the one had that started it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU and of wall time, bytes of peak memory of the largest process, cores that others kept busy."""

    cpu: float
    wall: float
    peak: int
    foreign: float
    output: str


def run(command: Sequence[str], servers: Sequence[int] = ()) -> Cost:
    """Run a program to its end. What the servers (process ids) that it talks to use does not count as others'.

    Raises SystemExit that names the program where it fails.
    """
    busy, serving = _busy(), used(servers)
    reading, writing = os.pipe()
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(writing), *command]
    with (
        os.fdopen(reading, encoding="ascii") as told,
        subprocess.Popen(launcher, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, pass_fds=[writing]) as child,
    ):
        os.close(writing)
        output = child.stdout.read().decode() if child.stdout else ""
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        found = told.read()
    if not found:
        raise SystemExit(f"{' '.join(command)} could not be started.")
    # grep-like programs end with 1 where nothing matched.
    if child.returncode not in {0, 1}:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}.")
    cpu, wall, peak = json.loads(found)
    ours = usage.ru_utime + usage.ru_stime
    foreign = max(0.0, _busy() - busy - ours - (used(servers) - serving)) / max(wall, 1 / _TICKS)
    return Cost(cpu, wall, peak * 1024, foreign, output)


def timed(work: Callable[[], float]) -> None:
    """Called in a measured program: do the work, which answers how much it was, and print that and what it cost.

    Only the work itself is timed; starting Python, importing and connecting are not.
    """
    cpu, wall = process_time(), perf_counter()
    units = work()
    print(json.dumps({"units": units, "cpu": process_time() - cpu, "wall": perf_counter() - wall}))


def _busy() -> float:
    """Seconds of CPU that all processes of the machine have used."""
    fields = [int(field) for field in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
    idle = fields[3] + fields[4]
    return (sum(fields[:8]) - idle) / _TICKS


def used(roots: Sequence[int]) -> float:
    """Seconds of CPU that these processes and their descendants have used."""
    if not roots:
        return 0.0
    processes = dict(_processes())
    tree, ticks = set(roots), 0
    for pid in sorted(processes):
        parent, _ = processes[pid]
        if parent in tree:
            tree.add(pid)
    for pid in tree & processes.keys():
        ticks += processes[pid][1]
    return ticks / _TICKS


def _processes() -> Iterator[tuple[int, tuple[int, int]]]:
    """(process id, (parent's id, ticks used by it and by the children that it has waited for))."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):  # it has ended meanwhile
                # The name may hold blanks and parentheses: the fields begin after the last one.
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                yield int(entry.name), (int(fields[1]), sum(int(field) for field in fields[11:15]))
