"""Compute adapters that are imported when they are first used: a start should not pay for what a command never needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import MappingProxyType
from typing import Any

from faultmaven_core.ports.document_reader import DocumentReader, DocumentReading
from faultmaven_core.ports.extraction_runner import EVERYTHING, ExtractionRun, ExtractionRunner, Input, Options
from faultmaven_core.ports.pattern_scanner import PatternScanner, Scan
from faultmaven_core.ports.report_renderer import Exhibits, ReportForm, ReportRenderer

TOOLS = "faultmaven.composition.compute:tools"
"""What extraction processes call to build what they compute with."""


class DeferredExtractionRunner(ExtractionRunner):
    """Child processes, on first use."""

    def __init__(self, processes: int) -> None:
        self._processes = processes

    def run(self, inputs: Sequence[Input], options: Options = EVERYTHING) -> AbstractAsyncContextManager[ExtractionRun]:
        """See the port."""
        from faultmaven_adapters.extraction.processes import ProcessExtractionRunner

        return ProcessExtractionRunner(TOOLS, self._processes).run(inputs, options)


class DeferredDocumentReader(DocumentReader):
    """A child process, on first use."""

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[DocumentReading]:
        """See the port."""
        # Jobs read beside other work: the import, a tenth of a second, must not hold the event loop.
        reader = await asyncio.to_thread(_document_reader)
        async with reader.reading() as reading:
            yield reading


def _document_reader() -> DocumentReader:
    from faultmaven_adapters.extraction.document_reader import ProcessDocumentReader

    return ProcessDocumentReader(TOOLS)


class DeferredPatternScanner(PatternScanner):
    """The scanner that extraction uses too, on first use."""

    def compile(self, patterns: Mapping[str, str]) -> Scan:
        """See the port."""
        from faultmaven.composition.compute import pattern_scanner

        return pattern_scanner().compile(patterns)


class DeferredReportRenderer(ReportRenderer):
    """Jinja, on first use."""

    def render(
        self,
        record: Mapping[str, Any],
        exhibits: Exhibits,
        form: ReportForm,
        guidance: Mapping[str, Any] = MappingProxyType({}),
    ) -> str:
        """See the port."""
        from faultmaven_adapters.reports.jinja import JinjaReportRenderer

        return JinjaReportRenderer().render(record, exhibits, form, guidance)
