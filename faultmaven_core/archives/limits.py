"""How much an archive has at most. What is written keeps to it, so that it can be taken again."""

from __future__ import annotations

import io
from collections.abc import Mapping

MOST_FILES = 20_000
"""Files of evidence in one archive."""

MOST_TEXT = 64 << 20
"""Bytes of all parts together that are no files of evidence: they are held in memory."""

MOST_VALUES = 2_000_000
"""Values in those parts, about: each takes many times the memory of the three bytes that it may be written in."""

MOST_LINES = 100_000
"""Entries, or messages, of one archive: they are stored in one transaction, and some databases let nobody else write then."""

MOST_LINE = 8 << 20
"""Bytes of one line of a part that has lines."""

MOST_MANIFEST = 8 << 20
"""Bytes of the manifest: enough for as many files as there may be, with the longest names that they may have."""

_MARKS = (b",", b"[", b"{")
"""No JSON has more values than these; those in texts are counted too, for that costs nothing."""


def excess(texts: Mapping[str, bytes]) -> str:
    """What there is too much of in parts that are JSON, or have it in their lines; "" where all can be taken."""
    if sum(content.count(mark) for content in texts.values() for mark in _MARKS) > MOST_VALUES:
        return f"{', '.join(texts)} have over {MOST_VALUES:,} values together, which is the most that is taken"
    for name, content in texts.items():
        if not name.endswith(".jsonl"):
            continue
        if (count := content.count(b"\n")) > MOST_LINES:
            return f"{name} has {count:,} lines, and {MOST_LINES:,} are taken"
        if max(map(len, io.BytesIO(content)), default=0) > MOST_LINE:
            return f"a line of {name} is over {MOST_LINE >> 20} MiB"
    return ""
