"""A mechanism's clauses, asked of the graph about one entity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.mechanisms.mechanism import Clause, Prediction
from faultmaven_core.analysis.model import Entity, Fact, Mode, Polarity

NEAR = 2
"""Relations between an entity and what counts as near it: pod to replica set to deployment, pod to volume to claim."""

MESSAGES = ("signature.", "event.", "violation.", "anomaly.")
"""Attributes whose silence proves nothing: the line may stand in a file that nobody collected."""


class Outcome(StrEnum):
    """What became of a prediction."""

    MET = "met"
    FAILED = "failed"
    UNOBSERVED = "unobserved"


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome, and the facts that it rests on."""

    outcome: Outcome
    facts: Sequence[Fact] = ()


def scope_of(clause: Clause, entity: Entity, graph: EvidenceGraph) -> Sequence[Entity]:
    """The entities that a clause asks about, nearest first."""
    if clause.scope == "subject":
        return [entity]
    if clause.scope == "any":
        return graph.entities
    found = graph.distances([entity], NEAR)
    return sorted(found, key=lambda other: (found[other], other))


def passing(clause: Clause, entity: Entity, graph: EvidenceGraph) -> list[Fact]:
    """The facts that answer the clause with yes."""
    return [
        fact
        for other in scope_of(clause, entity, graph)
        for fact in graph.facts(other, clause.attribute)
        if fact.polarity is Polarity.PRESENT and clause.passes(fact.value)
    ]


def judge(prediction: Prediction, entity: Entity, graph: EvidenceGraph) -> Answer:
    """Met, failed, or unobserved where the evidence does not speak of it."""
    clause = prediction.clause
    yes = passing(clause, entity, graph)
    if prediction.absent and yes:
        return Answer(Outcome.FAILED, yes)
    if yes:
        return Answer(Outcome.MET, yes)
    scope = scope_of(clause, entity, graph)
    seen = [fact for other in scope for fact in graph.facts(other, clause.attribute)]
    if prediction.absent:
        looked = bool(seen) or _would_say(clause, scope, graph)
        return Answer(Outcome.MET if looked else Outcome.UNOBSERVED, seen)
    if not seen or clause.attribute.startswith(MESSAGES):
        return Answer(Outcome.UNOBSERVED)
    return Answer(Outcome.FAILED, seen)


def _would_say(clause: Clause, scope: Sequence[Entity], graph: EvidenceGraph) -> bool:
    """Whether the evidence holds messages of the entities, so that one which does not stand there was not said."""
    if not clause.attribute.startswith(MESSAGES):
        return False
    return any(fact.mode in (Mode.LOG, Mode.EVENT) for other in scope for fact in graph.facts(other))
