"""Port for documents whose bytes are not their text: PDF, Word, HTML."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a document: paragraphs, a row, a heading. `text` ends with a line feed.

    `level` is 1 (the highest) to 6 for a heading, 0 for everything else.
    """

    text: str
    level: int = 0


class DocumentText(Protocol):
    """Renders a document as plain text. A compute port: synchronous and pure, called in extraction processes."""

    @abstractmethod
    def blocks(self, stream: BinaryIO) -> Iterator[Block]:
        """The document in reading order; a heading is a block of its own.

        The same bytes give the same blocks. Nothing outside the document is fetched and nothing in it is run.
        Raises InvalidInputError that says what is wrong where the document cannot be read (damaged, encrypted).
        """

    def text(self, stream: BinaryIO) -> Iterator[str]:
        """The text of the blocks alone."""
        return (block.text for block in self.blocks(stream))
