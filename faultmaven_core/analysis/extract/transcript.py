"""Terminal sessions and recorded tool runs: cut into what each command printed, each part read as what it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.intake.commands import FAILED, PROMPT, STREAM


@dataclass(frozen=True, slots=True)
class Section:
    """Relative lines `first` (inclusive) to `end` (exclusive) that one command printed; its line is not among them."""

    command: str
    first: int
    end: int


def sections(passage: Passage, command: str = "") -> Iterator[Section]:
    """The parts of a transcript in order; blank ones are left out. `command` printed what no other command heads."""
    lines = passage.lines
    first = 0
    for index, line in enumerate(lines):
        begun = _begins(line, command)
        if begun is None:
            continue
        if any(lines[i].strip() for i in range(first, index)):
            yield Section(command, first, index)
        command, first = begun, index + 1
    if any(lines[i].strip() for i in range(first, len(lines))):
        yield Section(command, first, len(lines))


def _begins(line: str, current: str) -> str | None:
    """The command whose output begins after this line; None for a line of output."""
    stripped = line.rstrip()
    if match := FAILED.match(stripped) or PROMPT.fullmatch(stripped):
        return match["command"]
    return current if STREAM.fullmatch(stripped) else None
