"""Mechanisms bound to entities, judged by their predictions, and ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from faultmaven_core.analysis.diagnose.query import Answer, Outcome, judge, passing
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.mechanisms.mechanism import Mechanism, Prediction
from faultmaven_core.analysis.model import Entity, Fact

UNLINKED = 0.3
"""Factor for a candidate that no path of relations links to what the question is about."""

PER_STEP = 0.85
"""Factor per relation between a candidate and what the question is about."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A mechanism at work in an entity, with what speaks for and against it."""

    mechanism: Mechanism
    entity: Entity
    triggers: tuple[Fact, ...]
    answers: tuple[tuple[Prediction, Answer], ...]
    score: float

    @property
    def ruled_out(self) -> bool:
        """More weight of predictions failed than met."""
        met = sum(p.weight for p, a in self.answers if a.outcome is Outcome.MET)
        failed = sum(p.weight for p, a in self.answers if a.outcome is Outcome.FAILED)
        return failed > met


def bind(known: Sequence[Mechanism], graph: EvidenceGraph, focus: Sequence[Entity]) -> list[Hypothesis]:
    """Every mechanism whose trigger an entity's facts pull, best first; ties by entity, then by mechanism."""
    near = graph.distances(focus)
    found = []
    for mechanism in known:
        for entity in graph.of_kind(*mechanism.subjects):
            triggers = [fact for clause in mechanism.triggers for fact in passing(clause, entity, graph)]
            if not triggers:
                continue
            answers = tuple((p, judge(p, entity, graph)) for p in mechanism.predictions)
            linked = PER_STEP ** near[entity] if entity in near else UNLINKED if focus else 1.0
            found.append(Hypothesis(mechanism, entity, tuple(triggers), answers, _score(mechanism, answers) * linked))
    return sorted(found, key=lambda h: (h.ruled_out, -h.score, h.entity, h.mechanism.id))


def _score(mechanism: Mechanism, answers: Sequence[tuple[Prediction, Answer]]) -> float:
    sign = {Outcome.MET: 1.0, Outcome.FAILED: -1.0, Outcome.UNOBSERVED: 0.0}
    return max(0.0, mechanism.strength + sum(sign[a.outcome] * p.weight for p, a in answers))
