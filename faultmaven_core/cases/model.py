"""The case: one aggregate with a version. It is never changed in place; each transition is one function."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from faultmaven_core.analysis.model import Verdict
from faultmaven_core.analysis.record import EntityView, RcaRecord, RuledOut
from faultmaven_core.cases.dialogue import Dialogue
from faultmaven_core.cases.milestones import Figures, figures
from faultmaven_core.shared.errors import PreconditionFailedError
from faultmaven_core.shared.ids import CaseId, OrganizationId, UserId
from faultmaven_core.shared.text import searchable, storable


class CaseStatus(StrEnum):
    """inquiry -> investigating -> resolved | closed; inquiry -> closed. The last two are terminal."""

    INQUIRY = "inquiry"
    INVESTIGATING = "investigating"
    RESOLVED = "resolved"
    CLOSED = "closed"


class ClosureReason(StrEnum):
    """Why a case ended; RESOLVED makes its status resolved, all others closed."""

    RESOLVED = "resolved"
    SOLUTION_DEFERRED = "solution_deferred"
    MITIGATION_SUFFICIENT = "mitigation_sufficient"
    INSUFFICIENT_EVIDENCE = "closed_insufficient_evidence"
    RCA_INFEASIBLE = "closed_rca_infeasible"
    ABANDONED = "abandoned"
    ESCALATED = "escalated"
    INQUIRY_ONLY = "inquiry_only"
    DUPLICATE = "duplicate"
    OTHER = "other"


class Judgement(StrEnum):
    """What a person said of the cause; the only label that the product learns from."""

    NONE = ""
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class Priority(StrEnum):
    """How much it matters, as whoever opened the case sees it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


TERMINAL = (CaseStatus.RESOLVED, CaseStatus.CLOSED)

_WORD = re.compile(r"\w+")
_PLACEHOLDER = re.compile(r"Case-\d{6}-\d+")


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of status: when, by whom and why."""

    from_status: CaseStatus
    to_status: CaseStatus
    at: datetime
    by: UserId
    reason: str


@dataclass(frozen=True, slots=True)
class Case:
    """A problem under investigation.

    `records` counts the records stored so far; `verdict` and `cause` are the last one's (empty before). `mechanism`
    tells causes apart: a judgement holds for as long as later records name the same one. `source` is the client that it
    was opened with, `turns` and `messages` count the conversation. A case with `deleted_at` looks like none until it is
    restored or, after a while, removed; one with `archived_at` is only left out of lists. `teams` are those that it is
    shared with, by their ids; `figures` are the last record's.
    """

    key: UUID
    id: CaseId
    organization: OrganizationId
    owner: UserId
    title: str
    question: str
    created_at: datetime
    updated_at: datetime
    status: CaseStatus = CaseStatus.INQUIRY
    verdict: str = ""
    cause: str = ""
    mechanism: str = ""
    judgement: Judgement = Judgement.NONE
    actual_cause: str = ""
    closure_reason: str = ""
    closed_at: datetime | None = None
    history: tuple[Transition, ...] = ()
    records: int = 0
    description: str = ""
    priority: Priority = Priority.MEDIUM
    source: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    turns: int = 0
    messages: int = 0
    dialogue: Dialogue = field(default_factory=Dialogue)
    deleted_at: datetime | None = None
    archived_at: datetime | None = None
    teams: tuple[str, ...] = ()
    figures: Figures = field(default_factory=Figures)
    version: int = 1


def placeholder(opened: datetime, number: int) -> str:
    """The title of a case that says nothing of itself yet: the nth of its day."""
    return f"Case-{opened:%y%m%d}-{number}"


def is_placeholder(title: str) -> bool:
    """Whether a case still waits for a title of its own."""
    return _PLACEHOLDER.fullmatch(title) is not None


def begin(case: Case, question: str, at: datetime, by: UserId) -> Case:
    """Start or resume the investigation; a question given now replaces the one asked at opening."""
    require_open(case)
    asked = replace(case, question=question or case.question, updated_at=at)
    if asked.status is CaseStatus.INVESTIGATING:
        return asked
    return _moved(asked, CaseStatus.INVESTIGATING, at, by, "evidence is being analysed")


def conclude(case: Case, record: RcaRecord, at: datetime) -> Case:
    """Take a new record as the case's conclusion; a judgement of another cause falls away."""
    require_open(case)
    if case.status is not CaseStatus.INVESTIGATING:
        raise PreconditionFailedError(f"{case.id} is not under investigation.")
    cause = record.root_cause
    mechanism = mechanism_of(cause.mechanism_id, cause.entity) if cause else ""
    same = bool(mechanism) and mechanism == case.mechanism
    judgement = case.judgement if same else Judgement.NONE
    actual = case.actual_cause if same else ""
    return replace(
        case,
        verdict=str(judged(record, judgement, actual).verdict),
        cause=storable(cause.statement) if cause else "",
        mechanism=mechanism,
        judgement=judgement,
        actual_cause=actual,
        records=case.records + 1,
        figures=figures(record),
        updated_at=at,
    )


def mechanism_of(mechanism: str, entity: EntityView) -> str:
    """What tells a cause apart from others: what broke, and of what."""
    return storable(f"{mechanism} {entity.kind} {entity.namespace}/{entity.name}")


def confirm(case: Case, at: datetime) -> Case:
    """A person says that the cause is right."""
    _judged(case)
    verdict = str(Verdict.CONFIRMED)
    return replace(case, verdict=verdict, judgement=Judgement.CONFIRMED, actual_cause=case.cause, updated_at=at)


def reject(case: Case, actual_cause: str, at: datetime) -> Case:
    """A person says that the cause is wrong, and perhaps what it really was; nothing of it stays asserted."""
    _judged(case)
    verdict = str(Verdict.INSUFFICIENT_EVIDENCE)
    return replace(case, verdict=verdict, judgement=Judgement.REJECTED, actual_cause=actual_cause, updated_at=at)


def close(case: Case, reason: ClosureReason, note: str, at: datetime, by: UserId) -> Case:
    """End the case; what is resolved must have been investigated."""
    require_open(case)
    if reason is ClosureReason.RESOLVED and case.status is CaseStatus.INQUIRY:
        raise PreconditionFailedError(
            f"{case.id} was never investigated, so it cannot be resolved; close it for another reason."
        )
    end = CaseStatus.RESOLVED if reason is ClosureReason.RESOLVED else CaseStatus.CLOSED
    moved = _moved(case, end, at, by, note or str(reason))
    return replace(moved, closure_reason=str(reason), closed_at=at)


def judged(record: RcaRecord, judgement: Judgement, actual_cause: str) -> RcaRecord:
    """The record as a person's judgement leaves it: confirmed, or its cause ruled out."""
    cause = record.root_cause
    if judgement is Judgement.NONE or cause is None:
        return record
    if judgement is Judgement.CONFIRMED:
        return replace(record, verdict=Verdict.CONFIRMED)
    because = "rejected by a person" + (f": it was {actual_cause}" if actual_cause else "")
    leading = next((h for h in record.hypotheses if h.status == "leading"), None)
    claims = leading.claims if leading else ()
    return replace(
        record,
        verdict=Verdict.INSUFFICIENT_EVIDENCE,
        root_cause=None,
        hypotheses=tuple(replace(h, status="ruled_out") if h is leading else h for h in record.hypotheses),
        ruled_out=(RuledOut(cause.entity, cause.mechanism_id, cause.statement, because, claims), *record.ruled_out),
        actions=tuple(action for action in record.actions if action.mechanism != cause.mechanism_id),
    )


def _moved(case: Case, to: CaseStatus, at: datetime, by: UserId, reason: str) -> Case:
    step = Transition(case.status, to, at, by, reason)
    return replace(case, status=to, history=(*case.history, step), updated_at=at)


def require_open(case: Case) -> None:
    """Raises PreconditionFailedError on an ended case."""
    if case.status in TERMINAL:
        raise PreconditionFailedError(f"{case.id} is {case.status} and cannot be changed any more; open a new case.")


def _judged(case: Case) -> None:
    require_open(case)
    if not case.cause:
        raise PreconditionFailedError(f"{case.id} has no root cause to judge; investigate it first.")


class Judged(Protocol):
    """A cause and what a person said of it: a case, or a view of one."""

    @property
    @abstractmethod
    def cause(self) -> str:
        """The last record's."""

    @property
    @abstractmethod
    def judgement(self) -> str:
        """See Judgement."""


def asserted_cause(case: Judged) -> str:
    """The cause as far as it holds: empty where a person found it wrong."""
    return "" if case.judgement == Judgement.REJECTED else case.cause


def search_text(case: Case) -> str:
    """What searches compare: each word once, between spaces, so that ` word` finds beginnings of words."""
    return " " + " ".join(words(f"{case.title} {case.question} {case.cause}"))


def words(text: str) -> tuple[str, ...]:
    """The words of a text as searches compare them; quotes, operators and punctuation mean nothing."""
    return tuple(dict.fromkeys(_WORD.findall(searchable(text))))
