"""What is asked of knowledge, cut as the texts are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from faultmaven_core.knowledge import names, tokens
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.text import checked

MOST_TEXT = 8000
"""Characters: an alert with its labels, an error with its stack."""

MOST_TERMS = 256
MOST_NAMES = 8


@dataclass(frozen=True, slots=True)
class Question:
    """A question; `words` are its terms as they stand in it."""

    text: str
    terms: tuple[str, ...]
    words: Mapping[str, str]
    names: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Question:
        """The question. Raises InvalidInputError where it is empty, longer than 8,000 characters, or no text."""
        if not checked("question", text, most=MOST_TEXT).strip():
            raise InvalidInputError("Nothing was asked.", fields={"text": "empty"})
        words: dict[str, str] = {}
        for token in tokens.tokens(text):
            words.setdefault(token.term, text[token.start : token.end])
        return cls(text, tuple(words)[:MOST_TERMS], words, names.distinct(text)[:MOST_NAMES])
