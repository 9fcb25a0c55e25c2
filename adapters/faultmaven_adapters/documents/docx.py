"""Word documents by python-docx: paragraphs and tables in order."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from faultmaven_core.ports.document_text import DocumentText
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError

_DAMAGE = (SyntaxError, ValueError, LookupError, AttributeError, TypeError, ArithmeticError, RuntimeError, EOFError)
"""What damaged parts make the package and the XML parser beneath it raise."""

MAX_UNPACKED = 256 << 20
"""Bytes of all parts together; the package holds every part."""


class DocxText(DocumentText):
    """See the port. Macros are not run and linked content is not fetched: only the main part's text is read."""

    def text(self, stream: BinaryIO) -> Iterator[str]:
        """See the port."""
        from docx import Document
        from docx.opc.exceptions import OpcError
        from docx.table import Table

        try:
            with zipfile.ZipFile(stream) as parts:
                if sum(part.file_size for part in parts.infolist()) > MAX_UNPACKED:
                    raise TooLargeError(f"it unpacks to more than {MAX_UNPACKED >> 20} MiB")
            stream.seek(0)
            for block in Document(stream).iter_inner_content():
                if isinstance(block, Table):
                    yield from (
                        "\t".join(cell.text.replace("\n", " ") for cell in row.cells) + "\n" for row in block.rows
                    )
                else:
                    yield block.text + "\n"
        except (OpcError, zipfile.BadZipFile, zlib.error, struct.error, *_DAMAGE) as error:
            raise InvalidInputError("it is no Word document that can be read (damaged, or an unusual kind)") from error
