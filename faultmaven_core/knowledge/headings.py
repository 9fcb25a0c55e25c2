"""The headings of Markdown, as CommonMark tells them: `#` lines and underlined ones, none inside of fenced code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from faultmaven_core.ports.document_reader import Heading

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)")
_MARKED = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*")
_PARAGRAPH = re.compile(r" {0,3}(?![-*+>|] |\d{1,9}[.)] |<!--)\S.*")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKUP = re.compile(r"\*\*?|`|\{#[^}]*\}\s*$")

LONGEST_TITLE = 300
"""Characters; a longer line behind a `#` is cut."""


def markdown_headings(text: str) -> Iterator[Heading]:
    """The headings of a text, in order; those without a title are none."""
    return (heading for heading in _headings(text) if heading.title)


def _headings(text: str) -> Iterator[Heading]:
    fence = ""
    above: tuple[int, str] | None = None  # a line that an underline would make a heading
    blank = True
    at = 0
    for line in text.split("\n"):
        start, at = at, min(at + len(line) + 1, len(text))
        if mark := _FENCE.fullmatch(line):
            fence = _after(fence, mark[1], mark[2])
            above = None
        elif not fence and (found := _MARKED.match(line)):
            yield Heading(start, at, len(found[1]), _plain(_opened(line[found.end() :])))
            above = None
            blank = True
            continue
        elif not fence and above and (found := _UNDERLINE.fullmatch(line)):
            yield Heading(above[0], at, 1 if found[1][0] == "=" else 2, _plain(above[1]))
            above = None
        else:
            above = (start, line) if not fence and blank and _PARAGRAPH.fullmatch(line) else None
        blank = not line.strip()


def _after(fence: str, mark: str, rest: str) -> str:
    """The fence that is open after a line of fence marks; empty for none."""
    if not fence:
        return mark
    closes = mark[0] == fence[0] and len(mark) >= len(fence) and not rest.strip()
    return "" if closes else fence


def _opened(rest: str) -> str:
    """What stands behind the marks of a heading, without those that close it."""
    title = rest.strip()
    kept = title.rstrip("#")
    return kept if kept != kept.rstrip() or not kept else title


def _plain(title: str) -> str:
    return " ".join(_MARKUP.sub("", _LINK.sub(r"\1", title[:LONGEST_TITLE])).split())
