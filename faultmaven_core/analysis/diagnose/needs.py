"""What is missing, and how to get it: the unobserved predictions that would best tell the hypotheses apart."""

from __future__ import annotations

from collections.abc import Sequence

from faultmaven_core.analysis.diagnose.hypotheses import Hypothesis
from faultmaven_core.analysis.diagnose.narrate import Narrator
from faultmaven_core.analysis.diagnose.query import Outcome
from faultmaven_core.analysis.graph.evidence_graph import EvidenceGraph
from faultmaven_core.analysis.record import EvidenceNeed

RIVALRY = 0.5
"""Part of the leader's score from which a follower is worth telling apart from it."""

MOST = 5
"""Needs that a record lists; a person follows two or three."""


def needs(standing: Sequence[Hypothesis], graph: EvidenceGraph) -> tuple[EvidenceNeed, ...]:
    """Unobserved predictions of the leading hypotheses; those that only one of the first two makes come first."""
    found: list[tuple[bool, float, EvidenceNeed]] = []
    first_two = [h for h in standing[:2] if h.score >= RIVALRY * standing[0].score]
    for h in first_two:
        rival = next((other for other in first_two if other is not h), None)
        theirs = {p.clause.attribute for p, _ in rival.answers} if rival else set()
        narrator = Narrator(h, graph)
        commands = tuple(filter(None, (narrator.command([text]) for text in h.mechanism.needs)))
        for prediction, answer in h.answers:
            if answer.outcome is not Outcome.UNOBSERVED:
                continue
            shared = prediction.clause.attribute in theirs
            told = narrator.tell([h.mechanism.statement[0], *h.mechanism.statement[1:]])
            against = f", and speak against: {Narrator(rival, graph).tell(rival.mechanism.statement)}" if rival else ""
            need = EvidenceNeed(
                what=f"whether {prediction.text}",
                why=f"if so, it would support: {told if shared or not rival else told.rstrip('.') + against}",
                commands=commands,
                expected=prediction.text,
                distinguishes=tuple(other.mechanism.id for other in first_two),
                places=narrator.each(h.mechanism.places),
            )
            found.append((shared, -prediction.weight, need))
    found.sort(key=lambda entry: entry[:2])
    by_question: dict[str, EvidenceNeed] = {}
    for _, _, need in found:
        by_question.setdefault(need.what, need)
    return tuple(by_question.values())[:MOST]
