"""Titles made of what is known of a case: its cause, the agreed problem, or what was asked."""

from __future__ import annotations

import re

LONGEST = 80
"""Characters of a title; longer ones are cut in lists."""

_POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|please|can you|could you|help(?: me)?(?: with)?|i need help(?: with)?|we have|there is|so|ok)\b[\s,:!-]*)+",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")
_DANGLING = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "in",
        "on",
        "at",
        "to",
        "for",
        "with",
        "and",
        "or",
        "but",
        "is",
        "are",
        "was",
        "by",
        "from",
        "because",
    ]
)


def title_of(text: str, most_words: int = 8) -> str:
    """A title in at most so many words; empty where the text says nothing."""
    plain = _POLITE.sub("", text.strip())
    first = next((part for part in _SENTENCE.split(plain) if re.search(r"\w", part)), "")
    words = first.split()
    kept = words[:most_words]
    while len(kept) > 1 and len(" ".join(kept)) > LONGEST:
        kept.pop()
    if len(kept) < len(words):
        while len(kept) > 1 and kept[-1].strip(",;:").lower() in _DANGLING:
            kept.pop()
    told = " ".join(kept)[:LONGEST].strip(" .,;:-")
    return told[:1].upper() + told[1:]
