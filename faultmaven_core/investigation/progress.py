"""How far an investigation is, told from its record alone: milestones, stage, how sure its cause is."""

from __future__ import annotations

import hashlib

from faultmaven_core.analysis.model import Verdict
from faultmaven_core.analysis.record import EvidenceNeed, HypothesisView, RcaRecord
from faultmaven_core.cases import model
from faultmaven_core.cases.commands import CaseView
from faultmaven_core.cases.milestones import IDENTIFIED, MILESTONES, milestones
from faultmaven_core.investigation.turn_commands import Transparency

IDLE = 3
"""Turns without anything new from which it is said what would bring the investigation on."""


def stage(case: CaseView) -> str:
    """Diagnosis | treatment: once a cause is identified, it is about treating."""
    identified = model.asserted_cause(case) and case.verdict in IDENTIFIED
    return "treatment" if identified else "diagnosis"


def assurance(record: RcaRecord | None) -> str | None:
    """How the cause is borne out: confirmed (by a person), mechanistic (by what it predicts), no_root; None: no record."""
    if record is None:
        return None
    if record.root_cause is None:
        return "no_root"
    return "confirmed" if record.verdict is Verdict.CONFIRMED else "mechanistic"


def transparency(case: CaseView, record: RcaRecord | None) -> Transparency | None:
    """What would bring an investigation on that has stood still for some turns."""
    if case.status != "investigating" or case.dialogue.idle < IDLE:
        return None
    reached = milestones(record)
    pending = next((name for name in MILESTONES if name not in reached), None)
    if pending is None:
        return Transparency(active=False)
    need = (
        record.evidence_needs[0].what if record and record.evidence_needs else "evidence from the time of the problem"
    )
    return Transparency(True, pending, f"It would be reached by knowing {need}", "more_evidence")


def hypothesis_id(one: HypothesisView) -> str:
    """The same for the same explanation of the same thing, in every record."""
    told = f"{one.mechanism} {one.entity.kind} {one.entity.namespace}/{one.entity.name}"
    return f"hyp_{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def need_id(need: EvidenceNeed) -> str:
    """The same for the same need, in every record."""
    return f"need_{hashlib.sha256(need.what.encode()).hexdigest()[:12]}"
