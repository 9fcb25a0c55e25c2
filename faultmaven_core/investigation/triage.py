"""Tells what a person says from what a machine said and a person pasted among it."""

from __future__ import annotations

import re

FEWEST_LINES = 4
"""Lines of a machine from which they are evidence; fewer may be quoted to ask about them."""

LEAST_SHARE = 0.5
"""Of the lines between the first and the last of a machine's, the share that must be one's."""

LOOKED_AT = 400
"""Characters of a line that tell whose it is."""

_MACHINE = re.compile(
    r"""
    \s*[\[({"']?\d{4}[-/]\d\d[-/]\d\d[T\s]\d\d:\d\d        # a date and a time
    | \s*[\[(]?\d\d:\d\d:\d\d[.,\s\])]                        # a time
    | \s*(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s+\d+\s\d\d:\d\d:\d\d\s
    | [IWEF]\d{4}\s\d\d:\d\d:\d\d                           # klog
    | \s*\{".*\}\s*,?\s*$                                    # a JSON object per line
    | \s*(?:level|ts|time)=\S+\s\w+=                         # logfmt
    | \s+at\s[\w.$<>]+\(.*\)\s*$ | \s*File\s".*",\sline\s\d+ | Traceback\s\(most | \s*Caused\sby:
    | \s*\[?(?:DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL|TRACE)\b
    | [A-Z][A-Z-]+(?:\s{2,}[A-Z][A-Z-]+(?:\s\(?[a-zA-Z]+\)?)?){2,}\s*$  # the head of a table
    | \S+(?:\s{2,}\S+){3,}                                   # a row of one
    | \s*[\w.-]+:\s{2,}\S                                    # a field of a description
    """,
    re.VERBOSE,
)
_BETWEEN = re.compile(r"\s{2,}\S|.*\S\s{2,}\S|[^?]*:\s*$|\s*$")
"""Lines that belong to a machine's when they stand at its edge: indented, in columns, headings."""

_FENCED = re.compile(r"^```[^\n]*\n(.*?)^```[^\S\n]*$", re.DOTALL | re.MULTILINE)


def split(text: str) -> tuple[str, str]:
    """What is said, and what was pasted; without anything pasted all is said."""
    pasted = [block for block in _FENCED.findall(text) if block.count("\n") >= FEWEST_LINES]
    if pasted:
        return _FENCED.sub("", text).strip(), "".join(pasted)
    lines = text.splitlines()
    machine = [number for number, line in enumerate(lines) if _MACHINE.match(line[:LOOKED_AT])]
    if len(machine) < FEWEST_LINES:
        return text, ""
    first, last = machine[0], machine[-1] + 1
    while first > 0 and _BETWEEN.match(lines[first - 1][:LOOKED_AT]):
        first -= 1
    while last < len(lines) and _BETWEEN.match(lines[last][:LOOKED_AT]):
        last += 1
    full = sum(bool(line.strip()) for line in lines[first:last])
    if len(machine) < LEAST_SHARE * full:
        return text, ""
    return "\n".join([*lines[:first], *lines[last:]]).strip(), "\n".join(lines[first:last]) + "\n"
