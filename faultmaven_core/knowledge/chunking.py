"""Cutting a text into chunks along its headings, so that each can be understood, found and cited by itself."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from math import ceil
from uuid import UUID

from faultmaven_core.knowledge import names, tokens
from faultmaven_core.knowledge.model import Chunk
from faultmaven_core.ports.document_reader import Heading

MOST = 1000
"""Characters of a chunk: about 200 words, what small embedding models read whole and a person at a glance."""

LEAST = MOST // 4
"""A section below this goes with its neighbour of the same parent: alone it would say too little."""

_BREAKS = (
    re.compile(r"\n[ \t]*\n+(?=\S)"),  # between paragraphs; what is indented belongs to the step above
    re.compile(r"\n(?=\s*(?:[-*+]|\d{1,3}[.)])\s)"),  # between steps
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?])\s+"),
    re.compile(r"\s+"),
)
"""Where a section may be cut, the best places first."""

_WITHOUT_CODE = 2
"""So many kinds of places are none inside of fenced code, which is cut only where there is no other way."""

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a text and the headings that lead to it."""

    headings: tuple[str, ...]
    start: int
    end: int


def cut(title: str, text: str, headings: Sequence[Heading], document: UUID) -> Sequence[Chunk]:
    """The chunks of a document's text, in order: joined, they are the text. A text of blanks has none."""
    if not text.strip():
        return ()
    fences = [fence.start() for fence in _FENCE.finditer(text)]
    parts = [part for piece in _merged(_sections(text, headings)) for part in _parts(text, piece, fences)]
    title_terms = tokens.terms(title)
    return [
        Chunk(
            document,
            number,
            part.headings,
            text[part.start : part.end],
            part.start,
            part.end,
            tokens.terms(text[part.start : part.end]),
            title_terms + tokens.terms(" ".join(_below(title, part.headings))),
            names.distinct(text[part.start : part.end] if number else f"{title}\n{text[: part.end]}"),
        )
        for number, part in enumerate(parts)
    ]


def passage(title: str, chunk: Chunk) -> str:
    """What of a chunk is embedded: the way to it, with compound names spelt out for models that know words, and its text."""
    way = " > ".join(tokens.spaced(part) for part in (title, *_below(title, chunk.headings)))
    return f"{way}\n{chunk.text.strip()}"


def _below(title: str, headings: Sequence[str]) -> Sequence[str]:
    """The headings without one that only repeats the title."""
    return [heading for heading in headings if tokens.terms(heading) != tokens.terms(title)]


def _sections(text: str, headings: Sequence[Heading]) -> Iterator[_Piece]:
    """The text from each heading to the next; the line of a heading with nothing under it goes with what comes next."""
    path: list[Heading] = []
    start = body = 0
    for heading in headings:
        if text[body : heading.start].strip():
            yield _Piece(_titles(path), start, heading.start)
            start = heading.start
        path = [above for above in path if above.level < heading.level] + [heading]
        body = heading.end
    yield _Piece(_titles(path), start, len(text))


def _titles(path: Sequence[Heading]) -> tuple[str, ...]:
    return tuple(heading.title for heading in path)


def _merged(sections: Iterable[_Piece]) -> Sequence[_Piece]:
    """Sections, small ones joined with a sibling, or with the parent or child beside them."""
    pieces: list[_Piece] = []
    for section in sections:
        last = pieces[-1] if pieces else None
        if last and _belong_together(last, section):
            pieces[-1] = _Piece(_common(last.headings, section.headings), last.start, section.end)
        else:
            pieces.append(section)
    return pieces


def _belong_together(one: _Piece, other: _Piece) -> bool:
    small = min(one.end - one.start, other.end - other.start) < LEAST and other.end - one.start <= MOST
    deepest = max(len(one.headings), len(other.headings))
    return small and len(_common(one.headings, other.headings)) >= deepest - 1


def _common(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    return tuple(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _parts(text: str, piece: _Piece, fences: Sequence[int]) -> Iterator[_Piece]:
    """A section in parts of equal length, about, none above MOST."""
    start = piece.start
    while (left := piece.end - start) > MOST:
        end = _break(text, start, start + left // ceil(left / MOST), fences)
        yield _Piece(piece.headings, start, end)
        start = end
    yield _Piece(piece.headings, start, piece.end)


def _break(text: str, start: int, wanted: int, fences: Sequence[int]) -> int:
    """The best place to end a part that begins at `start`: by kind of break, then by nearness to the one wanted."""
    for rank, pattern in enumerate(_BREAKS):
        places = [found.end() for found in pattern.finditer(text, start + MOST // 4, start + MOST)]
        if rank < _WITHOUT_CODE:
            places = [place for place in places if bisect_left(fences, place) % 2 == 0]
        if places:
            return min(places, key=lambda place: abs(place - wanted))
    return start + MOST
