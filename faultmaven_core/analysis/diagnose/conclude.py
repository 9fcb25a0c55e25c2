"""From what the sources say to the record: join, judge, conclude."""

from __future__ import annotations

from collections.abc import Sequence

from faultmaven_core.analysis.checks.registry import REGISTRY
from faultmaven_core.analysis.claims.ledger import Ledger, ReadSpan
from faultmaven_core.analysis.diagnose import focus as focusing
from faultmaven_core.analysis.diagnose.assemble import Assembly
from faultmaven_core.analysis.diagnose.candidates import candidates
from faultmaven_core.analysis.diagnose.hypotheses import Concern, Hypothesis, Standing, bind
from faultmaven_core.analysis.diagnose.joining import Request, joined, prepared
from faultmaven_core.analysis.diagnose.symptoms import Symptoms, looked
from faultmaven_core.analysis.graph.kubernetes_health import healthy
from faultmaven_core.analysis.mechanisms.mechanism import Mechanism
from faultmaven_core.analysis.model import Extraction, Verdict
from faultmaven_core.analysis.record import RcaRecord

PROBABLE = 0.65
"""Confidence from which a cause is called probable; below it is suspected."""

SUSPECTED = 0.35
"""Confidence below which naming a cause would mislead: then the evidence is called insufficient."""

RIVAL = 0.25
"""Hypotheses whose scores lie this near are rivals: each makes the other less certain."""

__all__ = ["Request", "confidence", "diagnose"]


def diagnose(
    extractions: Sequence[Extraction], request: Request, known: Sequence[Mechanism], read: ReadSpan
) -> RcaRecord:
    """The record of an investigation; the order of the extractions does not matter."""
    ordered = prepared(extractions, request)
    graph = joined(ordered, request, focusing.asked(request.question))
    symptoms = Symptoms.of(graph)
    asked = focusing.focus(request.question, graph)
    about = [entity for entity in asked if entity in graph.entities] or symptoms.entities
    broken = [*graph.all_facts("violation.**"), *graph.all_facts("possible.**")]
    possible = [*known, *candidates(broken, known, REGISTRY)]
    ranked = bind(possible, graph, Concern(about, symptoms.entities, healthy(graph), request.reach(ordered)))
    verdict, best, certainty = _verdict(ranked, calm=looked(graph, asked) and not symptoms.active)
    names = {e.source.sha256: e.source.name for e in reversed(ordered)}
    assembly = Assembly(graph, Ledger(names, read), symptoms.nearest(graph.distances(about)), ranked, best, certainty)
    return assembly.record(request.case_id, request.question, request.version, verdict, ordered)


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
