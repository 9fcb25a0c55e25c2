"""What is visibly unwell now, whatever the cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from faultmaven_core.analysis.diagnose.query import NEAR
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.graph.kubernetes_health import unwell
from faultmaven_core.analysis.model import Entity, Fact

LOUD = frozenset({"error", "critical"})
"""Severities of log lines that say by themselves that something failed."""


@dataclass(frozen=True, slots=True)
class Symptoms:
    """`status`: objects that are not well now. `deviations`: metrics that are off and have not come back.

    `alerts`: what somebody was told; `calm`: monitors that say all is well. An alert is history as soon as it was sent:
    alone it makes nobody unwell.
    """

    status: tuple[Fact, ...]
    deviations: tuple[Fact, ...]
    alerts: tuple[Fact, ...]
    calm: tuple[Fact, ...]

    @classmethod
    def of(cls, graph: EvidenceGraph) -> Symptoms:
        """Those that the graph shows."""
        hurting = [fact for fact in graph.all_facts("anomaly.**") if _hurts(fact)]
        states = graph.all_facts("alert_state.**")
        return cls(
            status=tuple(unwell(graph)),
            deviations=tuple(hurting),
            alerts=tuple(fact for fact in states if fact.value == "firing"),
            calm=tuple(fact for fact in states if fact.value == "ok"),
        )

    def nearest(self, distances: Mapping[Entity, int]) -> Symptoms:
        """The same, what is nearest to what the investigation is about first."""
        far = len(distances)

        def ordered(facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
            return tuple(sorted(facts, key=lambda fact: distances.get(fact.entity, far)))

        return Symptoms(ordered(self.status), ordered(self.deviations), ordered(self.alerts), ordered(self.calm))

    @property
    def active(self) -> tuple[Fact, ...]:
        """What is wrong now by the evidence itself; alerts only where no monitor contradicts them."""
        return (*self.status, *self.deviations, *(() if self.calm else self.alerts))

    @property
    def entities(self) -> list[Entity]:
        """What is unwell, each once."""
        return sorted({fact.entity for fact in self.active})


def _hurts(fact: Fact) -> bool:
    params = dict(fact.params)
    return params.get("hurts") == "yes" and params.get("recovered") != "yes"


def looked(graph: EvidenceGraph, about: Sequence[Entity]) -> bool:
    """Whether the evidence could have shown that what is asked about is unwell: states or measurements, not only text."""
    near = graph.distances(about, NEAR) if about else graph.entities
    return any(graph.facts(entity, glob) for entity in near for glob in ("status.**", "metric.**", "alert_state.**"))


def sentence(fact: Fact) -> str:
    """A symptom in words."""
    text = dict(fact.params).get("text", "")
    if text:
        return text
    name = fact.attribute.removeprefix("alert_state.").removeprefix("status.")
    return f"{fact.entity}: {name} is {fact.value}"
