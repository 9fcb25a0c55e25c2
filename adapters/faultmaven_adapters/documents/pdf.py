"""PDF by pypdf, page by page. It has no headings, only larger letters: those are taken for headings."""

from __future__ import annotations

import logging
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING, Any, BinaryIO

from faultmaven_core.ports.document_text import Block, DocumentText
from faultmaven_core.shared.errors import InvalidInputError

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

_DAMAGE = (ValueError, LookupError, AttributeError, TypeError, ArithmeticError, RuntimeError, AssertionError, EOFError)
"""What damaged objects make the package raise, beside its own errors."""

MAX_PAGES = 2_000

LARGER = 1.15
"""Height of a heading's letters to that of most letters; the smallest step of usual templates is 11 to 13 points."""

LONGEST_HEADING = 160
"""Characters; larger letters over more than that are an introduction or a poster."""


@dataclass(frozen=True, slots=True)
class _Page:
    """A page's text, and the height of the letters of each line."""

    text: str
    heights: Mapping[str, float]


class PdfText(DocumentText):
    """See the port. The package is imported when the first document comes: few investigations have one."""

    def blocks(self, stream: BinaryIO) -> Iterator[Block]:
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
            pages, letters = _read(reader)
        except (PyPdfError, struct.error, zlib.error, *_DAMAGE) as error:
            raise InvalidInputError("it is no PDF that can be read (damaged, or an unusual kind)") from error
        levels = _levels(pages, letters)
        for page in pages:
            yield from _blocks(page, levels)


def _read(reader: PdfReader) -> tuple[Sequence[_Page], Counter[float]]:
    """All pages, and how many letters have which height."""
    letters: Counter[float] = Counter()
    return [_page(page, letters) for page in reader.pages], letters


def _page(page: PageObject, letters: Counter[float]) -> _Page:
    heights: dict[str, float] = {}

    def seen(text: str, cm: Sequence[float], tm: Sequence[float], _font: Any, size: float) -> None:
        height = round(hypot(cm[1], cm[3]) * hypot(tm[1], tm[3]) * size, 1)
        for line in filter(None, map(str.strip, text.split("\n"))):
            heights[line] = max(height, heights.get(line, 0.0))
            letters[height] += len(line)

    return _Page(page.extract_text(visitor_text=seen) + "\n", heights)


def _levels(pages: Sequence[_Page], letters: Counter[float]) -> Mapping[float, int]:
    """The levels of the heights that headings have, the largest first."""
    if not letters:
        return {}
    usual = letters.most_common(1)[0][0]
    larger = {
        height
        for page in pages
        for line, height in page.heights.items()
        if height >= LARGER * usual and len(line) <= LONGEST_HEADING
    }
    return {height: min(rank, 6) for rank, height in enumerate(sorted(larger, reverse=True), 1)}


def _blocks(page: _Page, levels: Mapping[float, int]) -> Iterator[Block]:
    body: list[str] = []
    for line in page.text[:-1].split("\n"):
        name = line.strip()
        level = levels.get(page.heights.get(name, 0.0), 0) if len(name) <= LONGEST_HEADING else 0
        if not level:
            body.append(line + "\n")
            continue
        if body:
            yield Block("".join(body))
            body.clear()
        yield Block(line + "\n", level)
    if body:
        yield Block("".join(body))
