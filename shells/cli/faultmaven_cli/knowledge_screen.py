"""What a search in knowledge looks like: passages with what was found in them, and why they stand where they stand."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import click

from faultmaven_cli.output import colours, printable

if TYPE_CHECKING:
    from faultmaven_core.knowledge.commands import Explanation, KnowledgeHit, SearchResult

INDENT = "   "
SNIPPET_LINES = 6
LEAST_WIDTH, MOST_WIDTH = 60, 120


def found(result: SearchResult) -> str:
    """The hits of a search, best first."""
    width = max(LEAST_WIDTH, min(MOST_WIDTH, shutil.get_terminal_size((100, 24)).columns))
    if not result.hits:
        return f"Nothing was found in {_documents(result.coverage.documents)}."
    return "\n\n".join("\n".join(_hit(number, hit, width)) for number, hit in enumerate(result.hits, 1))


def notes(result: SearchResult) -> Sequence[str]:
    """What the search could not look at."""
    return result.coverage.notes


def _documents(count: int) -> str:
    return "1 document" if count == 1 else f"{count:,} documents"


def _hit(number: int, hit: KnowledgeHit, width: int) -> Iterator[str]:
    title = printable(hit.title)
    where = " > ".join(printable(heading) for heading in hit.headings if printable(heading) != title)
    yield f"{number}. {_styled(title, bold=True)}{f' > {where}' if where else ''}"
    yield f"{INDENT}{hit.document_id} · {hit.scope} · {printable(hit.name)}"
    yield from _snippet(hit.snippet.text, hit.snippet.highlights, width)
    if hit.warning:
        yield INDENT + _styled(printable(hit.warning), fg="yellow")
    if hit.why:
        yield from (INDENT + _styled(line, dim=True) for line in _why(hit.why, hit.score))


def _snippet(text: str, highlights: Sequence[tuple[int, int]], width: int) -> Iterator[str]:
    """The passage line by line, each wrapped, with what was found in it in colour."""
    lines = list(islice(_lines(text, width - len(INDENT)), SNIPPET_LINES + 1))
    for start, end in lines[:SNIPPET_LINES]:
        yield INDENT + _highlighted(text, start, end, highlights)
    if len(lines) > SNIPPET_LINES:
        yield f"{INDENT}…"


def _lines(text: str, width: int) -> Iterator[tuple[int, int]]:
    """Where the lines of a text stand that are not blank, longer ones cut between words."""
    start = 0
    for line in text.split("\n"):
        at, end = start, start + len(line.rstrip())
        while at < end:
            cut = end if end - at <= width else text.rfind(" ", at + 1, at + width + 1)
            cut = cut if cut > at else at + width
            if text[at:cut].strip():
                yield at, cut
            at = cut + (text[cut : cut + 1] == " ")
        start += len(line) + 1


def _highlighted(text: str, start: int, end: int, highlights: Sequence[tuple[int, int]]) -> str:
    parts, at = [], start
    for first, last in highlights:
        if first < end and last > start:
            parts += [printable(text[at : max(first, start)])]
            at = min(last, end)
            parts += [_styled(printable(text[max(first, start) : at]), bold=True, fg="green")]
    return "".join([*parts, printable(text[at:end])])


def _why(why: Explanation, score: float) -> Iterator[str]:
    words = f"words {', '.join(map(printable, why.terms))}" if why.terms else "no words"
    yield f"why: score {score:.4f} = {why.lexical:.4f} by words + {why.vector:.4f} by meaning"
    yield f"     {words}{f' (rank {why.lexical_rank}, BM25 {why.bm25:.2f})' if why.lexical_rank else ''}"
    if why.vector_rank:
        yield f"     meaning {why.cosine:.3f} (rank {why.vector_rank})"
    if why.names:
        yield f"     exact name {', '.join(map(printable, why.names))}"


def _styled(text: str, *, bold: bool = False, dim: bool = False, fg: str | None = None) -> str:
    return click.style(text, bold=bold or None, dim=dim or None, fg=fg) if colours() else text
