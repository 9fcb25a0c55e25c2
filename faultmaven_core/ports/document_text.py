"""Port for documents whose bytes are not their text: PDF, Word, HTML."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import BinaryIO, Protocol


class DocumentText(Protocol):
    """Renders a document as plain text. A compute port: synchronous and pure, called in extraction processes."""

    @abstractmethod
    def text(self, stream: BinaryIO) -> Iterator[str]:
        """The text in reading order, in pieces (pages, paragraphs), each ending with a line feed.

        The same bytes give the same text. Nothing outside the document is fetched and nothing in it is run.
        Raises InvalidInputError that says what is wrong where the document cannot be read (damaged, encrypted).
        """
