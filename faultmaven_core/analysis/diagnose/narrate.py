"""A mechanism's texts with their slots filled from the entity and the facts that bound it."""

from __future__ import annotations

import string
from collections.abc import Sequence

from faultmaven_core.analysis.diagnose.hypotheses import Hypothesis
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph

STARTING = ("PodInitializing", "ContainerCreating")
"""Reasons for waiting that every healthy pod shows for a while."""

_FORMAT = string.Formatter()


def slots(hypothesis: Hypothesis, graph: EvidenceGraph) -> dict[str, str]:
    """The values for a hypothesis's texts; a slot that nothing binds is missing."""
    entity = hypothesis.entity
    found = {"name": entity.name, "kind": entity.kind, "subject": f"{entity.kind.capitalize()} {entity.name}"}
    if entity.namespace:
        found["namespace"] = entity.namespace
    for fact in hypothesis.triggers:
        for name, value in fact.params:
            found.setdefault(name, value)
        if isinstance(fact.value, str):
            found.setdefault("quote", fact.value)
    for fact in graph.facts(entity, "status.*.*.state.waiting.reason"):
        if fact.value not in STARTING:
            found.setdefault("state", str(fact.value))
    return found


def tell(texts: Sequence[str], values: dict[str, str]) -> str:
    """The first text whose slots all have values; empty where none has."""
    for text in texts:
        wanted = {name for _, name, _, _ in _FORMAT.parse(text) if name}
        if wanted <= set(values):
            return text.format(**values)
    return ""
