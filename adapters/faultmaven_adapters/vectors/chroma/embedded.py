"""The wire to Chroma in a folder: a process of ours that has the folder open.

Chroma holds the interpreter's lock while it writes, for tenths of a second in a large collection, and no other thread, so
no event loop, goes on meanwhile. Hence the process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.vectors.chroma.errors import ANSWERS, OK, ChromaAnswerError
from faultmaven_adapters.vectors.chroma.wire import NOBODY, Found, Operation, Wire
from faultmaven_core.shared.errors import BackendError, BackendUnavailableError

START_SECONDS = 120.0
"""Chroma's packages are many: a second to load, on a machine under load many times that."""
END_SECONDS = 10.0
_MODULE = "faultmaven_adapters.vectors.chroma.process"
_PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "TMPDIR", "COVERAGE_PROCESS_START")
"""Variables that the process needs to start; all others may be secrets and stay here."""


class EmbeddedWire(Wire):
    """See Wire. Calls go one after the other; the process starts at the first, and again after its death."""

    def __init__(self, folder: Path, *, timeout: float) -> None:
        self.place = f"Chroma in {folder}"
        self._folder, self._timeout = folder, timeout
        self._calls = BlockingCalls("vectors", 1)
        self._process: _ChromaProcess | None = None

    async def __call__(
        self, operation: Operation, collection: Found | str = "", body: Mapping[str, Any] = NOBODY
    ) -> Any:
        """See Wire."""
        name = collection.name if isinstance(collection, Found) else collection
        return await self._calls(self._ask, (str(operation), name, dict(body)))

    async def aclose(self) -> None:
        """See Wire."""
        # A thread more, so that a call that still runs cannot hold up the loop.
        import asyncio

        await asyncio.to_thread(self._close)

    def _ask(self, order: tuple[str, str, dict[str, Any]]) -> Any:
        with translation(ANSWERS, self.place):
            try:
                if self._process is None:
                    self._process = _ChromaProcess(self._folder)
                return self._process.answer(order, self._timeout)
            except (EOFError, OSError) as error:
                self._end()
                if isinstance(error, TimeoutError):
                    raise
                raise BackendUnavailableError(f"{self.place} cannot serve us: its process has ended.") from error

    def _close(self) -> None:
        self._calls.close()
        self._end()

    def _end(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.end()


class _ChromaProcess:
    def __init__(self, folder: Path) -> None:
        self._connection, theirs = Pipe()
        # -P: a file named like a module, lying in the folder that is investigated, must not be imported.
        command = [sys.executable, "-P", "-m", _MODULE, str(folder), str(theirs.fileno())]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        try:
            received(self._connection, START_SECONDS)
        except EOFError as error:
            self.end()
            raise BackendError(
                f"The process that opens {folder} does not start; `{' '.join(command[:4])}` shows why."
            ) from error
        except BaseException:
            self.end()
            raise

    def answer(self, order: tuple[str, str, dict[str, Any]], seconds: float) -> Any:
        """What the process answers. Raises TimeoutError, and EOFError or OSError where it ends instead."""
        self._connection.send(order)
        return received(self._connection, seconds)

    def end(self) -> None:
        """The process ends when nobody speaks to it any more; where it hangs it is killed."""
        self._connection.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def received(connection: Connection, seconds: float) -> Any:
    """The next answer. Raises ChromaAnswerError where it is a failure, TimeoutError where none comes."""
    if not connection.poll(seconds):
        raise TimeoutError
    status, answer = connection.recv()
    if status != OK:
        raise ChromaAnswerError(status, answer)
    return answer
