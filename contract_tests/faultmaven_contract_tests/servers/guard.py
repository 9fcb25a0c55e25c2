"""A process that starts the servers of a test run and ends them all when the run ends, however it ends.

It runs by itself (no import of this package). It reads one request a line from its standard input until it is told to end
or the run dies; then it kills every process that descends from it and removes their files. Where the run died, it also
kills what the run's own tests had started, as far as it has seen it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PR_SET_CHILD_SUBREAPER = 36
LOOK = 0.5
"""Seconds between looks at what the run's tests have started."""
END = "end"
"""The run's last word, when it has one."""


def processes() -> dict[int, tuple[int, str]]:
    """The parent and the time of start of every process; both together tell it from a later one with its number."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name of a program may hold spaces and brackets; the last bracket ends it.
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
            found[int(stat.parent.name)] = int(fields[1]), fields[19]
    return found


def descendants(root: int) -> dict[int, str]:
    """All that descend from a process, with their times of start, but guards: they and theirs end by themselves."""
    known = processes()
    found: dict[int, str] = {}
    parents = {root}
    while parents:
        parents = {pid for pid, (parent, _) in known.items() if parent in parents and not is_guard(pid)}
        found.update({pid: known[pid][1] for pid in parents})
    return found


def is_guard(pid: int) -> bool:
    """Whether it is one of us."""
    with contextlib.suppress(OSError):
        return __file__.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return False


def kill(pid: int) -> None:
    """Unless it has gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def start(request: dict[str, Any]) -> int:
    """Starts one process in a session of its own, so that no key press of the run's terminal reaches it."""
    with Path(request["log"]).open("ab") as log:
        process = subprocess.Popen(
            request["argv"],
            cwd=request["folder"],
            env=request["env"],
            user=request["user"],
            group=request["group"],
            extra_groups=None if request["user"] is None else [],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    process.returncode = 0  # `bury` waits for it, not the object
    return process.pid


def bury() -> None:
    """Takes leave of dead children, so that their ids vanish."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def end_all() -> None:
    """Kills until nobody is left: whoever lost its parent has become our child by then."""
    while True:
        for pid, (parent, _) in processes().items():
            if parent == os.getpid():
                kill(pid)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


class Service:
    """What the run asks for, and what is known of it when it can be asked no more."""

    def __init__(self, run: int) -> None:
        self.run = run
        self.leavings: list[str] = []
        """Files that processes leave outside the run's folder."""
        self._started: dict[int, str] = {}
        """By the run's tests, when last seen."""

    def serve(self) -> None:
        """Returns when the run is over."""
        awake, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(awake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        seen = 0.0
        # A fork of the run may still hold the other end of our input; the run's death is asked for as well.
        while os.getppid() == self.run:
            ready, _, _ = select.select([0, awake], [], [], LOOK)
            if awake in ready:
                os.read(awake, 4096)
            bury()
            if 0 not in ready:
                if time.monotonic() > seen + LOOK:
                    seen, started = time.monotonic(), descendants(self.run)
                    # A run that dies during the look gives its children away; what was seen before counts then.
                    self._started = started if os.getppid() == self.run else self._started
                continue
            line = sys.stdin.readline()
            if not line:
                break
            if line.strip() == END:
                return
            self._answer(json.loads(line))
        self._end_orphans()

    def _answer(self, request: dict[str, Any]) -> None:
        self.leavings += request["leavings"]
        try:
            answer: dict[str, object] = {"pid": start(request)}
        except OSError as error:
            answer = {"error": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()

    def _end_orphans(self) -> None:
        now = processes()
        for pid, started in self._started.items():
            if now.get(pid, (0, ""))[1] == started:
                kill(pid)


def main(folder: str, run: str) -> None:
    """Lives as long as the run."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        sys.exit("This system lets no process inherit orphans; servers could outlive the run.")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    service = Service(int(run))
    try:
        service.serve()
    finally:
        end_all()
        for path in service.leavings:
            Path(path).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
