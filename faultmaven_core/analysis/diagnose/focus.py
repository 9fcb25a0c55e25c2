"""What the investigation is about: entities that the question names, and entities that are visibly unwell."""

from __future__ import annotations

import re

from faultmaven_core.analysis.diagnose.narrate import STARTING
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.model import Entity, Fact


def named(question: str, graph: EvidenceGraph) -> list[Entity]:
    """Entities whose whole name stands in the question; of nested names only the longest counts."""
    found = [
        entity
        for entity in graph.entities
        if len(entity.name) > 2 and re.search(rf"(?<![\w.-]){re.escape(entity.name)}(?![\w-]|\.\w)", question)
    ]
    return [
        entity
        for entity in found
        if not any(entity.name != other.name and entity.name in other.name for other in found)
    ]


def symptoms(graph: EvidenceGraph) -> list[Fact]:
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
