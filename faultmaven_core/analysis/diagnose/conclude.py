"""From what the sources say to the record: join, judge, conclude."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from faultmaven_core.analysis.claims.ledger import Ledger, ReadSpan
from faultmaven_core.analysis.diagnose import focus as focusing
from faultmaven_core.analysis.diagnose.assemble import Assembly, Findings
from faultmaven_core.analysis.diagnose.hypotheses import Hypothesis, Standing, bind
from faultmaven_core.analysis.diagnose.symptoms import entities, unwell
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.mechanisms.mechanism import Mechanism
from faultmaven_core.analysis.model import Extraction, Fact, Role, Verdict
from faultmaven_core.analysis.record import RcaRecord

PROBABLE = 0.65
"""Confidence from which a cause is called probable; below it is suspected."""

SUSPECTED = 0.35
"""Confidence below which naming a cause would mislead: then the evidence is called insufficient."""

RIVAL = 0.25
"""Hypotheses whose scores lie this near are rivals: each makes the other less certain."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller wants to know, and the values that would make two runs differ."""

    case_id: str
    question: str
    version: str


def diagnose(
    extractions: Sequence[Extraction], request: Request, known: Sequence[Mechanism], read: ReadSpan
) -> RcaRecord:
    """The record of an investigation; the order of the extractions does not matter."""
    ordered = sorted(extractions, key=lambda e: (e.source.name, e.source.sha256))
    incident = [e for e in ordered if e.source.role is Role.INCIDENT]
    graph = EvidenceGraph.of(incident, focusing.asked(request.question))
    unwell_now = unwell(graph)
    focus = focusing.focus(request.question, graph)
    ranked = bind(known, graph, focus or entities(unwell_now))
    verdict, best, confidence = _verdict(ranked, unwell_now, graph)
    names = {e.source.sha256: e.source.name for e in reversed(ordered)}
    findings = Findings(symptoms=unwell_now)
    assembly = Assembly(graph, Ledger(names, read), ranked, best, confidence)
    return assembly.record(request.case_id, request.question, request.version, verdict, findings, ordered)


def _verdict(
    ranked: Sequence[Hypothesis], unwell_now: Sequence[Fact], graph: EvidenceGraph
) -> tuple[Verdict, Hypothesis | None, float]:
    """How sure we are, of which hypothesis, with what confidence."""
    standing = [h for h in ranked if h.standing is Standing.OPEN]
    if standing:
        certainty = confidence(standing)
        if certainty >= SUSPECTED:
            return (Verdict.PROBABLE if certainty >= PROBABLE else Verdict.SUSPECTED), standing[0], certainty
    looked = any(True for _ in graph.all_facts("status.**"))
    healthy = looked and not unwell_now and not standing
    return (Verdict.HEALTHY if healthy else Verdict.INSUFFICIENT_EVIDENCE), None, 0.0


def confidence(standing: Sequence[Hypothesis]) -> float:
    """Confidence in the first of the standing hypotheses, 0 to 1.

    A bare trigger (score 1) is even odds, every further point trebles them, rivals share them.
    """
    best = standing[0]
    rivals = [h for h in standing[1:] if h.mechanism.id != best.mechanism.id and best.score - h.score < RIVAL]
    odds = float(3.0 ** (best.score - 1.0)) / (1 + len(rivals[:2]) / 2)
    return round(odds / (1 + odds), 2)
