"""Answers as Markdown: whatever comes from evidence stands in them as text, never as markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from faultmaven_core.analysis.record import Citation

UNCITED = "no line of the evidence says so"
UNCONTRADICTED = "no line of the evidence says otherwise"
"""Of what is borne out by nothing being there."""

WIDEST = 300
"""Characters of a quoted line."""

_MARKUP = re.compile(r"[\\`*\[\]<>~]|(?<!\w)_|_(?!\w)")
_LEADING = re.compile(r"^(?:[-+#]|\d+[.)])")
_ADDRESS = re.compile(r"(?i)\b(https?|ftp|mailto|www)(?=[:.])")


def plain(text: str) -> str:
    """Text that is shown as it is, on one line: no link, no image, no HTML, no list."""
    line = _MARKUP.sub(r"\\\g<0>", " ".join(_printable(text).split()).replace("&", "&amp;"))
    line = _LEADING.sub(lambda mark: mark.group()[:-1] + "\\" + mark.group()[-1], line)
    # Clients make links of bare addresses too.
    return _ADDRESS.sub(r"\1&#8203;", line)


def code(text: str) -> str:
    """Text as code within a line, to the letter."""
    line = re.sub(r"[\n\t]", " ", _printable(text))[:WIDEST]
    fence = "`" * (1 + _longest_run(line))
    edge = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{edge}{line}{edge}{fence}"


def block(lines: Iterable[str], language: str = "text") -> str:
    """Lines as a block of code."""
    shown = "\n".join(_printable(line)[:WIDEST] for line in lines)
    fence = "`" * max(3, 1 + _longest_run(shown))
    return f"{fence}{language}\n{shown}\n{fence}"


def place(file: str, first: int, last: int = 0) -> str:
    """Where something stands."""
    return code(f"{file}:{first}" if last <= first else f"{file}:{first}-{last}")


def cited(text: str, citations: Sequence[Citation], most: int = 2, *, silent: str = UNCITED) -> str:
    """A sentence of fact with the places that it rests on; `silent` is what is said where it has none."""
    places = list(dict.fromkeys(place(c.file, *c.lines) for c in citations))[:most]
    told = plain(text.rstrip(". "))
    return f"{told} ({', '.join(places)})." if places else f"{told} ({silent})."


def many(count: int, thing: str) -> str:
    """So many of a thing, in words."""
    return f"{count} {thing}{'s' * (count != 1)}"


def bullets(lines: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {line}" for line in lines)


def numbered(lines: Iterable[str]) -> str:
    """A list in order."""
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() or char in "\n\t" else " " for char in text)
