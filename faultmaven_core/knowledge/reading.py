"""From a document's bytes to its text, headings and front matter. Pure: it runs where hostile bytes can do no harm."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import BinaryIO

from faultmaven_core.knowledge.headings import markdown_headings
from faultmaven_core.knowledge.kinds import HTML, MARKDOWN, PDF, PLAIN, WORD
from faultmaven_core.ports.document_reader import Heading, ReadDocument
from faultmaven_core.ports.document_text import Block, DocumentText
from faultmaven_core.ports.structured_text import Node, StructuredText
from faultmaven_core.shared.errors import InvalidInputError, TooLargeError

MOST_CHARACTERS = 2_000_000
"""Of a text: some 700 pages. What is longer is a library, of which the parts are better found than the whole."""

MOST_FRONT_MATTER = 64 << 10

_READERS = {HTML: "html", PDF: "pdf", WORD: "docx"}
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_BYTE_ORDER = (b"\xff\xfe", b"\xfe\xff")
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1a\x1c-\x1f]")
MOST_CONTROL = 0.01
"""Share of control characters from which bytes that decode are still no text."""


def read_document(
    stream: BinaryIO, media_type: str, documents: Mapping[str, DocumentText], structured: StructuredText
) -> ReadDocument:
    """The document. Raises InvalidInputError or TooLargeError with the end of a sentence: why it cannot be read."""
    if media_type in (MARKDOWN, PLAIN):
        text = _decoded(stream.read(4 * MOST_CHARACTERS + 4))
        found = _markdown(text, structured) if media_type == MARKDOWN else ReadDocument(text)
    elif reader := documents.get(_READERS.get(media_type, "")):
        found = _joined(reader.blocks(stream))
    else:
        raise InvalidInputError(f"no reader for {media_type} is installed here: install faultmaven[evidence]")
    if len(found.text) > MOST_CHARACTERS:
        raise _too_long()
    if not found.text.strip():
        raise InvalidInputError("it holds no text: a scan needs text recognition first, an empty file content")
    return found


def _decoded(data: bytes) -> str:
    encoding = "utf-16" if data.startswith(_BYTE_ORDER) else "utf-8-sig"
    if len(data) > 4 * MOST_CHARACTERS:
        raise _too_long()
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"it is no text in UTF-8 (byte {error.start:,} is none); convert it, for example with `iconv -t UTF-8`"
        ) from error
    if len(_CONTROL.findall(text)) + text.count("\0") > MOST_CONTROL * len(text):
        raise InvalidInputError("it is binary and no text; give it under the ending of what it is")
    return _clean(text)


def _too_long() -> TooLargeError:
    return TooLargeError(f"its text has more than {MOST_CHARACTERS:,} characters; split it and add the parts")


def _clean(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def _joined(blocks: Iterable[Block]) -> ReadDocument:
    parts: list[str] = []
    headings: list[Heading] = []
    at = 0
    for block in blocks:
        text = _clean(block.text)
        if block.level and text.strip():
            headings.append(Heading(at, at + len(text), block.level, " ".join(text.split())))
        parts.append(text)
        at += len(text)
        if at > MOST_CHARACTERS:
            raise _too_long()
    return ReadDocument("".join(parts), tuple(headings))


def _markdown(text: str, structured: StructuredText) -> ReadDocument:
    matter = _FRONT_MATTER.match(text, 0, MOST_FRONT_MATTER)
    about: Mapping[str, tuple[str, ...]] | None = None
    notes: tuple[str, ...] = ()
    if matter:
        try:
            about = _about(structured.parse(matter[1]))
        except InvalidInputError as error:
            notes = (f"Its front matter is not understood: {error}",)
    if matter and about is not None:
        text = text[matter.end() :]
    return ReadDocument(text, tuple(markdown_headings(text)), about or {}, notes)


def _about(parsed: Sequence[Node]) -> Mapping[str, tuple[str, ...]] | None:
    """What a front matter says; None where the text between two lines is something else."""
    if not parsed:
        return {}
    if not isinstance(parsed[0].value, Mapping):
        return None
    return {key.lower(): _scalars(node) for key, node in parsed[0].entries()}


def _scalars(node: Node) -> tuple[str, ...]:
    if isinstance(node.value, tuple):
        return tuple(value for item in node.value for value in _scalars(item) if not isinstance(item.value, tuple))
    return () if node.value is None or isinstance(node.value, Mapping) else (_clean(str(node.value)),)
