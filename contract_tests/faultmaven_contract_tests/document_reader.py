"""The contract of `faultmaven_core.ports.document_reader`."""

from __future__ import annotations

from pathlib import Path

import pytest

from faultmaven_core.ports.document_reader import DocumentReader, Heading, UnreadableDocumentError
from faultmaven_core.shared.errors import BackendUnavailableError

MARKDOWN, PDF = "text/markdown", "application/pdf"


class DocumentReaderContract:
    """Every reader, in processes or not, gives the same and fails the same."""

    async def test_documents_come_with_their_headings_and_broken_ones_with_a_sentence(
        self, reader: DocumentReader, tmp_path: Path
    ) -> None:
        """One after another from the same process, a broken one between two good ones."""
        good, broken = tmp_path / "good", tmp_path / "broken"
        good.write_text("---\ntags: [redis]\n---\n# Redis\nis full\n")
        broken.write_bytes(b"%PDF-1.7 cut")
        async with reader.reading() as reading:
            first = await reading.read(str(good), "good.md", MARKDOWN)
            with pytest.raises(
                UnreadableDocumentError, match=r"^broken\.pdf was not read: it is no PDF that can be read"
            ):
                await reading.read(str(broken), "broken.pdf", PDF)
            assert await reading.read(str(good), "good.md", MARKDOWN) == first
        assert first.text == "# Redis\nis full\n"
        assert first.headings == (Heading(0, 8, 1, "Redis"),)
        assert first.about == {"tags": ("redis",)}

    async def test_a_file_that_is_gone_is_no_fault_of_the_document(
        self, reader: DocumentReader, tmp_path: Path
    ) -> None:
        """Another attempt may have it; the document is not given up for it."""
        async with reader.reading() as reading:
            with pytest.raises(BackendUnavailableError, match=r"a\.md"):
                await reading.read(str(tmp_path / "gone"), "a.md", MARKDOWN)
            with pytest.raises(BackendUnavailableError, match=r"b\.md"):
                await reading.read(str(tmp_path), "b.md", MARKDOWN)
