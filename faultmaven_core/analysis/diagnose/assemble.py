"""The record of a concluded diagnosis, every sentence with the claims that it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from faultmaven_core.analysis.claims.ledger import Ledger
from faultmaven_core.analysis.diagnose.hypotheses import Hypothesis, Standing
from faultmaven_core.analysis.diagnose.narrate import Narrator, decisive
from faultmaven_core.analysis.diagnose.needs import needs
from faultmaven_core.analysis.diagnose.query import Outcome
from faultmaven_core.analysis.diagnose.symptoms import Symptoms, sentence
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.mechanisms.mechanism import Check
from faultmaven_core.analysis.model import Entity, Extraction, Fact, Verdict
from faultmaven_core.analysis.record import (
    SCHEMA,
    Action,
    CheckView,
    EntityView,
    Finding,
    HypothesisView,
    PredictionView,
    Producer,
    RcaRecord,
    RootCause,
    RuledOut,
    SourceCoverage,
    TimelineEntry,
)
from faultmaven_core.analysis.signals.timeline import timeline

RANKED = 10
"""Hypotheses that a record lists besides the ruled-out ones."""

PER_KIND = 40
"""Findings of one kind that a record lists."""


class Assembly:
    """Builds the parts of one record; claims are numbered in the order in which a reader meets them."""

    def __init__(
        self,
        graph: EvidenceGraph,
        ledger: Ledger,
        symptoms: Symptoms,
        ranked: Sequence[Hypothesis],
        best: Hypothesis | None,
        confidence: float,
    ) -> None:
        self._graph = graph
        self._ledger = ledger
        self._symptoms = symptoms
        self._ranked = ranked
        self._best = best
        self._confidence = confidence

    def record(
        self,
        case_id: str,
        question: str,
        version: str,
        verdict: Verdict,
        sources: Sequence[Extraction],
    ) -> RcaRecord:
        """All of it."""
        standing = [h for h in self._ranked if h.standing in (Standing.OPEN, Standing.CONSEQUENCE)][:RANKED]
        out = [h for h in self._ranked if h.standing in (Standing.RULED_OUT, Standing.RESOLVED)]
        cause = self._cause(self._best) if self._best else None
        hypotheses = tuple(self._hypothesis(rank, h) for rank, h in enumerate(standing, 1))
        return RcaRecord(
            schema=SCHEMA,
            case_id=case_id,
            question=question,
            verdict=verdict,
            root_cause=cause,
            hypotheses=hypotheses,
            findings=tuple(self._findings()),
            timeline=self._timeline(),
            ruled_out=tuple(self._ruled_out(h) for h in out),
            evidence_needs=needs(standing, self._graph),
            actions=self._actions(self._best) if self._best else (),
            coverage=tuple(_coverage(extraction) for extraction in sources),
            claims=self._ledger.claims,  # last: all other parts have made theirs
            produced_by=Producer(version, "analyst"),
        )

    def _cause(self, best: Hypothesis) -> RootCause:
        narrator = Narrator(best, self._graph)
        return RootCause(
            entity=_entity(best.entity),
            category=best.mechanism.category,
            mechanism_id=best.mechanism.id,
            statement=narrator.tell(best.mechanism.statement),
            mechanism=narrator.tell(best.mechanism.mechanism),
            chain=narrator.chain(self._symptoms.told),
            confidence=self._confidence,
            confirm=_check(best.mechanism.confirm, narrator),
            refute=_check(best.mechanism.refute, narrator),
        )

    def _hypothesis(self, rank: int, h: Hypothesis) -> HypothesisView:
        predictions = tuple(
            PredictionView(p.text, str(a.outcome), tuple(dict.fromkeys(self._ledger.observed(f) for f in a.facts[:3])))
            for p, a in h.answers
        )
        leading = h is self._best
        return HypothesisView(
            rank=rank,
            entity=_entity(h.entity),
            category=h.mechanism.category,
            mechanism=h.mechanism.id,
            statement=Narrator(h, self._graph).tell(h.mechanism.statement),
            confidence=self._confidence
            if leading or (rank == 1 and self._best is None)
            else _share(h, self._ranked, self._confidence),
            status="leading" if leading else str(h.standing),
            predictions=predictions,
            claims=tuple(dict.fromkeys(self._ledger.observed(f) for f in decisive(h)[:8])),
        )

    def _ruled_out(self, h: Hypothesis) -> RuledOut:
        failed = [(p, a) for p, a in h.answers if a.outcome is Outcome.FAILED]
        facts = h.over if h.standing is Standing.RESOLVED else [f for _, a in failed for f in a.facts[:1]]
        because = (
            "the condition is over"
            if h.standing is Standing.RESOLVED
            else "expected and not so: " + "; ".join(p.text for p, _ in failed)
        )
        claims = tuple(dict.fromkeys(self._ledger.observed(f) for f in facts[:3]))
        statement = Narrator(h, self._graph).tell(h.mechanism.statement)
        return RuledOut(_entity(h.entity), h.mechanism.id, statement, because, claims)

    def _findings(self) -> Iterator[Finding]:
        """What is wrong, kind by kind; a broken fleet must not drown the cause, so each kind has its limit."""
        kinds = (
            ("symptom", "error", self._symptoms.alerts),
            ("symptom", "error", self._symptoms.status),
            ("anomaly", "warning", self._symptoms.deviations),
            ("violation", "error", self._near("violation.**")),
            ("violation", "warning", self._near("possible.**")),
            ("signature", "warning", self._near("signature.**")),
        )
        for kind, severity, facts in kinds:
            for fact in facts[:PER_KIND]:
                yield Finding(kind, severity, _entity(fact.entity), sentence(fact), (self._ledger.observed(fact),))

    def _near(self, attribute: str) -> Sequence[Fact]:
        """Facts of what is linked to what the investigation is about; of everything where that is nothing."""
        facts = self._graph.all_facts(attribute)
        return [fact for fact in facts if fact.entity in self._symptoms.near] if self._symptoms.near else facts

    def _timeline(self) -> tuple[TimelineEntry, ...]:
        """What happened when, near what the investigation is about; everything where nothing near is dated."""
        facts = self._graph.all_facts("**")
        near = timeline(fact for fact in facts if fact.entity in self._symptoms.near)
        return tuple(
            TimelineEntry(
                iso(moment.when),
                _entity(moment.entity),
                moment.text,
                moment.kind,
                moment.first_deviation,
                tuple(self._ledger.cite(span) for span in moment.spans[:1]),
            )
            for moment in near or timeline(facts)
        )

    def _actions(self, best: Hypothesis) -> tuple[Action, ...]:
        told = Narrator(best, self._graph).each(best.mechanism.remedies)
        return tuple(Action(text, best.mechanism.id) for text in told)


def _share(h: Hypothesis, ranked: Sequence[Hypothesis], leading: float) -> float:
    """A follower's confidence: what the leader leaves over, by its part of the followers' scores, never above it."""
    total = sum(other.score for other in ranked if other.standing is Standing.OPEN)
    return round(min(leading, (1 - leading) * h.score / total), 2) if total and h.standing is Standing.OPEN else 0.0


def _entity(entity: Entity) -> EntityView:
    return EntityView(entity.kind, entity.name, entity.namespace)


def _check(check: Check, narrator: Narrator) -> CheckView:
    return CheckView(narrator.command(check.command), narrator.tell([check.expect]))


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
        iso(first),
        iso(last),
        extraction.problems,
    )


def iso(when: float | None) -> str:
    """ISO 8601 in UTC of epoch seconds; empty for None."""
    return "" if when is None else datetime.fromtimestamp(when, UTC).isoformat().replace("+00:00", "Z")
