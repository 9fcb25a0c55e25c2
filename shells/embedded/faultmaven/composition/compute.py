"""What extraction computes with; extraction processes build it by this function's name."""

from __future__ import annotations

from faultmaven_core.analysis.extract.tools import Tools
from faultmaven_core.analysis.signals.signatures import SignatureScan


def tools() -> Tools:
    """The compute adapters and the compiled signatures of one process. Reading takes tenths of a second; build it once."""
    from faultmaven_adapters.documents.docx import DocxText
    from faultmaven_adapters.documents.html import HtmlText
    from faultmaven_adapters.documents.pdf import PdfText
    from faultmaven_adapters.extraction.zstd import ZstandardDecompression
    from faultmaven_adapters.scanning.re2 import Re2PatternScanner
    from faultmaven_adapters.structured.pyyaml import PyYamlStructuredText

    return Tools(
        PyYamlStructuredText(),
        SignatureScan(Re2PatternScanner()),
        documents={"docx": DocxText(), "html": HtmlText(), "pdf": PdfText()},
        zstd=ZstandardDecompression(),
    )
