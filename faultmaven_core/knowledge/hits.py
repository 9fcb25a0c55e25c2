"""Passages as callers are shown them: what answers, marked; what to beware of; why it stands where it stands."""

from __future__ import annotations

from datetime import date

from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge.model import Chunk, Document
from faultmaven_core.knowledge.questions import Question
from faultmaven_core.knowledge.ranking import MEANING, Ranked, Words
from faultmaven_core.knowledge.snippets import snippet
from faultmaven_core.knowledge.views import warning


class Hits:
    """Makes the hits of one question."""

    def __init__(self, question: Question, words: Words, today: date, *, by_meaning: bool) -> None:
        self._question, self._words, self._today, self._by_meaning = question, words, today, by_meaning

    def hit(self, document: Document, chunk: Chunk, one: Ranked, *, explain: bool) -> c.KnowledgeHit:
        """The passage as a hit."""
        return c.KnowledgeHit(
            document.id,
            document.title,
            document.name,
            str(document.scope),
            chunk.headings,
            chunk.start,
            chunk.end,
            snippet(chunk.text, self._words.weights),
            round(one.score, 6),
            warning(document, self._today),
            self._why(chunk, one) if explain else None,
        )

    def _why(self, chunk: Chunk, one: Ranked) -> c.Explanation:
        weights, held = self._words.weights, {*chunk.terms, *chunk.labels}
        found = sorted((term for term in weights if term in held), key=lambda term: (-weights[term], term))
        meaning = MEANING if self._by_meaning else 0.0
        return c.Explanation(
            one.words_rank,
            round(one.finding.words * self._words.highest, 4),
            tuple(self._question.words[term] for term in found),
            one.meaning_rank,
            round(one.finding.cosine or 0.0, 4),
            one.finding.names,
            round((1 - meaning) * one.finding.words, 6),
            round(meaning * one.finding.meaning, 6),
        )
