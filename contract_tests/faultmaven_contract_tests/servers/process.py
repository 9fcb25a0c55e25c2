"""Server processes: started by the guard, waited for with a bound, stopped, hung and killed by their ids."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from faultmaven_contract_tests.servers.guard import END

LAST_LINES = 30
"""How much of a log is shown when a server does not start."""


class ServerError(Exception):
    """A server of the tests could not be started, or cannot do what was asked of it."""


class Guard:
    """The parent of all servers of a run; ends them when the run ends or dies."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fm-servers-"))
        self.folder.chmod(0o711)  # PostgreSQL runs as somebody else
        script = Path(__file__).with_name("guard.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", script, self.folder, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._lock = threading.Lock()
        self._ended = False

    @property
    def pid(self) -> int:
        """The process that is the servers' parent."""
        return self._process.pid

    def start(self, request: Mapping[str, object]) -> int:
        """The id of a new process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            if self._ended:
                raise ServerError("The run is over; nothing is started any more.")
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline() or '{"error": "the guard has ended"}')
        if "error" in answer:
            raise ServerError(f"A server cannot be started: {answer['error']}. Run tools/install-servers.")
        return int(answer["pid"])

    def end(self) -> None:
        """Kills everything and removes the folder; returns when that is done."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{END}\n")
            self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


class Process:
    """One process of a server, with what started it, so that it can be started again as it was."""

    def __init__(
        self,
        guard: Guard,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        port: int = 0,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        leavings: Sequence[Path] = (),
    ) -> None:
        self.port = port
        self.pid = 0
        self._guard = guard
        self._log = guard.folder / f"{folder.name}-{port}.log"
        self._stop_signal = stop_signal
        account = None if user is None else pwd.getpwnam(user)
        self._request = {
            "argv": [str(argument) for argument in argv],
            "folder": str(folder),
            "log": str(self._log),
            "env": {"PATH": os.defpath, "HOME": str(folder), "LC_ALL": "C.UTF-8", **(env or {})},
            "user": account and account.pw_uid,
            "group": account and account.pw_gid,
            "leavings": [str(path) for path in leavings],
        }
        self.start()

    def start(self) -> None:
        """Starts it (again), with the same ports and data."""
        self.pid = self._guard.start(self._request)

    @property
    def alive(self) -> bool:
        """Whether it runs, hung or not."""
        return _alive(self.pid)

    def last_lines(self) -> str:
        """The end of what it wrote."""
        with contextlib.suppress(OSError):
            return "\n".join(self._log.read_text(errors="replace").splitlines()[-LAST_LINES:])
        return "(no log)"

    def kill(self) -> None:
        """As if the machine lost power: it and all it started end at once, without a word."""
        family = self._signal(signal.SIGKILL)
        if not _gone(family, seconds=10.0):
            raise ServerError(f"Process {self.pid} was killed and does not end.")

    def pause(self) -> None:
        """Hangs: connections stay open and new ones are accepted by the system, but nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Goes on where it was paused."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ends it as an administrator would; kills it if that takes over ten seconds."""
        if not self.alive:
            return
        os.kill(self.pid, signal.SIGCONT)
        os.kill(self.pid, self._stop_signal)
        if not self.wait_gone(10.0):
            self.kill()

    def wait_gone(self, seconds: float) -> bool:
        """Whether it ended within that time."""
        return _gone([self.pid], seconds=seconds)

    def family(self) -> list[int]:
        """It and all that descend from it, the oldest first."""
        import psutil

        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.pid)
            return [parent.pid, *(child.pid for child in parent.children(recursive=True))]
        return []

    def _signal(self, number: signal.Signals) -> list[int]:
        # The parent comes first, or it would replace the children that end.
        family = self.family()
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        return family


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _gone(pids: Sequence[int], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(_alive, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def run(
    guard: Guard, argv: Sequence[str | Path], *, folder: Path, user: str | None = None, seconds: float = 60
) -> None:
    """Runs a preparing program to its end."""
    process = Process(guard, argv, folder=folder, user=user)
    if not process.wait_gone(seconds):
        process.kill()
        raise ServerError(f"{argv[0]} did not end within {seconds:.0f} s.\n{process.last_lines()}")


def wait_until_ready(
    name: str, ready: Callable[[], object], processes: Sequence[Process], *, seconds: float = 90
) -> None:
    """Waits until a probe neither fails nor answers False; names what the server last wrote when it does not come."""
    deadline = time.monotonic() + seconds
    while True:
        failure = "it answers, but is not ready"
        try:
            if ready() is not False:
                return
        except Exception as error:  # noqa: BLE001 - every driver has its own way to say "not yet"
            failure = f"{type(error).__name__}: {error}"
        ended = [process for process in processes if not process.alive]
        if ended or time.monotonic() > deadline:
            state = "ended while it started" if ended else f"was not ready after {seconds:.0f} s ({failure})"
            logs = "\n".join(process.last_lines() for process in (ended or processes))
            raise ServerError(f"The server {name} {state}. Its last lines:\n{logs}")
        time.sleep(0.05)


def program(name: str, *, package: str) -> Path:
    """Where an installed program is."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/sbin", "/usr/bin"])
    found = shutil.which(name, path=path)
    if found is None:
        raise ServerError(f"The tests need {name} of {package}: run tools/install-servers.")
    return Path(found)
