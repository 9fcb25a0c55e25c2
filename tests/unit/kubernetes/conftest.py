"""How these tests read text: as a source of its own, by the product's own way in."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from faultmaven_adapters.scanning.re2 import Re2PatternScanner
from faultmaven_adapters.structured.pyyaml import PyYamlStructuredText
from faultmaven_core.analysis.analyse import extract_all
from faultmaven_core.analysis.extract.tools import Tools
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.graph.kubernetes_joins import join
from faultmaven_core.analysis.model import Extraction
from faultmaven_core.analysis.signals.signatures import SignatureScan


@pytest.fixture(scope="session")
def tools() -> Tools:
    """The real scanner and the real YAML parser."""
    return Tools(PyYamlStructuredText(), SignatureScan(Re2PatternScanner()))


@pytest.fixture
def read(tools: Tools) -> Callable[[str], Extraction]:
    """What one source says."""

    def extraction(text: str) -> Extraction:
        found, _ = extract_all({"evidence": dedent(text).lstrip("\n").encode()}, tools)
        return found[0]

    return extraction


@pytest.fixture
def graph(tools: Tools) -> Callable[..., EvidenceGraph]:
    """The joined graph of several sources."""

    def joined(*texts: str) -> EvidenceGraph:
        sources = {f"source-{index}": dedent(text).lstrip("\n").encode() for index, text in enumerate(texts)}
        found, _ = extract_all(sources, tools)
        bare = EvidenceGraph.of(found)
        return bare.with_more(relations=join(bare))

    return joined
