"""Past cases like this one: of those whose cause a person confirmed, the ones with most in common."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from faultmaven_core.analysis.record import EntityView, RcaRecord
from faultmaven_core.cases.commands import CaseView
from faultmaven_core.knowledge.tokens import terms

LEAST_LIKENESS = 0.3
"""Of 1: what two stories' words must weigh together where neither mechanism nor entity is the same."""

MOST_FINDINGS = 5
"""Findings whose words are compared; the first are the symptoms, and the rest repeats them."""

TOLD_WORDS = 5


@dataclass(frozen=True, slots=True)
class Story:
    """What of a case is compared. `mechanisms` are ids, the leading one first; `subject` is what broke, by kind and name."""

    mechanisms: tuple[str, ...]
    subject: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Likeness:
    """A past case, and sentences on what it has in common with the present one."""

    case: CaseView
    reasons: tuple[str, ...]


def story_of(case: CaseView, record: RcaRecord) -> Story:
    """The present case's: its symptoms count too, for its cause may not be found yet."""
    cause = record.root_cause
    open_ones = [one.mechanism for one in record.hypotheses if one.status in {"leading", "open"}]
    told = [case.title, case.question, cause.statement if cause else ""]
    told += [finding.statement for finding in record.findings[:MOST_FINDINGS]]
    subject = _subject(cause.entity) if cause else ""
    leading = (cause.mechanism_id,) if cause else ()
    return Story((*leading, *open_ones), subject, frozenset(terms(" ".join(told))))


def alike(present: Story, past: Sequence[CaseView], limit: int) -> list[Likeness]:
    """The past cases that are like the present one, the likest first, of equally like ones the newest.

    The same mechanism tells more than the same thing that broke, and that more than words, whose weight is their rarity
    among all these cases.
    """
    stories = [(case, _told(case)) for case in past]
    weights = _weights([present.words, *(story.words for _, story in stories)])
    found = []
    for place, (case, story) in enumerate(stories):
        shared = [one for one in story.mechanisms if one in present.mechanisms]
        same = bool(story.subject) and story.subject == present.subject
        likeness = _cosine(present.words, story.words, weights)
        if not shared and not same and likeness < LEAST_LIKENESS:
            continue
        leading = bool(shared) and shared[0] == present.mechanisms[0]
        reasons = [f"the same mechanism ({one})" for one in shared] + [f"the same {present.subject}"] * same
        words = sorted(present.words & story.words, key=lambda word: (-weights[word], word))
        if words:
            reasons.append(f"words in common: {', '.join(words[:TOLD_WORDS])}")
        rank = (not leading, not shared, not same, -likeness, place)
        found.append((rank, Likeness(case, tuple(reasons))))
    return [one for _, one in sorted(found, key=lambda ranked: ranked[0])[:limit]]


def _told(case: CaseView) -> Story:
    mechanism, _, subject = case.mechanism.partition(" ")
    words = frozenset(terms(f"{case.title} {case.question} {case.actual_cause or case.cause}"))
    return Story((mechanism,) if mechanism else (), subject, words)


def _subject(entity: EntityView) -> str:
    # As a case keeps it.
    return f"{entity.kind} {entity.namespace}/{entity.name}"


def _weights(stories: Sequence[frozenset[str]]) -> Mapping[str, float]:
    """How rare each word is: of one that every story has, little more than nothing."""
    counts = Counter(word for words in stories for word in words)
    return {word: math.log(1 + len(stories) / count) for word, count in counts.items()}


def _cosine(one: frozenset[str], other: frozenset[str], weights: Mapping[str, float]) -> float:
    def square(words: frozenset[str]) -> float:
        return math.fsum(weights[word] ** 2 for word in words)

    lengths = math.sqrt(square(one) * square(other))
    return square(one & other) / lengths if lengths else 0.0
