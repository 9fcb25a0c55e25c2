"""How far a record goes: the milestones that it reaches, and what else of it is told in numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from faultmaven_core.analysis.model import Verdict
from faultmaven_core.analysis.record import RcaRecord

IDENTIFIED = frozenset({Verdict.PROBABLE, Verdict.CONFIRMED})

MILESTONES: Mapping[str, Callable[[RcaRecord], bool]] = MappingProxyType(
    {
        "symptom_verified": lambda r: any(one.claims and one.severity != "info" for one in r.findings),
        "scope_assessed": lambda r: any(one.entity.name and one.claims for one in r.findings),
        "timeline_established": lambda r: any(entry.first_deviation for entry in r.timeline),
        "changes_identified": lambda r: any(entry.kind == "change" for entry in r.timeline),
        "root_cause_identified": lambda r: r.root_cause is not None and r.verdict in IDENTIFIED,
        "solution_proposed": lambda r: r.root_cause is not None and bool(r.actions),
    }
)
"""What each milestone needs of a record; all of it rests on claims that were checked."""

OF_A_CAUSE = frozenset({"root_cause_identified", "solution_proposed"})
"""Milestones that fall with the cause."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The last record in short: the milestones that it reaches, how many explanations it tried and remedies it names."""

    milestones: tuple[str, ...] = ()
    hypotheses: int = 0
    solutions: int = 0


def milestones(record: RcaRecord | None) -> tuple[str, ...]:
    """The milestones that a record reaches, in their order."""
    return tuple(name for name, reached in MILESTONES.items() if record is not None and reached(record))


def figures(record: RcaRecord) -> Figures:
    """A record in short."""
    return Figures(milestones(record), len(record.hypotheses), len(record.actions) if record.root_cause else 0)


def as_judged(found: Figures, *, confirmed: bool, rejected: bool) -> Figures:
    """The figures as a person's word on the cause leaves them."""
    reached = set(found.milestones) - OF_A_CAUSE if rejected else set(found.milestones)
    if confirmed:
        reached.add("root_cause_identified")
    ordered = tuple(name for name in MILESTONES if name in reached)
    return Figures(ordered, found.hypotheses, 0 if rejected else found.solutions)
