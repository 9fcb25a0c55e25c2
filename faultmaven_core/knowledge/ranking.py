"""What order passages come in: by their words, by their meaning, and by exact names.

Words are weighed by BM25 over passages, a document by its best one: long documents would otherwise win by their length. The
three shares of a score each lie between 0 and 1, so that they can be added: a share of words is the part of the highest
BM25 that the question allows (every word in endless number), one of meaning the cosine. Ranks alone, as reciprocal rank
fusion adds them, forget how far apart two passages are: a name that one text holds would weigh no more than a likeness that
a hundred have.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from faultmaven_core.knowledge.ports import ChunkTerms, Statistics

K1 = 1.2
B = 0.75
"""The constants of BM25 that search engines ship with: how soon repeats stop counting, how much length counts against."""

LABEL = 2
"""A word of the title or of a heading counts as two of the text. Between 1 and 4 the order hardly depends on it."""

MEANING = 0.5
"""The share of meaning in a score, the rest is the words'. Equal parts: neither has shown to know better."""

TITLED = 1.0
MENTIONED = 0.25
"""What is added for an exact name: where the document bears it, so that it comes first, and where the passage has it."""

MOST_READ = 3000
"""Documents that the words which select candidates may stand in, together: the commoner words only weigh."""

PER_DOCUMENT = 2
"""Passages of one document at most: others shall be seen too."""

Place = tuple[UUID, int]
"""A document's key and the number of one of its chunks."""

MOST_TERMS = 64
_FEWEST = 2
_PRECISION = 1000


class Words:
    """How well passages hold the words of a question. `highest` is the BM25 that no passage exceeds.

    A term weighs the more the rarer it is (its inverse document frequency). Of a long question the rarest terms that there
    are count. Words that no document has count too, for `highest`: the more of a question is unknown, the less its words tell.
    """

    def __init__(self, statistics: Statistics, terms: Iterable[str]) -> None:
        frequency = statistics.frequency
        rarest = sorted(terms, key=lambda term: (not frequency.get(term), frequency.get(term, 0), term))[:MOST_TERMS]
        self.weights = {term: _weight(statistics.documents, frequency.get(term, 0)) for term in rarest}
        self.highest = (K1 + 1) * sum(self.weights.values())
        self.selecting = self._selecting(frequency)
        self._usual = statistics.words / statistics.chunks if statistics.words else 1.0

    def _selecting(self, frequency: Mapping[str, int]) -> Mapping[str, int]:
        """Weights by which candidates are selected; common terms weigh 0 once the rarer ones stand in enough documents."""
        selecting: dict[str, int] = {}
        read = 0
        for place, (term, weight) in enumerate(self.weights.items()):
            read += frequency.get(term, 0)
            # Whole numbers add up to the same on every database.
            selecting[term] = max(round(_PRECISION * weight), 1) if place < _FEWEST or read <= MOST_READ else 0
        return selecting

    def bm25(self, passage: ChunkTerms) -> float:
        """Okapi BM25 of a passage, its labels counting as repeats that make it no longer."""
        length = 1 - B + B * passage.length / self._usual
        score = 0.0
        for term, weight in self.weights.items():
            often = passage.terms.get(term, 0) / length + LABEL * passage.labels.get(term, 0)
            score += weight * often * (K1 + 1) / (often + K1)
        return score

    def share(self, bm25: float) -> float:
        """A score's part of the highest there could be."""
        return bm25 / self.highest if self.highest else 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of a passage, or of a document by its best passages: shares, and the exact names that it has.

    `cosine` is None where the vector store did not tell; then it is at most `bound`, or, without a bound, nobody knows it.
    """

    words: float = 0.0
    cosine: float | None = None
    bound: float | None = None
    named: float = 0.0
    names: tuple[str, ...] = ()

    @property
    def meaning(self) -> float:
        """The share of meaning. Of what is not embedded yet, the words stand for it."""
        likeness = self.bound if self.cosine is None else self.cosine
        return self.words if likeness is None else max(likeness, 0.0)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage in its place: its score and what that comes from; ranks are its document's, from 1, 0 for none."""

    place: Place
    score: float
    finding: Finding
    words_rank: int
    meaning_rank: int


def _weight(documents: int, holding: int) -> float:
    return math.log(1 + (documents - holding + 0.5) / (holding + 0.5))


def ranked(
    passages: Mapping[Place, Finding], preferred: Callable[[UUID], int], *, by_meaning: bool
) -> Sequence[Ranked]:
    """Passages, best first: of a document one or two, the first with the document's score.

    Equal ones come as their documents are `preferred`, the lowest first, then by key.
    """
    of_document: dict[UUID, list[tuple[Place, Finding]]] = defaultdict(list)
    for place, finding in passages.items():
        of_document[place[0]].append((place, finding))
    whole = {document: best(finding for _, finding in members) for document, members in of_document.items()}
    words = _ranks({document: finding.words for document, finding in whole.items()})
    meaning = _ranks({document: finding.cosine or 0.0 for document, finding in whole.items()})
    found: list[Ranked] = []
    for document, members in of_document.items():
        members.sort(key=lambda member: (-score(member[1], by_meaning=by_meaning), member[0]))
        for number, (place, finding) in enumerate(members[:PER_DOCUMENT]):
            counted = finding if number else whole[document]
            total = score(counted, by_meaning=by_meaning)
            found.append(Ranked(place, total, counted, words[document], meaning[document]))
    return sorted(found, key=lambda one: (-one.score, preferred(one.place[0]), one.place))


def score(finding: Finding, *, by_meaning: bool) -> float:
    """The sum of the shares."""
    shares = (1 - MEANING) * finding.words + MEANING * finding.meaning if by_meaning else finding.words
    return shares + finding.named


def best(findings: Iterable[Finding]) -> Finding:
    """A document by its passages: what the one says in words, another may mean."""
    every = list(findings)
    known = [one.cosine for one in every if one.cosine is not None]
    return Finding(
        max(one.words for one in every),
        max(known) if known else None,
        every[0].bound,
        max(one.named for one in every),
        tuple(dict.fromkeys(name for one in every for name in one.names)),
    )


def _ranks(shares: Mapping[UUID, float]) -> Mapping[UUID, int]:
    ordered = sorted((key for key, share in shares.items() if share > 0), key=lambda key: (-shares[key], key))
    places = {key: place for place, key in enumerate(ordered, 1)}
    return {key: places.get(key, 0) for key in shares}
