"""The reports of a case: which there are, what they say, and which are worth having."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from faultmaven_core.investigation.commands import KnowledgeCitation


@dataclass(frozen=True, slots=True)
class ListReports:
    """The reports that a case has by now."""

    case_id: str


@dataclass(frozen=True, slots=True)
class WriteReports:
    """Write reports: incident_report | resolution_summary | closure_summary."""

    case_id: str
    report_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadCaseReport:
    """One report. form: md | html | json; secrets are masked."""

    case_id: str
    report_id: str
    form: str = "md"


@dataclass(frozen=True, slots=True)
class RecommendReports:
    """What is worth writing down about a case."""

    case_id: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report. It is made of the case whenever it is read; of a newer record it has a new id and `version`.

    `formats` are those that it can be read in; `content` is its Markdown where it was just written.
    """

    report_id: str
    case_id: str
    report_type: str
    title: str
    status: str
    format: str
    formats: tuple[str, ...]
    version: int
    is_current: bool
    generated_at: datetime
    content: str = ""


@dataclass(frozen=True, slots=True)
class CaseReports:
    """The reports of a case."""

    reports: tuple[ReportView, ...]


@dataclass(frozen=True, slots=True)
class ReportText:
    """A report as text."""

    report: ReportView
    form: str
    text: str


@dataclass(frozen=True, slots=True)
class RunbookAdvice:
    """Whether a runbook is worth writing: action is review_existing, with what there is, or generate, or none."""

    action: str
    reason: str
    existing: tuple[KnowledgeCitation, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportAdvice:
    """The types of reports that can be had now, and what is advised about a runbook."""

    case_id: str
    available_for_generation: tuple[str, ...]
    runbook_recommendation: RunbookAdvice
