"""PDF by pypdf, page by page."""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from faultmaven_core.ports.document_text import DocumentText
from faultmaven_core.shared.errors import InvalidInputError

_DAMAGE = (ValueError, LookupError, AttributeError, TypeError, ArithmeticError, RuntimeError, AssertionError, EOFError)
"""What damaged objects make the package raise, beside its own errors."""

MAX_PAGES = 2_000


class PdfText(DocumentText):
    """See the port. The package is imported when the first document comes: few investigations have one."""

    def text(self, stream: BinaryIO) -> Iterator[str]:
        """See the port."""
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError

        logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it warns of every flaw that it repairs
        try:
            reader = PdfReader(stream)
            if reader.is_encrypted and not reader.decrypt(""):
                raise InvalidInputError("it is encrypted; save it without a password and give that")
            if len(reader.pages) > MAX_PAGES:
                raise InvalidInputError(f"it has more than {MAX_PAGES:,} pages; give those that matter")
            for page in reader.pages:
                yield page.extract_text() + "\n"
        except (PyPdfError, struct.error, zlib.error, *_DAMAGE) as error:
            raise InvalidInputError("it is no PDF that can be read (damaged, or an unusual kind)") from error
