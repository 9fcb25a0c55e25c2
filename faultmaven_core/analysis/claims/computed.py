"""Computed claims: a closed set of sentences, each derived again from the bytes it cites and compared word for word."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from faultmaven_core.analysis.claims.citations import Cited
from faultmaven_core.analysis.claims.quantity import comparison
from faultmaven_core.analysis.claims.quote import Standing, standing
from faultmaven_core.analysis.claims.readings import Reading, from_json, from_rows
from faultmaven_core.analysis.extract.timestamps import Timestamp, first_timestamp

MAX_RANGE = 64 << 20
"""Bytes that a count or a first sight may read again; a wider claim stays unverified."""

Derive = Callable[[re.Match[str], Sequence[Cited]], str | None]
"""The sentence that the cited bytes give for what a claim speaks of, or None where they do not speak of it."""


@dataclass(frozen=True, slots=True)
class Form:
    """A sentence that can be computed again. The engine itself writes changes only; whoever else writes claims may use all."""

    pattern: re.Pattern[str]
    derive: Derive


def derived(text: str, cited: Sequence[Cited]) -> tuple[bool, str | None]:
    """Whether the text has a computed form, and the sentence that the bytes give in its place."""
    for form in FORMS:
        match = form.pattern.fullmatch(text)
        if match:
            return True, form.derive(match, cited)
    return False, None


def count_sentence(quote: str, cited: Sequence[Cited]) -> str | None:
    """How many lines hold a quote between two of them (both counted)."""
    if len(cited) != 2 or cited[0].citation.sha256 != cited[1].citation.sha256:
        return None
    first, last = cited
    start, end = first.citation.bytes[0], last.citation.bytes[1]
    if not 0 < end - start <= MAX_RANGE or not (_holds(first, quote) and _holds(last, quote)):
        return None
    count = _lines_with(quote.encode(), first.read(start, end))
    began, ended = _written(first), _written(last)
    if began and ended:
        return f'"{quote}" stands on {count} lines from {began} to {ended}'
    return f'"{quote}" stands on {count} lines from line {first.citation.lines[0]} to line {last.citation.lines[1]}'


def first_sentence(quote: str, cited: Sequence[Cited]) -> str | None:
    """Where a quote stands for the first time in its file."""
    if len(cited) != 1 or not _holds(cited[0], quote):
        return None
    start = cited[0].citation.bytes[0]
    if start > MAX_RANGE or quote.encode() in cited[0].read(0, start):
        return None
    when = _written(cited[0])
    return f'"{quote}" stands first on line {cited[0].citation.lines[0]}' + (f", at {when}" if when else "")


def change_sentence(name: str, began: str, ended: str, cited: Sequence[Cited]) -> str | None:
    """From which value to which a metric went between two moments."""
    found = _reading(name, cited)
    if found is None or began not in found or ended not in found or found[began] == found[ended]:
        return None
    verb = "rose" if float(found[began]) < float(found[ended]) else "fell"
    return f"{name} {verb} from {found[began]} at {began} to {found[ended]} at {ended}"


def duration_sentence(earlier: str, later: str, cited: Sequence[Cited]) -> str | None:
    """How long before a line another one was written."""
    if len(cited) != 2 or not (_holds(cited[0], earlier) and _holds(cited[1], later)):
        return None
    first, last = (_time(part) for part in cited)
    if first is None or last is None or first.when >= last.when:
        return None
    return f'"{earlier}" stands {round(last.when - first.when, 3):.10g} s before "{later}"'


def comparison_sentence(left: str, right: str, cited: Sequence[Cited]) -> str | None:
    """Which of two quoted quantities is greater."""
    if len(cited) not in (1, 2) or not (_holds(cited[0], left) and _holds(cited[-1], right)):
        return None
    word = comparison(left, right)
    return f'"{left}" is {word} "{right}"' if word else None


def _holds(part: Cited, quote: str) -> bool:
    return standing(quote, part.text, part.before, part.after) is Standing.STANDS


def _time(part: Cited) -> Timestamp | None:
    return first_timestamp(part.text)


def _written(part: Cited) -> str:
    found = _time(part)
    return part.text[found.start : found.end] if found else ""


def _lines_with(wanted: bytes, data: bytes) -> int:
    count, at = 0, data.find(wanted)
    while at >= 0:
        count += 1
        line_end = data.find(b"\n", at)
        at = data.find(wanted, line_end) if line_end >= 0 else -1
    return count


def _reading(name: str, cited: Sequence[Cited]) -> Reading | None:
    if len(cited) == 1:
        return from_json(cited[0].text, name)
    if len({part.citation.sha256 for part in cited}) != 1:
        return None
    return from_rows(cited[0].text, [part.text for part in cited[1:]], name)


_QUOTE = '"(?P<quote>.+)"'
FORMS = (
    Form(
        re.compile(rf"{_QUOTE} stands on \d+ lines from .+ to .+", re.DOTALL),
        lambda match, cited: count_sentence(match["quote"], cited),
    ),
    Form(
        re.compile(rf"{_QUOTE} stands first on line \d+(?:, at .+)?", re.DOTALL),
        lambda match, cited: first_sentence(match["quote"], cited),
    ),
    Form(
        re.compile(r"(?P<name>.+) (?:rose|fell) from \S+ at (?P<began>.+) to \S+ at (?P<ended>.+)"),
        lambda match, cited: change_sentence(match["name"], match["began"], match["ended"], cited),
    ),
    Form(
        re.compile(r'"(?P<earlier>.+)" stands \S+ s before "(?P<later>.+)"', re.DOTALL),
        lambda match, cited: duration_sentence(match["earlier"], match["later"], cited),
    ),
    Form(
        re.compile(r'"(?P<left>.+)" is (?:above|below|equal to) "(?P<right>.+)"', re.DOTALL),
        lambda match, cited: comparison_sentence(match["left"], match["right"], cited),
    ),
)
