"""A program of ours in a process of its own, for libraries that would hold up the event loop from any thread."""

from __future__ import annotations

import os
import subprocess
import sys
from multiprocessing.connection import Connection, Pipe
from typing import Any

END_SECONDS = 10.0
_PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "TMPDIR", "COVERAGE_PROCESS_START")
"""Variables that the process needs to start; all others may be secrets and stay here."""


class ChildProcess:
    """The module's program, given the arguments and, last, the number of its end of a connection.

    It ends when nobody speaks to it any more, so also when this process dies.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self._connection, theirs = Pipe()
        # -P: a file named like a module, lying in the folder that is investigated, must not be imported.
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", module, *arguments, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()

    def send(self, order: Any) -> None:
        """Raises OSError where the process has ended."""
        self._connection.send(order)

    def receive(self, seconds: float) -> Any:
        """What it says next. Raises TimeoutError where it says nothing, EOFError or OSError where it has ended."""
        if not self._connection.poll(seconds):
            raise TimeoutError
        return self._connection.recv()

    def end(self, patience: float = END_SECONDS) -> None:
        """Returns when it has ended; where it has not after so many seconds it is killed."""
        self._connection.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def connection_of(argument: str) -> Connection:
    """The other end, in the process itself."""
    return Connection(int(argument))
