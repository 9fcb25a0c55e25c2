"""Documents of knowledge become text, headings and front matter, or a sentence on why not."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.composition.compute import tools
from faultmaven_core.knowledge import reading
from faultmaven_core.knowledge.headings import markdown_headings
from faultmaven_core.knowledge.kinds import HTML, MARKDOWN, PDF, PLAIN, WORD, media_type
from faultmaven_core.knowledge.reading import MOST_CHARACTERS, read_document
from faultmaven_core.ports.document_reader import ReadDocument
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError

TOOLS = tools()


def read(data: bytes, kind: str = MARKDOWN) -> ReadDocument:
    """The document of these bytes."""
    return read_document(io.BytesIO(data), kind, TOOLS.documents, TOOLS.structured)


def levels(text: str) -> list[tuple[int, str]]:
    """The headings of a Markdown text."""
    return [(heading.level, heading.title) for heading in markdown_headings(text)]


def test_front_matter_is_taken_off_and_its_values_are_text() -> None:
    """Dates stay what was written; nested values are nothing that a document says of itself."""
    found = read(
        b"---\nTitle: Redis is full\ntags: [redis, 7]\nlast_updated: 2026-01-31\nowner: {a: b}\nby:\n---\n# Redis\n"
    )
    assert found.text == "# Redis\n"
    assert found.about == {
        "title": ("Redis is full",),
        "tags": ("redis", "7"),
        "last_updated": ("2026-01-31",),
        "owner": (),
        "by": (),
    }
    assert found.notes == ()


def test_front_matter_that_is_no_yaml_stays_in_the_text_and_is_told() -> None:
    """Nothing that somebody wrote is lost without a word."""
    found = read(b"---\ntitle: [broken\n---\n# Redis\n")
    assert found.text.startswith("---\ntitle: [broken\n")
    assert found.notes[0].startswith("Its front matter is not understood: ")
    assert found.about == {}


def test_a_line_across_the_page_is_no_front_matter() -> None:
    """Two of them with prose between are common in notes."""
    assert read(b"---\nJust a note.\n---\nmore\n").text == "---\nJust a note.\n---\nmore\n"
    assert read(b"---\n---\nmore\n").text == "more\n"


def test_headings_of_markdown_are_found_and_comments_in_code_are_not() -> None:
    """Both styles, any fence, closing marks and markup gone."""
    text = "# A `b` **c** ##\n\nSub title\n---\n```sh\n# no\n~~~\n```\n## [x](http://y) {#a}\n- item\n---\n#\n####### no\n~~~~\n# q\n~~~\n"
    assert levels(text) == [(1, "A b c"), (2, "Sub title"), (2, "x")]
    assert levels("C#\n# C#\n## F# #") == [(1, "C#"), (2, "F#")]
    assert levels("# ###") == []


@given(st.text(st.sampled_from("# -=`~\nab>*1."), max_size=60))
def test_headings_lie_in_order_on_whole_lines_of_the_text(text: str) -> None:
    """Whatever people type."""
    at = 0
    for heading in markdown_headings(text):
        assert at <= heading.start < heading.end <= len(text)
        assert heading.start == 0 or text[heading.start - 1] == "\n"
        assert text[heading.end - 1] == "\n" or heading.end == len(text)
        assert heading.title
        at = heading.end


@given(st.binary(max_size=300), st.sampled_from([MARKDOWN, PLAIN, HTML, PDF, WORD]))
def test_any_bytes_are_a_storable_document_or_our_error(data: bytes, kind: str) -> None:
    """Nothing else comes out of hostile bytes."""
    try:
        found = read(data, kind)
    except (InvalidInputError, TooLargeError):
        return
    assert found.text.strip()
    found.text.encode()
    assert "\0" not in found.text
    assert "\r" not in found.text


def test_line_ends_and_byte_order_marks_of_other_systems_are_read() -> None:
    """As editors of Windows save."""
    assert read("\ufeff# A\r\ntext\r\n".encode()).text == "# A\ntext\n"
    assert read("caf\u00e9\r\n".encode("utf-16"), PLAIN).text == "caf\u00e9\n"
    assert read(b"# no heading\n", PLAIN).headings == ()


def test_headings_of_other_kinds_stand_where_the_text_has_them() -> None:
    """The same for all kinds."""
    found = read(b"<html><body><p>intro<h2>Check\n it</h2><pre># comment</pre></body></html>", HTML)
    (heading,) = found.headings
    assert (found.text[heading.start : heading.end], heading.level, heading.title) == ("Check it\n", 2, "Check it")


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b"", MARKDOWN, "holds no text"),
        (b" \n\t\n", PLAIN, "holds no text"),
        (b"caf\xe9 au lait", PLAIN, r"no text in UTF-8 \(byte 3"),
        (bytes(range(1, 9)) * 50, PLAIN, "binary"),
        (b"\0" * 100, MARKDOWN, "binary"),
        (b"%PDF-1.4 nothing", PDF, "no PDF that can be read"),
        (b"PK\x03\x04", WORD, "no Word document"),
        (b"<html><script>x()</script></html>", HTML, "holds no text"),
        (b"x", "image/png", "no reader for image/png"),
    ],
)
def test_each_broken_document_says_why(data: bytes, kind: str, words: str) -> None:
    """In words that tell what to do."""
    with pytest.raises(InvalidInputError, match=words):
        read(data, kind)


def test_a_text_over_the_limit_is_refused_before_it_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both what is decoded and what is rendered."""
    monkeypatch.setattr(reading, "MOST_CHARACTERS", 1000)
    for data, kind in ((b"a" * 1001, PLAIN), (b"a" * 5000, MARKDOWN), (b"<p>" + b"a " * 1001, HTML)):
        with pytest.raises(TooLargeError, match="split it"):
            read(data, kind)
    assert MOST_CHARACTERS == 2_000_000


def test_the_ending_tells_the_kind() -> None:
    """Of names in any case; others are not taken."""
    assert [media_type(name) for name in ("A.MD", "b.txt", "c.htm", "d.pdf", "e.docx")] == [
        MARKDOWN,
        PLAIN,
        HTML,
        PDF,
        WORD,
    ]
    assert [media_type(name) for name in ("md", "x.png", "x.md.bak", "")] == ["", "", "", ""]
