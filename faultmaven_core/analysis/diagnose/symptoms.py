"""What is visibly unwell now, whatever the cause."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from faultmaven_core.analysis.diagnose.query import NEAR
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.graph.kubernetes_health import unwell
from faultmaven_core.analysis.model import Entity, Fact
from faultmaven_core.analysis.signals.signatures import signatures


@dataclass(frozen=True, slots=True)
class Symptoms:
    """`status`: objects that are not well now. `deviations`: metrics that are off and have not come back.

    `alerts`: what somebody was told; `calm`: monitors that say all is well. An alert is history as soon as it was sent:
    alone it makes nobody unwell. `near`: what is linked to what the investigation is about.
    `recovered`: what deviated and has come back in all that was measured.
    """

    status: tuple[Fact, ...]
    deviations: tuple[Fact, ...]
    alerts: tuple[Fact, ...]
    calm: tuple[Fact, ...]
    near: frozenset[Entity] = frozenset()
    recovered: frozenset[Entity] = frozenset()

    @classmethod
    def of(cls, graph: EvidenceGraph) -> Symptoms:
        """Those that the graph shows."""
        harmful = [fact for fact in graph.all_facts("anomaly.**") if dict(fact.params).get("hurts") == "yes"]
        hurting = [fact for fact in harmful if not _over(fact)]
        over = {fact.entity for fact in harmful} - {fact.entity for fact in hurting}
        calm = [fact for fact in graph.all_facts("alert_state.**") if fact.value == "ok"]
        return cls(
            status=tuple(unwell(graph)),
            deviations=tuple(hurting),
            alerts=tuple(fact for fact in graph.all_facts("alert.**") if dict(fact.params).get("state") == "firing"),
            recovered=frozenset(over),
            calm=tuple(calm),
        )

    def nearest(self, distances: Mapping[Entity, int]) -> Symptoms:
        """The same, what is nearest to what the investigation is about first."""
        far = len(distances)

        def ordered(facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
            return tuple(sorted(facts, key=lambda fact: distances.get(fact.entity, far)))

        return replace(
            self,
            status=ordered(self.status),
            deviations=ordered(self.deviations),
            alerts=ordered(self.alerts),
            calm=ordered(self.calm),
            near=frozenset(distances),
        )

    @property
    def told(self) -> str:
        """The first symptom near in words, as people were told or as the state shows it; empty where there is none."""
        near = [fact for fact in (*self.status, *self.deviations) if not self.near or fact.entity in self.near]
        return next((sentence(fact) for fact in (*self.alerts, *near)), "")

    @property
    def active(self) -> tuple[Fact, ...]:
        """What is wrong now by the evidence itself; alerts only where neither monitors nor measurements contradict."""
        alerts = () if self.calm else (fact for fact in self.alerts if fact.entity not in self.recovered)
        return (*self.status, *self.deviations, *alerts)

    @property
    def entities(self) -> list[Entity]:
        """What is unwell, each once."""
        return sorted({fact.entity for fact in self.active})


def _over(deviation: Fact) -> bool:
    return dict(deviation.params).get("recovered") == "yes"


def looked(graph: EvidenceGraph, about: Sequence[Entity]) -> bool:
    """Whether the evidence could have shown that what is asked about is unwell: states or measurements, not only text."""
    near = graph.distances(about, NEAR) if about else graph.entities
    return any(graph.facts(entity, glob) for entity in near for glob in ("status.**", "metric.**", "alert_state.**"))


_CONDITIONS = {
    ("Ready", "False"): "is not ready",
    ("Ready", "Unknown"): "has stopped reporting whether it is ready",
    ("PodScheduled", "False"): "is not scheduled to any node",
    ("Failed", "True"): "failed and did not complete",
    ("Available", "False"): "has too few available replicas",
    ("Progressing", "False"): "makes no progress with its rollout",
    ("ReplicaFailure", "True"): "cannot create its pods",
    ("ScalingActive", "False"): "cannot tell how many replicas are needed",
    ("AbleToScale", "False"): "cannot change the number of replicas",
}

_WORDED = (
    (re.compile(r"status\.phase"), "{entity} is {value}"),
    (
        re.compile(r"status\.\w+\.(?P<part>[^.]+)\.state\.waiting\.reason"),
        "container {part} of {entity} waits in {value}",
    ),
    (
        re.compile(r"status\.\w+\.(?P<part>[^.]+)\.state\.terminated\.exitCode"),
        "container {part} of {entity} ended with exit code {value}",
    ),
    (
        re.compile(r"status\.\w+\.(?P<part>[^.]+)\.state\.terminated\.reason"),
        "container {part} of {entity} ended: {value}",
    ),
    (
        re.compile(r"status\.\w+\.(?P<part>[^.]+)\.restartCount"),
        "container {part} of {entity} was restarted {value} times",
    ),
    (re.compile(r"status\.failed"), "{entity} has {value} failed pods"),
    (re.compile(r"status\.unavailableReplicas"), "{entity} lacks {value} replicas"),
    (
        re.compile(r"status\.(?:readyReplicas|availableReplicas|numberAvailable)"),
        "{entity} has only {value} replicas ready",
    ),
    (re.compile(r"status\.endpoints"), "{entity} has no endpoints"),
    (re.compile(r"alert\.(?P<part>.+)"), "{part}: {value}"),
)


def sentence(fact: Fact) -> str:
    """A finding in words."""
    if text := dict(fact.params).get("text"):
        return text
    kind, _, name = fact.attribute.partition(".")
    if kind in ("violation", "possible"):
        return str(fact.value)
    if kind == "signature":
        times = f" ({fact.count} times)" if fact.count > 1 else ""
        return f"{fact.entity}: {_meanings().get(name, name)}{times}"
    condition = re.fullmatch(r"status\.conditions\.(\w+)\.status", fact.attribute)
    if condition:
        known = _CONDITIONS.get((condition[1], str(fact.value)))
        return f"{fact.entity} {known or f'reports {condition[1]}={fact.value}'}"
    for pattern, words in _WORDED:
        if match := pattern.fullmatch(fact.attribute):
            said = words.format(entity=fact.entity, value=fact.value, **match.groupdict())
            return said.replace("container * of", "a container of")  # a table of pods names no containers
    return f"{fact.entity}: {fact.attribute} is {fact.value}"


@cache
def _meanings() -> Mapping[str, str]:
    """What each signature says of who wrote the line."""
    return {signature.id: signature.means for signature in signatures()}
