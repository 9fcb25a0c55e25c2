"""From ranked hypotheses to the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from faultmaven_core.analysis.claims.ledger import Ledger, ReadSpan
from faultmaven_core.analysis.diagnose.focus import named, symptoms
from faultmaven_core.analysis.diagnose.hypotheses import Hypothesis, bind
from faultmaven_core.analysis.diagnose.narrate import slots, tell
from faultmaven_core.analysis.diagnose.query import Outcome
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.mechanisms.mechanism import Check, Mechanism
from faultmaven_core.analysis.model import Entity, Extraction, Fact, Verdict
from faultmaven_core.analysis.record import (
    SCHEMA,
    Action,
    CheckView,
    EntityView,
    EvidenceNeed,
    Finding,
    HypothesisView,
    PredictionView,
    Producer,
    RcaRecord,
    RootCause,
    RuledOut,
    SourceCoverage,
)

PROBABLE = 0.65
"""Confidence from which a cause is called probable; below it is suspected."""


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
    names = {e.source.sha256: e.source.name for e in reversed(ordered)}
    graph = EvidenceGraph.of(ordered)
    unwell = symptoms(graph)
    focus = named(request.question, graph) or sorted({fact.entity for fact in unwell})
    ranked = bind(known, graph, focus)
    return _Conclusion(ranked, unwell, graph, Ledger(names, read), request).record(ordered)


class _Conclusion:
    def __init__(
        self,
        ranked: Sequence[Hypothesis],
        unwell: Sequence[Fact],
        graph: EvidenceGraph,
        ledger: Ledger,
        request: Request,
    ) -> None:
        self.ranked, self.unwell, self.graph, self.ledger, self.request = ranked, unwell, graph, ledger, request
        standing = [h for h in ranked if not h.ruled_out]
        self.best = standing[0] if standing else None

    def record(self, extractions: Sequence[Extraction]) -> RcaRecord:
        cause = self._cause() if self.best else None
        hypotheses = tuple(self._hypothesis(rank, h) for rank, h in enumerate(self.ranked, 1))
        findings = tuple(
            Finding("symptom", "error", _entity(f.entity), f"{f.attribute} is {f.value}", (self.ledger.observed(f),))
            for f in self.unwell
        )
        verdict = Verdict.HEALTHY if not self.unwell else Verdict.INSUFFICIENT_EVIDENCE
        if cause:
            verdict = Verdict.PROBABLE if cause.confidence >= PROBABLE else Verdict.SUSPECTED
        return RcaRecord(
            SCHEMA,
            self.request.case_id,
            self.request.question,
            verdict,
            cause,
            hypotheses,
            findings,
            (),
            self.ledger.claims,
            tuple(self._ruled_out(h) for h in self.ranked if h.ruled_out),
            self._needs(),
            tuple(
                Action(tell([text], slots(self.best, self.graph)) or text, self.best.mechanism.id)
                for text in self.best.mechanism.remedies
            )
            if self.best
            else (),
            tuple(_coverage(e) for e in extractions),
            Producer(self.request.version, "analyst"),
        )

    def _cause(self) -> RootCause:
        best = self.best
        assert best is not None
        values = slots(best, self.graph)
        chain = [tell([text], values) for text in best.mechanism.chain]
        return RootCause(
            _entity(best.entity),
            best.mechanism.category,
            best.mechanism.id,
            tell(best.mechanism.statement, values),
            tell(best.mechanism.mechanism, values),
            tuple(text for text in chain if text),
            _confidence(best),
            _check(best.mechanism.confirm, values),
            _check(best.mechanism.refute, values),
        )

    def _hypothesis(self, rank: int, h: Hypothesis) -> HypothesisView:
        values = slots(h, self.graph)
        predictions = tuple(
            PredictionView(p.text, str(a.outcome), tuple(self.ledger.observed(f) for f in a.facts[:3]))
            for p, a in h.answers
        )
        claims = tuple(dict.fromkeys(self.ledger.observed(f) for f in h.triggers[:5]))
        status = "ruled_out" if h.ruled_out else "leading" if h is self.best else "open"
        return HypothesisView(
            rank,
            _entity(h.entity),
            h.mechanism.category,
            h.mechanism.id,
            tell(h.mechanism.statement, values),
            _confidence(h),
            status,
            predictions,
            claims,
        )

    def _ruled_out(self, h: Hypothesis) -> RuledOut:
        failed = [(p, a) for p, a in h.answers if a.outcome is Outcome.FAILED]
        return RuledOut(
            _entity(h.entity),
            h.mechanism.id,
            tell(h.mechanism.statement, slots(h, self.graph)),
            "not so: " + "; ".join(p.text for p, _ in failed),
            tuple(self.ledger.observed(f) for _, a in failed for f in a.facts[:1]),
        )

    def _needs(self) -> tuple[EvidenceNeed, ...]:
        if self.best is None:
            return ()
        values = slots(self.best, self.graph)
        return tuple(
            EvidenceNeed(
                p.text,
                f"it would support or weaken {self.best.mechanism.id}",
                tuple(tell([c], values) or c for c in self.best.mechanism.needs),
                "",
                (self.best.mechanism.id,),
            )
            for p, a in self.best.answers
            if a.outcome is Outcome.UNOBSERVED
        )


def _confidence(h: Hypothesis) -> float:
    """Squashed score: 1 (a bare trigger on the subject) is even odds, each point more triples them."""
    odds = 3.0 ** (h.score - 1.0)
    return round(odds / (1 + odds), 2)


def _entity(entity: Entity) -> EntityView:
    return EntityView(entity.kind, entity.name, entity.namespace)


def _check(check: Check, values: dict[str, str]) -> CheckView:
    return CheckView(tell([check.command], values), tell([check.expect], values))


def _coverage(extraction: Extraction) -> SourceCoverage:
    source = extraction.source
    first, last = source.coverage or (None, None)
    return SourceCoverage(
        source.name,
        source.sha256,
        source.kind,
        str(source.role),
        source.size,
        source.lines,
        _iso(first),
        _iso(last),
        extraction.problems,
    )


def _iso(when: float | None) -> str:
    return "" if when is None else datetime.fromtimestamp(when, UTC).isoformat().replace("+00:00", "Z")
