"""Searching knowledge: by words, by meaning and by exact names, over what the caller may see, saying what was looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress

from faultmaven_core.knowledge import commands as c
from faultmaven_core.knowledge import tokens, vectors
from faultmaven_core.knowledge.access import Access
from faultmaven_core.knowledge.findings import MOST_HOLDING, Gathered, Likely
from faultmaven_core.knowledge.hits import Hits
from faultmaven_core.knowledge.model import DocumentState, KnowledgeScope, Tier, chunk_of
from faultmaven_core.knowledge.ports import Census, KnowledgeUnits
from faultmaven_core.knowledge.questions import Question
from faultmaven_core.knowledge.ranking import Place, Words
from faultmaven_core.ports.embedding import Embedder, Purpose
from faultmaven_core.ports.vectors import CollectionMissingError, Match, Scope, VectorStore
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.clock import Clock
from faultmaven_core.shared.errors import InvalidInputError
from faultmaven_core.shared.ids import OrganizationId

MOST_HITS = 100

CANDIDATES = 200
"""Documents found by words that are looked at closely. Among half as many, right ones that are short were missed."""

LIKELY = 200
"""Passages that are asked of a vector store. What is beyond is taken to be as likely as the last of them."""

LEAST_LIKE = 0.2
"""The cosine below which a likeness is none: texts that have nothing to do with each other have up to that much."""


class KnowledgeSearch:
    """Finds passages of the caller's organization."""

    def __init__(
        self, units: KnowledgeUnits, access: Access, store: VectorStore, embedder: Embedder | None, clock: Clock
    ) -> None:
        self._units, self._access, self._store, self._embedder = units, access, store, embedder
        self._clock = clock

    async def search(self, command: c.SearchKnowledge, caller: Caller) -> c.SearchResult:
        """Passages, best first, and what was looked at.

        Raises InvalidInputError without a scope or question; BackendUnavailableError and its kind where the vector store or
        the model's server is away, never fewer hits in silence: `lexical_only` asks neither.
        """
        if not 1 <= command.limit <= MOST_HITS:
            raise InvalidInputError(
                f"`limit` is {command.limit}; it must be 1 to {MOST_HITS}.", fields={"limit": "out of range"}
            )
        question = Question.of(command.text)
        scopes = await self._access.scopes(command.scopes, caller)
        embedder = None if command.lexical_only else self._embedder
        async with self._units(caller.organization, read_only=True) as unit:
            census = await unit.knowledge.census(scopes, embedder.fingerprint if embedder else "")
        # Between the transactions: no other network belongs inside of one. Where nothing is embedded, no model is loaded.
        likely = None
        if embedder and census.embedded:
            likely = await self._likely(embedder, question, scopes, caller.organization)
        async with self._units(caller.organization, read_only=True) as unit:
            repository = unit.knowledge
            words = Words(await repository.statistics(scopes, question.terms), question.terms)
            candidates = await repository.candidates(scopes, words.selecting, CANDIDATES)
            holding = {name: await repository.named(scopes, [name], MOST_HOLDING + 1) for name in question.names}
            gathered = Gathered(words, candidates, holding, likely)
            documents = await repository.get_many(gathered.documents)
            found = {key: one for key, one in documents.items() if one.searchable and one.scope in scopes}
            order = gathered.ranked(found)[: command.limit]
            chunks = await repository.chunks_at([one.place for one in order])
        hits = Hits(question, words, self._clock.now().date(), by_meaning=likely is not None)
        return c.SearchResult(
            tuple(
                hits.hit(found[one.place[0]], chunks[one.place], one, explain=command.explain)
                for one in order
                if one.place in chunks
            ),
            _coverage(question, census, _vectors(embedder, command), lost=likely is not None and not likely.holds),
        )

    async def _likely(
        self, embedder: Embedder, question: Question, scopes: Sequence[KnowledgeScope], organization: OrganizationId
    ) -> Likely:
        """The passages of the scopes whose meaning is nearest to the question's."""
        (asked,) = await embedder.embed([tokens.spaced(question.text)], Purpose.QUERY)
        owners: dict[Tier, list[str]] = defaultdict(list)
        for scope in scopes:
            owners[scope.tier].append(scope.owner)
        cosines: dict[Place, float] = {}
        bounds: dict[Tier, float] = {}
        holds = False
        for tier, names in owners.items():
            place = Scope(vectors.collection(tier, embedder.fingerprint), organization)
            matches: Sequence[Match] = ()
            with suppress(CollectionMissingError):  # nothing of the tier is embedded yet, as the coverage tells
                matches = await self._store.search(place, asked, limit=LIKELY, where=vectors.owned_by(names))
            holds = holds or bool(matches)
            cosines |= {chunk_of(match.id): match.score for match in matches if match.score >= LEAST_LIKE}
            bounds[tier] = max(matches[-1].score, LEAST_LIKE) if len(matches) == LIKELY else LEAST_LIKE
        return Likely(embedder.fingerprint, cosines, bounds, holds)


def _vectors(embedder: Embedder | None, command: c.SearchKnowledge) -> str:
    """What Coverage says of meaning."""
    if command.lexical_only:
        return "skipped"
    return "used" if embedder else "none"


_WITHOUT = {
    "none": "There is no embedding model: this looked for words and names, not for meaning.",
    "skipped": "Meaning was left out, as asked: this looked for words and names.",
}


def _coverage(question: Question, census: Census, vectors_state: str, *, lost: bool) -> c.Coverage:
    notes = []
    if pending := census.states.get(DocumentState.PENDING, 0):
        notes.append(f"{pending} documents are not read yet: nothing of them can be found.")
    if not question.terms:
        notes.append("The question holds only words that every text has: nothing could be found by words.")
    if vectors_state in _WITHOUT:
        return c.Coverage(census.searchable, 0, vectors_state, (*notes, _WITHOUT[vectors_state]))
    if missing := census.searchable - census.embedded:
        notes.append(f"{missing} of {census.searchable} documents are not embedded yet: they are found by words alone.")
    if lost:
        notes.append(
            f"The vector store has nothing of {census.embedded} documents that were embedded: `fm knowledge reindex` "
            "embeds them anew."
        )
    return c.Coverage(census.searchable, census.embedded, vectors_state, tuple(notes))
