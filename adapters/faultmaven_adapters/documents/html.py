"""HTML by the standard library's parser: the visible text, one line per block."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import BinaryIO

from faultmaven_core.ports.document_text import Block, DocumentText

_CHUNK = 64 << 10
_HIDDEN = frozenset(("script", "style", "template", "noscript", "svg", "title"))
_LEVELS = {f"h{level}": level for level in range(1, 7)}
_WITHIN_WORDS = frozenset((
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "ins", "kbd", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt",
    "u", "var", "wbr"
))  # fmt: skip
"""What only says how letters look or mean; any other tag ends a word."""
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "figcaption",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "td",
        "th",
        "tr",
        "ul",
    ]
)


class HtmlText(DocumentText):
    """See the port. No script is run, no address is followed; any bytes are HTML of some kind, so nothing is refused."""

    def blocks(self, stream: BinaryIO) -> Iterator[Block]:
        """See the port."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        parser = _Visible()
        while chunk := stream.read(_CHUNK):
            parser.feed(decoder.decode(chunk))
            yield from parser.lines()
        parser.close()
        yield from parser.lines(rest=True)


class _Visible(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._hidden = 0
        self._verbatim = 0
        self._level = 0
        self._open: list[str] = []
        self._done: list[Block] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._hidden += tag in _HIDDEN
        self._verbatim += tag == "pre"
        self._break(tag)
        if tag in _BLOCKS and tag != "br":  # any other block ends a heading that nobody closed
            self._level = _LEVELS.get(tag, 0)

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in _HIDDEN))
        self._verbatim = max(0, self._verbatim - (tag == "pre"))
        self._break(tag)
        if tag in _LEVELS:
            self._level = 0

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._verbatim:
            *whole, last = data.split("\n")
            for line in whole:
                self._open.append(line)
                self._end()
            self._open.append(last)
        else:
            # Text may come in any pieces: only blanks that are there part words.
            words = " ".join(data.split())
            self._part(f"{' ' * data[:1].isspace()}{words}{' ' * bool(words and data[-1].isspace())}")

    def lines(self, *, rest: bool = False) -> Iterator[Block]:
        """The lines that are complete so far."""
        if rest:
            self._end()
        done, self._done = self._done, []
        return iter(done)

    def _break(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._end()
        elif tag not in _WITHIN_WORDS and not self._verbatim:
            self._part(" ")

    def _part(self, text: str) -> None:
        """One more piece of a line, in which one blank follows another never."""
        if self._open and self._open[-1].endswith(" "):
            text = text.removeprefix(" ")
        if text:
            self._open.append(text)

    def _end(self) -> None:
        text = "".join(self._open).rstrip()
        self._open = []
        if text.strip():
            self._done.append(Block((text if self._verbatim else text.strip()) + "\n", self._level))
