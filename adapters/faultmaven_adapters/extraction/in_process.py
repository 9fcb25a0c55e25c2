"""Extraction in this very process: no isolation, for trusted bytes and for tests of what uses the port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from faultmaven_adapters.extraction import jobs
from faultmaven_adapters.extraction.document_reader import ExecutorReading
from faultmaven_adapters.extraction.jobs import Job, Reply
from faultmaven_adapters.extraction.run import Executor, Run
from faultmaven_adapters.extraction.scratch import private_folder
from faultmaven_core.analysis.extract.tools import Tools
from faultmaven_core.ports.document_reader import DocumentReader, DocumentReading
from faultmaven_core.ports.extraction_runner import EVERYTHING, ExtractionRun, ExtractionRunner, Input, Options


class InProcessExtractionRunner(ExtractionRunner):
    """See the port. It gives what the processes give, and blocks the event loop while it reads."""

    def __init__(self, tools: Tools) -> None:
        self._executor = _Inline(tools)

    @asynccontextmanager
    async def run(self, inputs: Sequence[Input], options: Options = EVERYTHING) -> AsyncIterator[ExtractionRun]:
        """See the port."""
        with private_folder() as folder:
            run = Run(self._executor, folder, inputs, options)
            try:
                yield run
            finally:
                await run.stop()


class InProcessDocumentReader(DocumentReader):
    """See the port. It gives what the processes give, and blocks the event loop while it reads."""

    def __init__(self, tools: Tools) -> None:
        self._executor = _Inline(tools)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[DocumentReading]:
        """See the port."""
        yield ExecutorReading(self._executor)


class _Inline(Executor):
    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def submit(self, job: Job, size: int) -> Sequence[Reply]:
        return list(jobs.run(job, self._tools))
