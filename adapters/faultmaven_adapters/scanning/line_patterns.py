"""RE2 patterns rewritten so that a match in a block of lines is a match within one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from faultmaven_core.shared.errors import InvalidInputError

_OUTSIDE = {r"\s": r"[\t\f\r ]", r"\S": r"[^\t\n\f\r ]", r"\W": r"[^\w\n]", r"\D": r"[^\d\n]"}
"""RE2's `\\s` has no vertical tab, hyperscan's has: spelled out, both mean the same."""
_INSIDE = {
    r"\s": r"\t\f\r ",
    r"\S": r"\x00-\x08\x0b\x0e-\x1f\x21-\xff",
    r"\W": r"\x00-\x09\x0b-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\xff",
    r"\D": r"\x00-\x09\x0b-\x2f\x3a-\xff",
}
_MAY_MATCH_LINE_FEEDS = re.compile(r"\\n|\\x0a|\\x\{0*a\}|\\012|\[\[:(?:\^|space)|\(\?[a-z]*s", re.IGNORECASE)
_PART = re.compile(r"\\x\{[0-9A-Fa-f]+\}|\\.|\[:\^?[a-z]+:\]|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LinePattern:
    """A pattern for hyperscan; unless it `stays_in_line`, its matches must be confirmed on the line alone."""

    text: str
    stays_in_line: bool


def within_a_line(name: str, pattern: str) -> LinePattern:
    """The pattern with every class that would match a line feed spelled out without it.

    Raises InvalidInputError that names the pattern where it speaks of a text's ends or is not ASCII.
    """
    if not pattern.isascii():
        raise InvalidInputError(f"Pattern {name} is not ASCII: write other bytes as \\x and two digits.")
    out: list[str] = []
    stays = _MAY_MATCH_LINE_FEEDS.search(pattern) is None
    inside = False
    parts = _PART.findall(pattern)
    for place, part in enumerate(parts):
        if part in {r"\A", r"\z", r"\Z"}:
            raise InvalidInputError(f"Pattern {name} has {part}: use ^ and $, which are a line's ends.")
        if not inside and part == "[":
            inside = True
            negated = parts[place + 1 : place + 2] == ["^"]
            out.append(part)
            continue
        if inside and part == "^" and parts[place - 1] == "[" and negated:
            out.append(r"^\n")
            continue
        if inside and part == "]" and out[-1] not in {"[", r"^\n"}:
            inside = False
        out.append((_INSIDE if inside else _OUTSIDE).get(part, part))
    return LinePattern("".join(out), stays)
