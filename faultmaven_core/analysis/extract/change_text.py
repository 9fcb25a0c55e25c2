"""Unified diffs: what somebody changed."""

from __future__ import annotations

import re

from faultmaven_core.analysis.extract.passage import Passage
from faultmaven_core.analysis.extract.tools import Findings
from faultmaven_core.analysis.model import Mode

_NEW = re.compile(r"\+\+\+ (?:b/)?(?P<path>[^\t]+)")
_OLD = re.compile(r"--- (?:a/)?(?P<path>[^\t]+)")


def read_diff(passage: Passage, out: Findings) -> None:
    """A fact `change.file` per changed file: its path and how many lines came and went."""
    lines = passage.lines
    starts = [i for i in range(len(lines) - 1) if _OLD.match(lines[i]) and _NEW.match(lines[i + 1])]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        old, new = _OLD.match(lines[start]), _NEW.match(lines[start + 1])
        path = new["path"] if new and new["path"] != "/dev/null" else old["path"] if old else ""
        body = lines[start + 2 : end]
        added = sum(line.startswith("+") for line in body)
        removed = sum(line.startswith("-") for line in body)
        span = passage.span(start, start + 1)
        out.fact(out.origin, "change.file", f"{path.strip()}: +{added} -{removed} lines", span, Mode.CHANGE)
