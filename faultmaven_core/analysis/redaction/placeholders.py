"""What stands in the place of a secret, and how a text reads with all its secrets so replaced."""

from __future__ import annotations

import re

PLACEHOLDER = re.compile(r"\[redacted:([a-z-]+):\d+\]")


def placeholder(kind: str, number: int) -> str:
    """The number tells one secret of a kind from the others of the same case, and nothing else."""
    return f"[redacted:{kind}:{number}]"


def unnumbered(text: str) -> str:
    """The text with placeholders that say the kind alone: numbers mean something within one case only."""
    return PLACEHOLDER.sub(lambda match: f"[redacted:{match[1]}]", text)
