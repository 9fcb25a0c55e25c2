"""PDF by pypdf, page by page."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import BinaryIO

from faultmaven_core.ports.document_text import DocumentText
from faultmaven_core.shared.errors import InvalidInputError

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
        except (
            PyPdfError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            IndexError,
            AssertionError,
            OverflowError,
        ) as error:
            # pypdf meets damage with whatever its code happens to raise.
            raise InvalidInputError("it is no PDF that can be read (damaged, or an unusual kind)") from error
