"""Both readers of documents keep the port's contract."""

from __future__ import annotations

import pytest

from faultmaven.composition.compute import tools
from faultmaven_adapters.extraction.document_reader import ProcessDocumentReader
from faultmaven_adapters.extraction.in_process import InProcessDocumentReader
from faultmaven_contract_tests.document_reader import DocumentReaderContract
from faultmaven_core.ports.document_reader import DocumentReader


class TestDocumentReader(DocumentReaderContract):
    """In this process, and in one of its own."""

    @pytest.fixture(params=["in_process", "child"])
    def reader(self, request: pytest.FixtureRequest) -> DocumentReader:
        """A reader."""
        if request.param == "in_process":
            return InProcessDocumentReader(tools())
        return ProcessDocumentReader("faultmaven.composition.compute:tools")
