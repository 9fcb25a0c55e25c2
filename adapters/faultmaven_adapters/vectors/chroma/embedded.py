"""The wire to Chroma in a folder: a process of ours that has the folder open.

Chroma holds the interpreter's lock while it writes, for tenths of a second in a large collection, and no other thread, so
no event loop, goes on meanwhile. Hence the process. It is asked from the event loop itself: a thread between them would
add to what every search waits for.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from faultmaven_adapters._support.child_process import END_SECONDS, ChildProcess
from faultmaven_adapters._support.translate import translation
from faultmaven_adapters.vectors.chroma.errors import ANSWERS, OK, ChromaAnswerError
from faultmaven_adapters.vectors.chroma.wire import NOBODY, Found, Operation, Wire
from faultmaven_core.shared.errors import BackendUnavailableError, ConflictError

START_SECONDS = 120.0
"""Chroma's packages are many: a second to load, on a machine under load many times that."""
_MODULE = "faultmaven_adapters.vectors.chroma.process"


class EmbeddedWire(Wire):
    """See Wire. Calls go one after the other; the process starts at the first, and again after its death."""

    def __init__(self, folder: Path, *, timeout: float) -> None:
        self.place = f"Chroma in {folder}"
        self._folder, self._timeout = folder, timeout
        self._process: ChildProcess | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()
        self._closed = False

    async def __call__(
        self, operation: Operation, collection: Found | str = "", body: Mapping[str, Any] = NOBODY
    ) -> Any:
        """See Wire."""
        name = collection.name if isinstance(collection, Found) else collection
        order = msgspec.msgpack.encode((operation, name, body), enc_hook=array.tobytes)
        turn = self._turn()
        await turn.acquire()
        if self._closed:
            turn.release()
            raise ConflictError("The vector store was closed.")
        asked = asyncio.create_task(self._asked(order))
        asked.add_done_callback(lambda _: turn.release())
        # Whoever waits may be cancelled; the answer is taken all the same, or the next one would get it.
        return await asyncio.shield(asked)

    async def aclose(self) -> None:
        """See Wire."""
        self._closed = True
        async with self._turn():
            await asyncio.to_thread(self._end)

    def _turn(self) -> asyncio.Lock:
        """A lock is for one event loop; a store may be used in several, one after the other."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._lock = loop, asyncio.Lock()
        return self._lock

    async def _asked(self, order: bytes) -> Any:
        with translation(ANSWERS, self.place):
            try:
                if self._process is None:
                    self._process = await asyncio.to_thread(self._started)
                async with asyncio.timeout(self._timeout):
                    answer = await self._process.ask(order)
            except TimeoutError:
                # It is still at it, and would answer somebody else's question.
                await asyncio.to_thread(self._end, 0)
                raise
            except asyncio.CancelledError:
                self._end(0)  # the loop itself ends: nothing can be awaited any more
                raise
            except (EOFError, OSError) as error:
                await asyncio.to_thread(self._end)
                raise BackendUnavailableError(f"{self.place} cannot serve us: its process has ended.") from error
            return _accepted(answer)

    def _started(self) -> ChildProcess:
        process = ChildProcess(_MODULE, str(self._folder))
        try:
            _accepted(process.receive(START_SECONDS))
        except ChromaAnswerError:
            process.end()
            raise
        except (EOFError, OSError):
            process.end(0)
            raise
        return process

    def _end(self, patience: float = END_SECONDS) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.end(patience)


def _accepted(answer: bytes) -> Any:
    status, told = msgspec.msgpack.decode(answer)
    if status != OK:
        raise ChromaAnswerError(told, status)
    return told
