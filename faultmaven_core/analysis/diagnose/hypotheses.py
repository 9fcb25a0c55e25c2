"""Mechanisms bound to entities, judged by their predictions, and ranked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase

from faultmaven_core.analysis.diagnose.query import NEAR, Answer, Outcome, judge, passing
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.mechanisms.mechanism import Mechanism, Prediction
from faultmaven_core.analysis.model import Entity, Fact, Mode

UNLINKED = 0.3
"""Factor for a candidate that no path of relations links to what is unwell or asked about."""

PER_STEP = 0.85
"""Factor per relation between a candidate and what is unwell or asked about."""


POSSIBLE = 0.8
"""Part of a mechanism's strength where only checks bind it that the evidence does not cover well enough to be sure of."""

HEALTHY_NOW = 0.4
"""Factor for a candidate in a thing that is well now, with nothing unwell near it: history never outranks state."""


PAST = 0.7
"""Factor for a candidate whose messages ended well before their log did: what goes on now outranks it."""

QUIET_SECONDS = 600.0
QUIET_SHARE = 0.25
"""A message that is missing for this long at the end of a log, and for this part of it, has ended."""


@dataclass(frozen=True, slots=True)
class Concern:
    """What a cause has to be linked to: what the investigation is about, what is unwell, and what is shown to be well.

    What a person asks about is not taken for well, whatever its state says: slow is a symptom that no state shows.
    `reach` is the first and last moment of each source, by digest.
    """

    about: Sequence[Entity] = ()
    unwell: Sequence[Entity] = ()
    healthy: Sequence[Entity] = ()
    reach: Mapping[str, tuple[float, float]] = field(default_factory=dict)


class Standing(StrEnum):
    """What became of a hypothesis."""

    OPEN = "open"
    RULED_OUT = "ruled_out"
    RESOLVED = "resolved"
    CONSEQUENCE = "consequence"


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A mechanism at work in an entity, with what speaks for it."""

    mechanism: Mechanism
    entity: Entity
    triggers: tuple[Fact, ...]
    answers: tuple[tuple[Prediction, Answer], ...]
    score: float
    standing: Standing = Standing.OPEN
    over: tuple[Fact, ...] = ()

    def weight(self, outcome: Outcome) -> float:
        """Summed weight of the predictions with this outcome."""
        return sum(p.weight for p, a in self.answers if a.outcome is outcome)


def bind(known: Sequence[Mechanism], graph: EvidenceGraph, concern: Concern) -> list[Hypothesis]:
    """Every mechanism whose trigger an entity's facts pull, best first; ties by entity, then by mechanism."""
    link = _links(graph, concern)
    found: dict[tuple[str, Entity], list[Hypothesis]] = defaultdict(list)
    for mechanism in known:
        for entity in graph.of_kind(*mechanism.subjects):
            hypothesis = _bound(mechanism, entity, graph)
            if hypothesis is not None:
                weight = link[entity] * _recency(hypothesis.triggers, concern.reach)
                found[mechanism.id, graph.owner(entity)].append(replace(hypothesis, score=hypothesis.score * weight))
    # the best of a mechanism's hypotheses about things of one owner stands for all of them
    grouped = [min(hypotheses, key=_rank) for hypotheses in found.values()]
    judged = [replace(h, standing=Standing.CONSEQUENCE) if _yields(h, grouped, graph) else h for h in grouped]
    return sorted(judged, key=_rank)


def _bound(mechanism: Mechanism, entity: Entity, graph: EvidenceGraph) -> Hypothesis | None:
    triggers = [fact for clause in mechanism.triggers for fact in passing(clause, entity, graph)]
    if not triggers:
        return None
    answers = tuple((p, judge(p, entity, graph)) for p in mechanism.predictions)
    bare = Hypothesis(mechanism, entity, tuple(dict.fromkeys(triggers)), answers, 0.0)
    met, failed = bare.weight(Outcome.MET), bare.weight(Outcome.FAILED)
    over = tuple(fact for clause in mechanism.resolved_by for fact in passing(clause, entity, graph))
    standing = Standing.RESOLVED if over else Standing.RULED_OUT if failed > met else Standing.OPEN
    doubtful = all(fact.attribute.startswith("possible.") for fact in triggers)
    strength = mechanism.strength * (POSSIBLE if doubtful else 1.0)
    return replace(bare, score=max(0.0, strength + met - failed), standing=standing, over=over)


def _links(graph: EvidenceGraph, concern: Concern) -> dict[Entity, float]:
    """How much a candidate in each entity counts, by its path to what the investigation is about."""
    about, unwell = graph.distances(concern.about), graph.distances(concern.unwell, NEAR)
    asked = {graph.owner(entity) for entity in concern.about}
    factors = {}
    for entity in graph.entities:
        factor = 1.0 if not about else PER_STEP ** about[entity] if entity in about else UNLINKED
        well = entity in concern.healthy and entity not in unwell and graph.owner(entity) not in asked
        factors[entity] = factor * (HEALTHY_NOW if well else 1.0)
    return factors


def _recency(triggers: Sequence[Fact], reach: Mapping[str, tuple[float, float]]) -> float:
    """PAST where all that speaks for a candidate are lines of logs that go on without them; 1 in any other case."""
    for fact in triggers:
        span = reach.get(fact.spans[0].sha256) if fact.mode is Mode.LOG and fact.spans else None
        if span is None or fact.when is None:
            return 1.0
        first, end = span
        last = float(dict(fact.params).get("last_seen", fact.when))
        if end - last <= max(QUIET_SECONDS, QUIET_SHARE * (end - first)):
            return 1.0
    return PAST


def _rank(h: Hypothesis) -> tuple[object, ...]:
    return (h.standing is not Standing.OPEN, -h.score, h.entity, h.mechanism.id)


def _yields(h: Hypothesis, others: Sequence[Hypothesis], graph: EvidenceGraph) -> bool:
    """Whether a deeper cause stands near enough for this one to be its consequence.

    Of two that would each yield to the other the better one stands, or nothing would be left of both.
    """
    if h.standing is not Standing.OPEN or not h.mechanism.yields_to:
        return False
    near = graph.distances([h.entity], NEAR + 1)
    return any(
        other.standing is Standing.OPEN
        and other is not h
        and other.entity in near
        and _gives_way(h.mechanism, other.mechanism)
        and (not _gives_way(other.mechanism, h.mechanism) or _rank(other) < _rank(h))
        for other in others
    )


def _gives_way(general: Mechanism, deeper: Mechanism) -> bool:
    return any(fnmatchcase(deeper.id, pattern) for pattern in general.yields_to)
