"""The wire to Chroma in a folder: a process of ours that has the folder open.

Chroma holds the interpreter's lock while it writes, for tenths of a second in a large collection, and no other thread, so
no event loop, goes on meanwhile. Hence the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from faultmaven_adapters._support.child_process import END_SECONDS, ChildProcess
from faultmaven_adapters._support.threads import BlockingCalls
from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.vectors.chroma.errors import ANSWERS, OK, ChromaAnswerError
from faultmaven_adapters.vectors.chroma.wire import NOBODY, Found, Operation, Wire
from faultmaven_core.shared.errors import BackendUnavailableError

START_SECONDS = 120.0
"""Chroma's packages are many: a second to load, on a machine under load many times that."""
_MODULE = "faultmaven_adapters.vectors.chroma.process"


class EmbeddedWire(Wire):
    """See Wire. Calls go one after the other; the process starts at the first, and again after its death."""

    def __init__(self, folder: Path, *, timeout: float) -> None:
        self.place = f"Chroma in {folder}"
        self._folder, self._timeout = folder, timeout
        self._calls = BlockingCalls("vectors", 1)
        self._process: ChildProcess | None = None

    async def __call__(
        self, operation: Operation, collection: Found | str = "", body: Mapping[str, Any] = NOBODY
    ) -> Any:
        """See Wire."""
        name = collection.name if isinstance(collection, Found) else collection
        return await self._calls(self._ask, (str(operation), name, dict(body)))

    async def aclose(self) -> None:
        """See Wire."""
        # A thread more, so that a call that still runs cannot hold up the loop.
        await asyncio.to_thread(self._close)

    def _ask(self, order: tuple[str, str, dict[str, Any]]) -> Any:
        with translation(ANSWERS, self.place):
            try:
                process = self._process or self._started()
                process.send(order)
                return _accepted(process.receive(self._timeout))
            except TimeoutError:
                self._end(0)
                raise
            except (EOFError, OSError) as error:
                self._end()
                raise BackendUnavailableError(f"{self.place} cannot serve us: its process has ended.") from error

    def _started(self) -> ChildProcess:
        self._process = ChildProcess(_MODULE, str(self._folder))
        try:
            _accepted(self._process.receive(START_SECONDS))
        except ChromaAnswerError:
            self._end()
            raise
        return self._process

    def _close(self) -> None:
        self._calls.close()
        self._end()

    def _end(self, patience: float = END_SECONDS) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.end(patience)


def _accepted(told: tuple[int, Any]) -> Any:
    status, answer = told
    if status != OK:
        raise ChromaAnswerError(answer, status)
    return answer
