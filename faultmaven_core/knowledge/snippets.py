"""What of a passage is shown: the part that answers most of the question, its words marked."""

from __future__ import annotations

from collections.abc import Mapping

from faultmaven_core.knowledge.commands import Snippet
from faultmaven_core.knowledge.tokens import Token, tokens

LENGTH = 320
"""Characters: four lines of a terminal."""

_LEAD = 60
"""Characters shown before the first marked word."""


def snippet(text: str, weights: Mapping[str, float]) -> Snippet:
    """The part of the text whose words weigh most, each counted once; its beginning where it has none of them."""
    found = [token for token in tokens(text) if token.term in weights]
    start, end = _window(text, found, weights)
    return Snippet(text[start:end], _marks(found, start, end))


def _window(text: str, found: list[Token], weights: Mapping[str, float]) -> tuple[int, int]:
    if not found:
        return _trimmed(text, 0)
    heaviest, place = -1.0, 0
    for number, first in enumerate(found):
        terms = set()
        for token in found[number:]:
            if token.end > first.start + LENGTH - _LEAD:
                break
            terms.add(token.term)
        total = sum(weights[term] for term in terms)
        if total > heaviest:
            heaviest, place = total, first.start
    return _trimmed(text, max(place - _LEAD, 0))


def _trimmed(text: str, start: int) -> tuple[int, int]:
    """A window from a beginning of a line or word on, to the end of a word."""
    if start:
        line, word = text.find("\n", start, start + _LEAD), text.find(" ", start, start + _LEAD)
        start = max(line if line >= 0 else word, start)
    while start < len(text) and text[start].isspace():
        start += 1
    end = min(start + LENGTH, len(text))
    if end < len(text):
        space = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
        end = space if space > start + LENGTH // 2 else end
    return start, start + len(text[start:end].rstrip())


def _marks(found: list[Token], start: int, end: int) -> tuple[tuple[int, int], ...]:
    """The tokens within the window, as spans of it; parts of a compound and the compound are one."""
    marks: list[tuple[int, int]] = []
    for token in sorted(found, key=lambda token: (token.start, -token.end)):
        if token.start < start or token.end > end:
            continue
        if marks and token.start - start < marks[-1][1]:
            marks[-1] = (marks[-1][0], max(marks[-1][1], token.end - start))
        else:
            marks.append((token.start - start, token.end - start))
    return tuple(marks)
