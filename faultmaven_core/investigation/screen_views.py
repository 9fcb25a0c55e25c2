"""A case at a glance, as values: what stands in each state's view."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from faultmaven_core.investigation.turn_commands import Transparency


@dataclass(frozen=True, slots=True)
class ReadScreen:
    """Show a case at a glance."""

    case_id: str


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Which ends a case is ready for: ready | needs_info | suggests_alternative | not_eligible."""

    resolved: str
    closed: str


@dataclass(frozen=True, slots=True)
class InquiryScreen:
    """What is agreed on before an investigation."""

    decided_to_investigate: bool
    inquiry_turns: int
    problem_statement_confirmed: bool
    proposed_problem_statement: str | None
    problem_confirmation: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class ProgressScreen:
    """How far the investigation is."""

    current_stage: str
    completed_indicators: tuple[str, ...]
    completed_stage_gates: tuple[str, ...]
    active_hypotheses: int
    total_evidence: int
    turns_without_progress: int


@dataclass(frozen=True, slots=True)
class HypothesisScreen:
    """An explanation; state: active | validated | refuted | retired."""

    hypothesis_id: str
    text: str
    likelihood: float
    state: str
    evidence_count: int
    refutation_reason: str | None = None


@dataclass(frozen=True, slots=True)
class EvidenceScreen:
    """A piece of evidence."""

    evidence_id: str
    summary: str
    collected_at_turn: int
    collected_at: datetime


@dataclass(frozen=True, slots=True)
class ConclusionScreen:
    """What is held for the cause now."""

    summary: str
    confidence: float
    last_updated: datetime


@dataclass(frozen=True, slots=True)
class CauseScreen:
    """The cause that an ended case was left with."""

    root_cause_id: str
    description: str
    category: str
    severity: str
    cause_assurance: str | None
    cause_overclaim: bool


@dataclass(frozen=True, slots=True)
class SolutionScreen:
    """What was done about it."""

    description: str
    applied_at: datetime | None
    applied_by: str


@dataclass(frozen=True, slots=True)
class VerificationScreen:
    """Whether a person found the cause right."""

    verified: bool
    verification_method: str
    details: str


@dataclass(frozen=True, slots=True)
class ResolutionScreen:
    """An ended case in numbers."""

    total_duration_minutes: int
    milestones_completed: tuple[str, ...]
    hypotheses_tested: int
    evidence_collected: int
    key_insights: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportScreen:
    """A report that there is, or why there is none; status: auto_generated | skipped."""

    report_type: str
    status: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CaseScreen:
    """A case at a glance; what does not belong to its state is None or empty."""

    case_id: str
    title: str
    state: str
    created_at: datetime
    updated_at: datetime
    current_turn: int
    uploaded_files_count: int
    valid_next_states: tuple[str, ...]
    disposition_eligibility: Eligibility | None
    problem_statement: str | None
    inquiry: InquiryScreen | None = None
    progress: ProgressScreen | None = None
    active_hypotheses: tuple[HypothesisScreen, ...] = ()
    latest_evidence: tuple[EvidenceScreen, ...] = ()
    next_actions: tuple[str, ...] = ()
    working_conclusion: ConclusionScreen | None = None
    problem_verification: dict[str, str] | None = None
    progress_transparency: Transparency | None = None
    agent_status: str = "idle"
    root_cause: CauseScreen | None = None
    solution_applied: SolutionScreen | None = None
    verification_status: VerificationScreen | None = None
    resolution_summary: ResolutionScreen | None = None
    reports_available: tuple[ReportScreen, ...] = ()
    resolved_at: datetime | None = None
    closure_reason: str | None = None
