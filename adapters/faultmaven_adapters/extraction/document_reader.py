"""Documents of knowledge read in child processes, beside evidence and for the same reason."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from faultmaven_adapters.extraction.failures import sentence
from faultmaven_adapters.extraction.jobs import Failed, ReadText
from faultmaven_adapters.extraction.processes import ProcessLimits, ProcessPool
from faultmaven_adapters.extraction.run import Executor
from faultmaven_core.ports.document_reader import (
    DocumentReader,
    DocumentReading,
    ReadDocument,
    UnreadableDocumentError,
)
from faultmaven_core.shared.errors import BackendError, BackendUnavailableError

DEFAULTS = ProcessLimits()

UNPACKED_TO_PACKED = 20
"""Bytes to expect of a packed one (Word and PDF are packed), to set how long reading may take."""


class ProcessDocumentReader(DocumentReader):
    """See the port. `tools` is `module:function` that children call to build their Tools."""

    def __init__(self, tools: str, processes: int = 1, limits: ProcessLimits = DEFAULTS) -> None:
        self._tools, self._processes, self._limits = tools, processes, limits

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[DocumentReading]:
        """See the port."""
        pool = ProcessPool(self._tools, self._processes, self._limits)
        try:
            yield ExecutorReading(pool)
        finally:
            await asyncio.shield(pool.close())


class ExecutorReading(DocumentReading):
    """See the port. The executor is what reads."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def read(self, path: str, name: str, media_type: str) -> ReadDocument:
        """See the port."""
        try:
            size = os.stat(path).st_size
        except OSError as error:
            raise BackendUnavailableError(f"{name} cannot be read from the temporary folder.") from error
        reply = (await self._executor.submit(ReadText(path, media_type), UNPACKED_TO_PACKED * size))[-1]
        if isinstance(reply, ReadDocument):
            return reply
        if not isinstance(reply, Failed):
            raise BackendError("An extraction process answered something else than it was asked for.")
        if reply.why == "system":
            raise BackendUnavailableError(sentence(name, reply))
        raise UnreadableDocumentError(sentence(name, reply))
