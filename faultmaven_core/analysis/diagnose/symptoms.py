"""What is visibly unwell now, whatever the cause."""

from __future__ import annotations

from collections.abc import Sequence

from faultmaven_core.analysis.diagnose.narrate import STARTING
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.model import Entity, Fact

PER_FINDING = 60
"""Findings of one kind that a record lists; a broken fleet would otherwise drown the cause."""


def unwell(graph: EvidenceGraph) -> list[Fact]:
    """Facts that say of an entity that it is not well now."""
    found = []
    for fact in graph.all_facts("status.**"):
        last = fact.attribute.rsplit(".", 1)[-1]
        if (
            (fact.attribute == "status.phase" and fact.value in ("Pending", "Failed", "Unknown"))
            or (".state.waiting.reason" in fact.attribute and fact.value not in STARTING)
            or (last == "restartCount" and isinstance(fact.value, int) and fact.value > 0)
        ):
            found.append(fact)
    return found


def entities(facts: Sequence[Fact]) -> list[Entity]:
    """The entities that facts are about, each once."""
    return sorted({fact.entity for fact in facts})
