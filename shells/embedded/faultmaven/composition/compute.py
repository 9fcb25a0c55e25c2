"""What extraction computes with; extraction processes build it by this function's name."""

from __future__ import annotations

from faultmaven_core.analysis.extract.tools import Tools
from faultmaven_core.analysis.signals.signatures import SignatureScan
from faultmaven_core.ports.pattern_scanner import PatternScanner


def tools() -> Tools:
    """The compute adapters and the compiled signatures of one process. Reading takes tenths of a second; build it once."""
    from faultmaven_adapters.documents.docx import DocxText
    from faultmaven_adapters.documents.html import HtmlText
    from faultmaven_adapters.documents.pdf import PdfText
    from faultmaven_adapters.extraction.zstd import ZstandardDecompression
    from faultmaven_adapters.structured.pyyaml import PyYamlStructuredText

    return Tools(
        PyYamlStructuredText(),
        SignatureScan(pattern_scanner()),
        documents={"docx": DocxText(), "html": HtmlText(), "pdf": PdfText()},
        zstd=ZstandardDecompression(),
    )


def pattern_scanner() -> PatternScanner:
    """Hyperscan; google-re2, which finds the same at a tenth of the speed, where hyperscan has no wheel."""
    try:
        from faultmaven_adapters.scanning.hyperscan import HyperscanPatternScanner
    except ImportError:
        from faultmaven_adapters.scanning.re2 import Re2PatternScanner

        return Re2PatternScanner()
    return HyperscanPatternScanner()
