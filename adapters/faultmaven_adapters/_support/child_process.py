"""A program of ours in a process of its own, for libraries that would hold up the event loop from any thread.

Orders and answers are frames: four bytes that tell the length, then as many bytes. One answer follows each order.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys

END_SECONDS = 10.0
_LENGTH = 4
_PIECE = 1 << 16
_PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "TMPDIR", "COVERAGE_PROCESS_START")
"""Variables that the process needs to start; all others may be secrets and stay here."""


class ChildProcess:
    """The module's program, given the arguments and, last, the number of its end of a connection.

    It ends when nobody speaks to it any more, so also when this process dies.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self._connection, theirs = socket.socketpair()
        with theirs:
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

    def send(self, order: bytes, seconds: float) -> None:
        """Raises TimeoutError where it does not take the order, of which it has a part then; OSError where it has ended."""
        self._connection.settimeout(seconds)
        self._connection.sendall(_framed(order))

    def receive(self, seconds: float) -> bytes:
        """What it says next. Raises TimeoutError where it says nothing, EOFError or OSError where it has ended."""
        self._connection.settimeout(seconds)
        return _received(self._connection)

    async def ask(self, order: bytes) -> bytes:
        """Send the order and wait for the answer, without a thread. Raises EOFError or OSError where it has ended.

        One that is cancelled leaves its answer to the next: the process is of no use then.
        """
        loop = asyncio.get_running_loop()
        self._connection.setblocking(False)
        await loop.sock_sendall(self._connection, _framed(order))
        answer = bytearray()
        while not _whole(answer):
            answer += _said(await loop.sock_recv(self._connection, _PIECE))
        return bytes(memoryview(answer)[_LENGTH:])

    def end(self, patience: float = END_SECONDS) -> None:
        """Returns when it has ended; where it has not after so many seconds it is killed."""
        self._connection.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Parent:
    """The other end, in the process itself; it takes the number that its program was given."""

    def __init__(self, argument: str) -> None:
        self._connection = socket.socket(fileno=int(argument))

    def receive(self) -> bytes:
        """The next order. Raises EOFError where the parent has gone or does not speak to us any more."""
        return _received(self._connection)

    def send(self, answer: bytes) -> None:
        """Raises OSError where nobody waits for it any more."""
        self._connection.sendall(_framed(answer))


def _framed(content: bytes) -> bytes:
    return len(content).to_bytes(_LENGTH, "big") + content


def _whole(frame: bytearray) -> bool:
    return len(frame) >= _LENGTH and len(frame) == _LENGTH + int.from_bytes(frame[:_LENGTH], "big")


def _received(connection: socket.socket) -> bytes:
    frame = bytearray()
    while not _whole(frame):
        frame += _said(connection.recv(_PIECE))
    return bytes(memoryview(frame)[_LENGTH:])


def _said(piece: bytes) -> bytes:
    if not piece:
        raise EOFError
    return piece
