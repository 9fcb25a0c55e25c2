"""Sources from text, read as the product reads them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from faultmaven_adapters.scanning.re2 import Re2PatternScanner
from faultmaven_adapters.structured.pyyaml import PyYamlStructuredText
from faultmaven_core.analysis.extract.extractors import read_as
from faultmaven_core.analysis.extract.passage import SourceText
from faultmaven_core.analysis.extract.tools import Findings, Tools
from faultmaven_core.analysis.intake.sniff import kind_of
from faultmaven_core.analysis.model import Entity

Read = Callable[[str], Findings]


@pytest.fixture(scope="session")
def tools() -> Tools:
    """The compute ports, compiled once."""
    from faultmaven_core.analysis.signals.signatures import SignatureScan

    return Tools(PyYamlStructuredText(), SignatureScan(Re2PatternScanner()))


@pytest.fixture
def read(tools: Tools) -> Read:
    """What a text says, sniffed and read by the extractor of its kind."""

    def read_text(text: str) -> Findings:
        passage = SourceText(text.encode()).passage()
        out = Findings(tools, Entity("source", "file"))
        read_as(kind_of(passage), passage, out)
        return out

    return read_text
