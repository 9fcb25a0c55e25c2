"""A process that starts the servers of a test run and ends them all when the run ends, however it ends.

It runs by itself (no import of this package): it reads one request a line from its standard input, and at the end of
that input, which also comes when the run is killed, it kills every process that descends from it and removes their files.
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
from pathlib import Path
from typing import Any

PR_SET_CHILD_SUBREAPER = 36


def children(parent: int) -> list[int]:
    """The living and the dead but unburied children of a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name of a program may hold spaces and brackets; the last bracket ends it.
            if int(stat.read_text(errors="replace").rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


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
        for pid in children(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def serve(parent: int, leavings: list[str]) -> None:
    """Answers requests until the run is over; notes what the processes leave outside the run's folder."""
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(awake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # A fork of the run may still hold the other end of our input; the parent's death is asked for as well.
    while os.getppid() == parent:
        ready, _, _ = select.select([0, awake], [], [], 1.0)
        if awake in ready:
            os.read(awake, 4096)
        bury()
        if 0 not in ready:
            continue
        line = sys.stdin.readline()
        if not line:
            return
        request = json.loads(line)
        leavings += request["leavings"]
        try:
            answer: dict[str, object] = {"pid": start(request)}
        except OSError as error:
            answer = {"error": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def main(folder: str, parent: str) -> None:
    """Lives as long as the run."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        sys.exit("This system lets no process inherit orphans; servers could outlive the run.")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    leavings: list[str] = []
    try:
        serve(int(parent), leavings)
    finally:
        end_all()
        for path in leavings:
            Path(path).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
