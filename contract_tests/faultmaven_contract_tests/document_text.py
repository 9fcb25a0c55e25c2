"""The contract of `faultmaven_core.ports.document_text`."""

from __future__ import annotations

import io
import random
from abc import abstractmethod
from contextlib import suppress

import pytest

from faultmaven_core.ports.document_text import DocumentText
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError


class DocumentTextContract:
    """Every reader of a document kind. A binding makes documents: `document(paragraphs)` has these in order."""

    refuses_damage = True
    """Whether the kind has a structure that can be damaged; HTML takes anything."""

    @pytest.fixture
    def reader(self) -> DocumentText:
        """The implementation under test."""
        raise NotImplementedError

    @abstractmethod
    def document(self, paragraphs: list[str]) -> bytes:
        """A document with these paragraphs."""

    @abstractmethod
    def outlined(self, parts: list[tuple[int, str]]) -> bytes:
        """A document with headings of these levels, and paragraphs where the level is 0."""

    def text(self, reader: DocumentText, data: bytes) -> str:
        """All of a document's text."""
        return "".join(reader.text(io.BytesIO(data)))

    def test_paragraphs_come_in_order_each_on_lines_of_its_own(self, reader: DocumentText) -> None:
        """So that a span of lines cites a paragraph."""
        paragraphs = ["Payment service was down", "Cause: the pool was too small", "Connection refused by db-1:5432"]
        lines = [line.strip() for line in self.text(reader, self.document(paragraphs)).split("\n") if line.strip()]
        assert lines == paragraphs

    def test_every_piece_ends_with_a_line_feed_and_twice_gives_the_same(self, reader: DocumentText) -> None:
        """The text's digest is what is cited."""
        data = self.document(["one", "two"])
        assert all(piece.endswith("\n") for piece in reader.text(io.BytesIO(data)))
        assert self.text(reader, data) == self.text(reader, data)

    def test_headings_keep_their_level_and_are_blocks_of_their_own(self, reader: DocumentText) -> None:
        """So that a passage is found under the heading that it stands under, and comments of a shell are no headings."""
        parts = [
            (1, "Payments are down"),
            (0, "Customers see errors and the pager rings for everybody on call."),
            (2, "Diagnosis"),
            (0, "# kubectl is a comment here"),
            (2, "Remedy"),
            (3, "Restart"),
            (0, "Delete the pod, then watch it come back with the new limit in place."),
        ]
        blocks = list(reader.blocks(io.BytesIO(self.outlined(parts))))
        assert [(b.level, b.text.strip()) for b in blocks if b.level] == [part for part in parts if part[0]]
        assert all(b.text.endswith("\n") for b in blocks)
        body = [line.strip() for b in blocks if not b.level for line in b.text.split("\n") if line.strip()]
        assert body == [text for level, text in parts if not level]

    def test_damage_is_refused_with_a_sentence(self, reader: DocumentText) -> None:
        """Cut anywhere, overwritten anywhere: text or our error, nothing else."""
        data = self.document(["one", "two"] * 30)
        draw = random.Random(4)
        for attempt in range(60):
            bad = bytearray(data)
            if attempt % 2:
                del bad[draw.randrange(len(bad)) :]
            else:
                for _ in range(20):
                    bad[draw.randrange(len(bad))] = draw.randrange(256)
            with suppress(InvalidInputError, TooLargeError):
                self.text(reader, bytes(bad))
        if self.refuses_damage:
            with pytest.raises(InvalidInputError, match="can be read"):
                self.text(reader, data[: len(data) // 3])
