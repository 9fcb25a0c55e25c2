"""Word documents by python-docx: headings, paragraphs and tables in order."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from faultmaven_core.ports.document_text import Block, DocumentText
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError

if TYPE_CHECKING:
    from docx.text.paragraph import Paragraph

_DAMAGE = (SyntaxError, ValueError, LookupError, AttributeError, TypeError, ArithmeticError, RuntimeError, EOFError)
"""What damaged parts make the package and the XML parser beneath it raise."""

_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
"""The name under which every language's Word stores a heading's style."""

MAX_UNPACKED = 256 << 20
"""Bytes of all parts together; the package holds every part."""


class DocxText(DocumentText):
    """See the port. Macros are not run and linked content is not fetched: only the main part's text is read."""

    def blocks(self, stream: BinaryIO) -> Iterator[Block]:
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
                    for row in block.rows:
                        yield Block("\t".join(cell.text.replace("\n", " ") for cell in row.cells) + "\n")
                else:
                    yield Block(block.text + "\n", _level(block) if block.text.strip() else 0)
        except (OpcError, zipfile.BadZipFile, zlib.error, struct.error, *_DAMAGE) as error:
            raise InvalidInputError("it is no Word document that can be read (damaged, or an unusual kind)") from error


def _level(paragraph: Paragraph) -> int:
    style = paragraph.style
    name = (style.name or "") if style is not None else ""
    found = _HEADING.fullmatch(name)
    return min(int(found[1]), 6) if found else int(name == "Title")
