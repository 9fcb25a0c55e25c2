"""All that a client shows of a case beside its conversation, in one call: told from case and record alone."""

from __future__ import annotations

from faultmaven_core.analysis.model import Verdict
from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.analysis.redaction.redact_record import redact_record
from faultmaven_core.analysis.redaction.redactor import Redactor
from faultmaven_core.cases.commands import CaseView, ReadReport, ShowCase
from faultmaven_core.cases.milestones import milestones
from faultmaven_core.cases.model import TERMINAL, CaseStatus, asserted_cause
from faultmaven_core.evidence.commands import EvidenceView
from faultmaven_core.investigation.attachments import AttachmentDesk
from faultmaven_core.investigation.handshakes import next_states
from faultmaven_core.investigation.ports import CaseBook, EvidenceReader
from faultmaven_core.investigation.progress import assurance, hypothesis_id, stage, transparency
from faultmaven_core.investigation.screen_views import (
    CaseScreen,
    CauseScreen,
    ConclusionScreen,
    Eligibility,
    EvidenceScreen,
    HypothesisScreen,
    InquiryScreen,
    ProgressScreen,
    ReadScreen,
    ReportScreen,
    ResolutionScreen,
    SolutionScreen,
    VerificationScreen,
)
from faultmaven_core.shared.caller import Caller

MOST_HYPOTHESES = 5
MOST_EVIDENCE = 5
MOST_ACTIONS = 5


class Screens:
    """Reads cases at a glance."""

    def __init__(self, cases: CaseBook, evidence: EvidenceReader) -> None:
        self._cases, self._desk = cases, AttachmentDesk(cases, evidence)

    async def read(self, command: ReadScreen, caller: Caller) -> CaseScreen:
        """One case. Raises NotFoundError."""
        case = await self._cases.show(ShowCase(command.case_id), caller)
        record = None
        if case.records:
            stored = await self._cases.report(ReadReport(case.case_id), caller)
            record = redact_record(stored.record, Redactor())
        return screen(case, record, await self._desk.held(case.case_id, caller))


def screen(case: CaseView, record: RcaRecord | None, evidence: tuple[EvidenceView, ...]) -> CaseScreen:
    """The case as its state is shown."""
    ended = case.status in TERMINAL
    investigating = case.status == CaseStatus.INVESTIGATING
    return CaseScreen(
        case.case_id,
        case.title,
        case.status,
        case.created_at,
        case.updated_at,
        case.current_turn,
        len(evidence),
        next_states(case),
        None if ended else eligibility(case),
        case.dialogue.statement or case.question or None,
        inquiry=_inquiry(case) if case.status == CaseStatus.INQUIRY else None,
        progress=_progress(case, record, evidence) if investigating else None,
        active_hypotheses=_hypotheses(case, record) if investigating else (),
        latest_evidence=tuple(
            EvidenceScreen(one.evidence_id, one.name, one.turn, one.added_at) for one in evidence[-MOST_EVIDENCE:]
        ),
        next_actions=_next_actions(record) if investigating else (),
        working_conclusion=_conclusion(case, record) if investigating else None,
        progress_transparency=transparency(case, record),
        root_cause=_cause(case, record) if ended else None,
        solution_applied=_solution(case, record),
        verification_status=_verification(case) if ended else None,
        resolution_summary=_summary(case, record, evidence) if ended else None,
        reports_available=_reports(case, record) if ended else (),
        resolved_at=case.closed_at if case.status == CaseStatus.RESOLVED else None,
        closure_reason=case.closure_reason if case.status == CaseStatus.CLOSED else None,
    )


def eligibility(case: CaseView) -> Eligibility:
    """A case is ready to be resolved once a cause is known; it can be closed at any time."""
    if case.status == CaseStatus.INQUIRY:
        return Eligibility("not_eligible", "ready")
    known = asserted_cause(case) or case.actual_cause
    return Eligibility("ready" if known else "needs_info", "ready")


def _inquiry(case: CaseView) -> InquiryScreen:
    dialogue = case.dialogue
    return InquiryScreen(dialogue.agreed, case.current_turn, dialogue.agreed, dialogue.statement or None, None)


def _progress(case: CaseView, record: RcaRecord | None, evidence: tuple[EvidenceView, ...]) -> ProgressScreen:
    open_ones = [one for one in _hypotheses(case, record) if one.state == "active"]
    reached = milestones(record)
    gates = ("diagnosis",) if stage(case) == "treatment" else ()
    return ProgressScreen(stage(case), reached, gates, len(open_ones), len(evidence), case.dialogue.idle)


def _hypotheses(case: CaseView, record: RcaRecord | None) -> tuple[HypothesisScreen, ...]:
    if record is None:
        return ()
    judged = dict(case.dialogue.judged)
    ruled = {(one.mechanism, one.entity): one.because for one in record.ruled_out}
    told = []
    for one in record.hypotheses:
        because = ruled.get((one.mechanism, one.entity))
        state = judged.get(hypothesis_id(one)) or ("refuted" if because or one.status == "ruled_out" else "active")
        if one.status in {"leading", "open", "ruled_out"} or because:
            told.append(
                HypothesisScreen(hypothesis_id(one), one.statement, one.confidence, state, len(one.claims), because)
            )
    return tuple(told[:MOST_HYPOTHESES])


def _next_actions(record: RcaRecord | None) -> tuple[str, ...]:
    if record is None:
        return ()
    needs = [f"Find out {need.what}" for need in record.evidence_needs]
    return tuple([*needs, *(action.text for action in record.actions)][:MOST_ACTIONS])


def _conclusion(case: CaseView, record: RcaRecord | None) -> ConclusionScreen | None:
    if record is None or record.root_cause is None:
        return None
    sure = 1.0 if record.verdict is Verdict.CONFIRMED else record.root_cause.confidence
    return ConclusionScreen(record.root_cause.statement, sure, case.updated_at)


def _cause(case: CaseView, record: RcaRecord | None) -> CauseScreen | None:
    if record is None or record.root_cause is None:
        if not case.actual_cause:
            return None
        told = case.actual_cause
        return CauseScreen(f"cause_{case.case_id}", told, "unknown", "unknown", "confirmed", cause_overclaim=False)
    found = record.root_cause
    worst = "high" if any(one.severity == "error" for one in record.findings) else "medium"
    named = f"cause_{case.case_id}"
    return CauseScreen(named, found.statement, str(found.category), worst, assurance(record), cause_overclaim=False)


def _solution(case: CaseView, record: RcaRecord | None) -> SolutionScreen | None:
    """What a resolved case was advised; that it was done is the word of whoever resolved it."""
    if case.status != CaseStatus.RESOLVED or record is None or record.root_cause is None or not record.actions:
        return None
    by = case.history[-1].by if case.history else ""
    return SolutionScreen(record.actions[0].text, case.closed_at, by)


def _verification(case: CaseView) -> VerificationScreen:
    if case.judgement == "confirmed":
        return VerificationScreen(
            verified=True, verification_method="person", details="A person found the cause right."
        )
    if case.status == CaseStatus.RESOLVED:
        told = "A person resolved the case; nobody confirmed the cause."
        return VerificationScreen(verified=False, verification_method="person", details=told)
    return VerificationScreen(verified=False, verification_method="none", details="Nobody confirmed a cause.")


def _summary(case: CaseView, record: RcaRecord | None, evidence: tuple[EvidenceView, ...]) -> ResolutionScreen:
    ended = case.closed_at or case.updated_at
    minutes = max(0, int((ended - case.created_at).total_seconds() // 60))
    insights = [one.statement for one in record.findings[:3]] if record else []
    tested = len(record.hypotheses) if record else 0
    return ResolutionScreen(minutes, milestones(record), tested, len(evidence), tuple(insights))


def _reports(case: CaseView, record: RcaRecord | None) -> tuple[ReportScreen, ...]:
    kind = "resolution_summary" if case.status == CaseStatus.RESOLVED else "closure_summary"
    if record is None:
        return (ReportScreen(kind, "skipped", "The case was ended before any evidence was read."),)
    return (ReportScreen(kind, "auto_generated"),)
