"""The readers of documents keep the port's contract."""

from __future__ import annotations

import io

import pytest
from docx import Document

from faultmaven_adapters.documents.docx import DocxText
from faultmaven_adapters.documents.html import HtmlText
from faultmaven_adapters.documents.pdf import PdfText
from faultmaven_contract_tests.document_text import DocumentTextContract
from faultmaven_core.ports.document_text import DocumentText
from faultmaven_core.shared.errors import InvalidInputError


class TestDocx(DocumentTextContract):
    """python-docx."""

    @pytest.fixture
    def reader(self) -> DocumentText:
        """It has no state."""
        return DocxText()

    def document(self, paragraphs: list[str]) -> bytes:
        """Written by the package that reads."""
        made, sink = Document(), io.BytesIO()
        for paragraph in paragraphs:
            made.add_paragraph(paragraph)
        made.save(sink)
        return sink.getvalue()

    def outlined(self, parts: list[tuple[int, str]]) -> bytes:
        """By the styles that Word offers."""
        made, sink = Document(), io.BytesIO()
        for level, text in parts:
            made.add_paragraph(text, style=f"Heading {level}" if level else None)
        made.save(sink)
        return sink.getvalue()

    def test_a_title_is_the_highest_heading_and_an_empty_one_is_none(self, reader: DocumentText) -> None:
        """Word's templates put one above the first heading, and people leave headings empty."""
        made, sink = Document(), io.BytesIO()
        made.add_heading("Runbook", level=0)
        made.add_heading("", level=1)
        made.save(sink)
        assert [(b.level, b.text) for b in reader.blocks(io.BytesIO(sink.getvalue()))] == [(1, "Runbook\n"), (0, "\n")]

    def test_tables_are_rows_of_cells(self, reader: DocumentText) -> None:
        """Incident reports keep their timeline in one."""
        made, sink = Document(), io.BytesIO()
        table = made.add_table(1, 2)
        table.cell(0, 0).text, table.cell(0, 1).text = "10:00", "alert\nfired"
        made.save(sink)
        assert "10:00\talert fired\n" in self.text(reader, sink.getvalue())


class TestHtml(DocumentTextContract):
    """The standard library's parser."""

    refuses_damage = False

    @pytest.fixture
    def reader(self) -> DocumentText:
        """It has no state."""
        return HtmlText()

    def document(self, paragraphs: list[str]) -> bytes:
        """As a status page is saved."""
        body = "".join(f"<p>{paragraph.replace(' ', ' <b>', 1)}</b></p>" for paragraph in paragraphs)
        return f"<!DOCTYPE html><html><head><title>t</title><style>p {{}}</style></head><body>{body}<script>x()</script></body></html>".encode()

    def outlined(self, parts: list[tuple[int, str]]) -> bytes:
        """A paragraph is a line of a listing, where what looks like Markdown must not count."""
        return "".join(
            f"<h{level}>{text}</h{level}>" if level else f"<pre>{text}</pre>" for level, text in parts
        ).encode()

    def test_a_heading_that_nobody_closed_ends_with_the_next_block(self, reader: DocumentText) -> None:
        """Else the rest of a page would be one heading."""
        blocks = reader.blocks(io.BytesIO(b"<h2>Dia<br>gnosis<p>Look.<p>Think."))
        assert [(b.level, b.text) for b in blocks] == [(2, "Dia\n"), (2, "gnosis\n"), (0, "Look.\n"), (0, "Think.\n")]

    @pytest.mark.parametrize(
        ("page", "text"),
        [
            (
                "<p>pay<b>ments</b>-db is <code>full</code>, see <a href=x>the wiki</a>.",
                "payments-db is full, see the wiki.",
            ),
            ("<p>kube_<span>pod</span>_status<wbr>_ready<sup>2</sup>", "kube_pod_status_ready2"),
            ("<p>one <i> two</i>\n<em>three </em> four", "one two three four"),
            ("<p>a<img src=x>b<button>c</button><option>d<option>e", "a b c d e"),
            ("<p>" + "x" * (1 << 17), "x" * (1 << 17)),
        ],
    )
    def test_a_tag_within_a_word_does_not_break_it(self, reader: DocumentText, page: str, text: str) -> None:
        """Else its words are not found; blanks that are there stay, and tags that stand for things part words."""
        assert self.text(reader, page.encode()) == f"{text}\n"

    def test_references_are_resolved_and_preformatted_lines_stay(self, reader: DocumentText) -> None:
        """A log quoted in a page is read as its lines."""
        page = b"<html><body>a &lt;b&gt; &amp; &#65;<br>c<pre>10:00  one\n10:01  two</pre></body>"
        assert self.text(reader, page) == "a <b> & A\nc\n10:00  one\n10:01  two\n"

    def test_a_head_that_nobody_closed_hides_nothing_but_its_title(self, reader: DocumentText) -> None:
        """Its end tag may be left out, as the standard has it."""
        page = b"<!DOCTYPE html><html><head><meta charset=utf-8><title>Wiki</title><body><p>The cause.</p>"
        assert self.text(reader, page) == "The cause.\n"


class TestPdf(DocumentTextContract):
    """pypdf."""

    @pytest.fixture
    def reader(self) -> DocumentText:
        """It has no state."""
        return PdfText()

    def document(self, paragraphs: list[str]) -> bytes:
        """One page with the paragraphs below each other, written by hand."""
        return self.outlined([(0, text) for text in paragraphs])

    def outlined(self, parts: list[tuple[int, str]]) -> bytes:
        """Headings in larger letters, as PDF has no other."""
        heights = {0: 11, 1: 22, 2: 16, 3: 13}
        shown = "".join(f"/F1 {heights[level]} Tf ({text}) Tj 0 -30 Td " for level, text in parts)
        stream = f"BT 50 780 Td {shown}ET".encode()
        return pdf(
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
            b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        )

    def test_an_encrypted_document_is_refused_as_such(self, reader: DocumentText) -> None:
        """With what to do."""
        from pypdf import PdfWriter

        writer, sink = PdfWriter(io.BytesIO(self.document(["secret"]))), io.BytesIO()
        writer.encrypt("password", algorithm="RC4-128")
        writer.write(sink)
        with pytest.raises(InvalidInputError, match="encrypted; save it without a password"):
            self.text(reader, sink.getvalue())


def pdf(*objects: bytes) -> bytes:
    """A PDF of numbered objects with its cross-reference table."""
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(data))
    return data + b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table) + trailer
