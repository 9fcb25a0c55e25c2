"""Broken invariants as candidates: a check that no mechanism asks for stands for itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from faultmaven_core.analysis.checks.registry import Check
from faultmaven_core.analysis.mechanisms import mechanism as knowledge
from faultmaven_core.analysis.mechanisms.mechanism import Clause, Mechanism
from faultmaven_core.analysis.model import Fact

STRENGTH = {"violation": 1.0, "possible": 0.75}
"""Points of a broken invariant, and of one that the evidence does not cover well enough; binding it costs that one more."""


def candidates(broken: Sequence[Fact], known: Iterable[Mechanism], checks: Mapping[str, Check]) -> list[Mechanism]:
    """A mechanism per broken check that no known mechanism is triggered by, by check."""
    asked = {clause.attribute for each in known for clause in each.triggers}
    kinds: dict[str, set[str]] = {}
    for fact in broken:
        if fact.attribute not in asked:
            kinds.setdefault(fact.attribute, set()).add(fact.entity.kind)
    return [_stands_for_itself(attribute, kinds[attribute], checks) for attribute in sorted(kinds)]


def _stands_for_itself(attribute: str, kinds: AbstractSet[str], checks: Mapping[str, Check]) -> Mechanism:
    certainty, _, name = attribute.partition(".")
    check = checks[name]
    return Mechanism(
        id=f"check.{name}",
        category=check.category,
        subjects=tuple(sorted(kinds)),
        triggers=(Clause(attribute),),
        statement=("{quote}",),
        mechanism=(check.why,),
        strength=STRENGTH[certainty],
        confirm=knowledge.Check(
            ("kubectl -n {namespace} get {kind} {name} -o yaml",), "the same as in the evidence: {quote}"
        ),
        refute=knowledge.Check(expect="in the cluster it is as the check expects: {expected}"),
        remedies=(check.remedy,),
    )
