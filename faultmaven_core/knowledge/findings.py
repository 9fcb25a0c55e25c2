"""What the database and the vector store found for one question, put together passage by passage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from faultmaven_core.knowledge.front_matter import titled
from faultmaven_core.knowledge.model import Document, Tier
from faultmaven_core.knowledge.names import whole
from faultmaven_core.knowledge.ports import Candidate, NamedChunk
from faultmaven_core.knowledge.ranking import MENTIONED, TITLED, Finding, Place, Ranked, Words, ranked

MOST_HOLDING = 50
"""A name that more passages hold tells none from another: a product's, a common metric's."""

_PREFERRED = (Tier.CASE, Tier.PERSONAL, Tier.TEAM, Tier.GLOBAL)
"""Of equal passages the one that is nearer to the caller comes first."""


@dataclass(frozen=True, slots=True)
class Likely:
    """Likenesses of meaning under an embedder's fingerprint; those of a tier's other passages do not exceed its bound.

    `holds`: the vector store has something of the scopes, like the question or not.
    """

    fingerprint: str
    cosines: Mapping[Place, float]
    bounds: Mapping[Tier, float]
    holds: bool


class Gathered:
    """What was found. `holding` are the passages that hold each exact name of the question."""

    def __init__(
        self,
        words: Words,
        candidates: Sequence[Candidate],
        holding: Mapping[str, Sequence[NamedChunk]],
        likely: Likely | None,
    ) -> None:
        self._likely, self._asked = likely, tuple(holding)
        self._words: dict[Place, float] = {
            (candidate.document, passage.number): words.share(words.bm25(passage))
            for candidate in candidates
            for passage in candidate.chunks
        }
        self._names: dict[Place, list[str]] = defaultdict(list)
        for name, chunks in holding.items():
            for chunk in chunks if len(chunks) <= MOST_HOLDING else ():
                self._names[chunk.document, chunk.number].append(name)
        cosines = likely.cosines if likely else {}
        self._places = self._words.keys() | self._names.keys() | cosines.keys()

    @property
    def documents(self) -> set[UUID]:
        """The documents that something of was found."""
        return {document for document, _ in self._places}

    def ranked(self, documents: Mapping[UUID, Document]) -> Sequence[Ranked]:
        """The passages of these documents, best first; those of others are passed over: they may be deleted by now."""
        borne = {
            key: [name for name in self._asked if name in whole((one.title, titled(one.name)))]
            for key, one in documents.items()
        }
        passages = {
            place: finding
            for place in self._places
            if place[0] in documents and (finding := self._finding(place, documents[place[0]], borne[place[0]]))
        }
        return ranked(
            passages,
            lambda key: _PREFERRED.index(documents[key].scope.tier),
            by_meaning=self._likely is not None,
        )

    def _finding(self, place: Place, document: Document, borne: Sequence[str]) -> Finding | None:
        """What was found of a passage; None where all that speaks for it is the vector of a text it no longer has."""
        words, named = self._words.get(place, 0.0), self._names.get(place, [])
        cosine = bound = None
        if self._likely and document.embedded == self._likely.fingerprint:
            cosine = self._likely.cosines.get(place)
            bound = self._likely.bounds[document.scope.tier]
        if not words and not named and cosine is None:
            return None
        exact = TITLED if borne else MENTIONED if named else 0.0
        return Finding(words, cosine, bound, exact, tuple(dict.fromkeys((*borne, *named))))
