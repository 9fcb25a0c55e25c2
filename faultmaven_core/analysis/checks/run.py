"""All checks over one graph, and their findings as facts that mechanisms can ask for."""

from __future__ import annotations

from collections.abc import Iterable

from faultmaven_core.analysis.checks.kubernetes import (
    access,
    commands,
    containers,
    images,
    network,
    placement,
    ports,
    probes,
    quotas,
    references,
    resources,
    scaling,
    scripts,
    selectors,
    storage,
    workloads,
)
from faultmaven_core.analysis.checks.registry import REGISTRY, violations
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.graph.kubernetes_objects import Cluster
from faultmaven_core.analysis.model import Fact, Mode, Violation

MAX_SPANS = 5

MODULES = (
    access,
    commands,
    containers,
    images,
    network,
    placement,
    ports,
    probes,
    quotas,
    references,
    resources,
    scaling,
    scripts,
    selectors,
    storage,
    workloads,
)
"""Every module that registers checks; importing them fills the register."""


def run_checks(graph: EvidenceGraph) -> list[Violation]:
    """Every broken invariant of a graph whose relations are joined."""
    return violations(Cluster(graph), REGISTRY.values())


def violation_facts(found: Iterable[Violation]) -> list[Fact]:
    """A fact per violation on its subject: `violation.<check>`, or `possible.<check>` where it is not certain.

    The value is the sentence; the parameters are the violation's bindings and what was expected instead.
    """
    return [
        Fact(
            each.subject,
            f"{'violation' if each.certain else 'possible'}.{each.check}",
            each.actual,
            Mode.SPEC,
            tuple(dict.fromkeys(span for fact in each.premises for span in fact.spans[:1]))[:MAX_SPANS],
            params=tuple(sorted({"expected": each.expected, **dict(each.bindings)}.items())),
        )
        for each in found
    ]
