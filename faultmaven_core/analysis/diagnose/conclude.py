"""From what the sources say to the record: join, judge, conclude."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from faultmaven_core.analysis.checks.registry import REGISTRY
from faultmaven_core.analysis.checks.run import run_checks, violation_facts
from faultmaven_core.analysis.claims.ledger import Ledger, ReadSpan
from faultmaven_core.analysis.diagnose import focus as focusing
from faultmaven_core.analysis.diagnose.assemble import Assembly
from faultmaven_core.analysis.diagnose.candidates import candidates
from faultmaven_core.analysis.diagnose.hypotheses import Concern, Hypothesis, Standing, bind
from faultmaven_core.analysis.diagnose.symptoms import Symptoms, looked
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.graph.kubernetes_health import healthy
from faultmaven_core.analysis.graph.kubernetes_joins import join
from faultmaven_core.analysis.mechanisms.mechanism import Mechanism
from faultmaven_core.analysis.model import Extraction, Fact, Role, Verdict
from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.analysis.signals.error_lines import error_facts
from faultmaven_core.analysis.signals.metric_anomalies import anomalies, as_facts

PROBABLE = 0.65
"""Confidence from which a cause is called probable; below it is suspected."""

SUSPECTED = 0.35
"""Confidence below which naming a cause would mislead: then the evidence is called insufficient."""

RIVAL = 0.25
"""Hypotheses whose scores lie this near are rivals: each makes the other less certain."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller wants to know, and the values that would make two runs differ.

    `since` and `until` (epoch seconds) leave out what is dated before or after; what has no date stays.
    """

    case_id: str
    question: str
    version: str
    since: float | None = None
    until: float | None = None

    def covers(self, fact: Fact) -> bool:
        """Whether a fact lies in the time that is asked about."""
        if fact.when is None:
            return True
        return (self.since is None or fact.when >= self.since) and (self.until is None or fact.when <= self.until)


def diagnose(
    extractions: Sequence[Extraction], request: Request, known: Sequence[Mechanism], read: ReadSpan
) -> RcaRecord:
    """The record of an investigation; the order of the extractions does not matter."""
    ordered = sorted(extractions, key=lambda e: (e.source.name, e.source.sha256))
    graph = _joined(ordered, request)
    symptoms = Symptoms.of(graph)
    asked = focusing.focus(request.question, graph)
    about = [entity for entity in asked if entity in graph.entities] or symptoms.entities
    broken = [*graph.all_facts("violation.**"), *graph.all_facts("possible.**")]
    possible = [*known, *candidates(broken, known, REGISTRY)]
    ranked = bind(possible, graph, Concern(about, symptoms.entities, healthy(graph)))
    verdict, best, certainty = _verdict(ranked, calm=looked(graph, asked) and not symptoms.active)
    names = {e.source.sha256: e.source.name for e in reversed(ordered)}
    assembly = Assembly(graph, Ledger(names, read), symptoms.nearest(graph.distances(about)), ranked, best, certainty)
    return assembly.record(request.case_id, request.question, request.version, verdict, ordered)


def _joined(ordered: Sequence[Extraction], request: Request) -> EvidenceGraph:
    """The graph of the incident's sources, with what only all of them together show."""
    incident = [
        replace(e, facts=tuple(fact for fact in (*e.facts, *error_facts(e)) if request.covers(fact)))
        for e in ordered
        if e.source.role is Role.INCIDENT
    ]
    series = [one for e in incident for one in e.series]
    baseline = [one for e in ordered if e.source.role is Role.BASELINE for one in e.series]
    deviations = [fact for anomaly in anomalies(series, baseline) for fact in as_facts(anomaly) if request.covers(fact)]
    graph = EvidenceGraph.of(incident, focusing.asked(request.question), deviations)
    graph = graph.with_more(relations=join(graph))
    return graph.with_more(violation_facts(run_checks(graph)))


def _verdict(ranked: Sequence[Hypothesis], *, calm: bool) -> tuple[Verdict, Hypothesis | None, float]:
    """How sure we are, of which hypothesis, with what confidence."""
    standing = [h for h in ranked if h.standing is Standing.OPEN]
    certainty = confidence(standing) if standing else 0.0
    if certainty >= SUSPECTED:
        return (Verdict.PROBABLE if certainty >= PROBABLE else Verdict.SUSPECTED), standing[0], certainty
    return (Verdict.HEALTHY if calm else Verdict.INSUFFICIENT_EVIDENCE), None, certainty


def confidence(standing: Sequence[Hypothesis]) -> float:
    """Confidence in the first of the standing hypotheses, 0 to 1.

    A bare trigger (score 1) is even odds, every further point trebles them, rivals share them.
    """
    best = standing[0]
    rivals = [h for h in standing[1:] if h.mechanism.id != best.mechanism.id and best.score - h.score < RIVAL]
    odds = float(3.0 ** (best.score - 1.0)) / (1 + len(rivals[:2]) / 2)
    return round(odds / (1 + odds), 2)
