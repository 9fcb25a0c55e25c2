"""Which passages of knowledge a record's sentences are cited with: what to ask, and what of the answer is meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.investigation.commands import KnowledgeCitation
from faultmaven_core.knowledge.commands import KnowledgeHit
from faultmaven_core.knowledge.tokens import terms

LEAST_SHARE = 0.5
"""Of a sentence's words, the share that a passage must hold: fewer are what any two texts about servers share."""
LEAST_COSINE = 0.5
"""Likeness of meaning from which a passage counts without the words."""
MOST_FINDINGS = 5
TOLD_WORDS = 5


def asked(record: RcaRecord) -> str:
    """What the record is about: its root cause, else its symptoms and the question; empty where nothing is wrong."""
    cause = record.root_cause
    if cause is not None:
        return f"{cause.statement} {cause.mechanism}"
    found = [finding.statement for finding in record.findings[:MOST_FINDINGS]]
    return " ".join([*found, record.question]) if found else ""


def said(record: RcaRecord) -> str:
    """The sentence that passages must be about."""
    return record.root_cause.statement if record.root_cause else asked(record)


def own_words(record: RcaRecord) -> frozenset[str]:
    """The words that name what broke: no runbook knows them."""
    entities = [finding.entity for finding in record.findings[:MOST_FINDINGS]]
    if record.root_cause is not None:
        entities.append(record.root_cause.entity)
    return frozenset(word for one in entities for word in terms(f"{one.name} {one.namespace}"))


def citations(
    hits: Iterable[KnowledgeHit], sentence: str, own: frozenset[str], most: int
) -> tuple[KnowledgeCitation, ...]:
    """The hits that are about the sentence, in their order, one of each document, each with why it is cited.

    `own` words, and numbers, are this incident's alone and count for nothing.
    """
    wanted = frozenset(word for word in terms(sentence) if word.isalpha()) - own
    cited: dict[str, KnowledgeCitation] = {}
    for hit in hits:
        because = "; ".join(_reasons(hit, wanted))
        if because and hit.document_id not in cited:
            cited[hit.document_id] = KnowledgeCitation(
                hit.document_id,
                hit.title,
                hit.name,
                hit.scope,
                hit.headings,
                hit.start,
                hit.end,
                hit.snippet.text,
                hit.warning,
                because,
            )
    return tuple(cited.values())[:most]


def _reasons(hit: KnowledgeHit, wanted: frozenset[str]) -> Iterator[str]:
    why = hit.why
    if why is None:
        return
    if why.names:
        yield f"it names {', '.join(why.names[:TOLD_WORDS])}"
    # They are told as they stand in the question.
    shared = [word for word in why.terms if wanted.intersection(terms(word))]
    held = wanted.intersection(term for word in shared for term in terms(word))
    if wanted and len(held) >= LEAST_SHARE * len(wanted):
        yield f"it is about {', '.join(shared[:TOLD_WORDS])}"
    if why.cosine >= LEAST_COSINE:
        yield f"it means much the same ({why.cosine:.2f} of 1)"
