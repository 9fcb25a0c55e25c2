"""Reports of a case by type. Nothing of them is stored: each is made of the case and its last record when it is read."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from faultmaven_core import codec
from faultmaven_core.cases.commands import CaseView, ShowCase
from faultmaven_core.cases.model import TERMINAL, CaseStatus
from faultmaven_core.investigation import report_commands as r
from faultmaven_core.investigation.commands import ReadGuidance, RenderReport
from faultmaven_core.investigation.ports import CaseBook, EvidenceReader
from faultmaven_core.investigation.screen import Screens
from faultmaven_core.investigation.screen_views import ReadScreen
from faultmaven_core.investigation.service import InvestigationService
from faultmaven_core.investigation.summaries import summary
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.errors import InvalidInputError, NotFoundError, PreconditionFailedError

INCIDENT, RESOLUTION, CLOSURE = TYPES = ("incident_report", "resolution_summary", "closure_summary")
_NAMES = {INCIDENT: "Incident report", RESOLUTION: "Resolution summary", CLOSURE: "Closure summary"}
_FORMATS = {INCIDENT: ("md", "html", "json"), RESOLUTION: ("md", "json"), CLOSURE: ("md", "json")}
_NEEDS = {
    INCIDENT: "An incident report needs evidence that was investigated.",
    RESOLUTION: "A resolution summary is of a case that is resolved.",
    CLOSURE: "A closure summary is of a case that is closed.",
}


class CaseReporting:
    """Lists, writes and reads the reports of a case."""

    def __init__(self, cases: CaseBook, evidence: EvidenceReader, investigation: InvestigationService) -> None:
        self._cases, self._investigation = cases, investigation
        self._screens = Screens(cases, evidence)

    async def list(self, command: r.ListReports, caller: Caller) -> r.CaseReports:
        """The reports that there are. Raises NotFoundError without the case."""
        return r.CaseReports(_reports(await self._cases.show(ShowCase(command.case_id), caller)))

    async def write(self, command: r.WriteReports, caller: Caller) -> r.CaseReports:
        """Write reports now.

        Raises InvalidInputError on a type that is none, PreconditionFailedError where the case has nothing for it yet.
        """
        unknown = [name for name in command.report_types if name not in TYPES]
        if unknown or not command.report_types:
            raise InvalidInputError(
                f"There are reports of the types {', '.join(TYPES)}.", fields={"report_types": "unknown type"}
            )
        case = await self._cases.show(ShowCase(command.case_id), caller)
        there = {one.report_type: one for one in _reports(case)}
        for name in command.report_types:
            if name not in there:
                raise PreconditionFailedError(f"{_NEEDS[name]} {case.case_id} is {case.status}.")
        wanted = dict.fromkeys(command.report_types)
        texts = {name: await self._text(case, name, "md", caller) for name in wanted}
        return r.CaseReports(tuple(replace(there[name], content=texts[name]) for name in wanted))

    async def read(self, command: r.ReadCaseReport, caller: Caller) -> r.ReportText:
        """One report. Raises NotFoundError, InvalidInputError on a form that it does not have."""
        case = await self._cases.show(ShowCase(command.case_id), caller)
        found = next((one for one in _reports(case) if one.report_id == command.report_id), None)
        if found is None:
            raise NotFoundError(
                f"{case.case_id} has no report {command.report_id[:40]}; a newer one may have taken its place."
            )
        if command.form not in found.formats:
            raise InvalidInputError(
                f"This report can be read as {', '.join(found.formats)}.", fields={"format": "not offered"}
            )
        return r.ReportText(found, command.form, await self._text(case, found.report_type, command.form, caller))

    async def recommend(self, command: r.RecommendReports, caller: Caller) -> r.ReportAdvice:
        """What is worth writing down. Raises NotFoundError without the case."""
        case = await self._cases.show(ShowCase(command.case_id), caller)
        return r.ReportAdvice(
            case.case_id, tuple(one.report_type for one in _reports(case)), await self._runbook(case, caller)
        )

    async def _runbook(self, case: CaseView, caller: Caller) -> r.RunbookAdvice:
        if not case.records:
            return r.RunbookAdvice("none", "Nothing was investigated that a runbook could be about.")
        known = await self._investigation.guidance(ReadGuidance(case.case_id), caller)
        if known.runbooks:
            return r.RunbookAdvice("review_existing", "There is a document on this already.", known.runbooks)
        if known.documents is None:
            return r.RunbookAdvice("none", known.notes[0] if known.notes else "The knowledge could not be searched.")
        if not case.figures.solutions:
            return r.RunbookAdvice("none", "No cause is known that a runbook could be about.")
        return r.RunbookAdvice("generate", "No document is about this cause.")

    async def _text(self, case: CaseView, name: str, form: str, caller: Caller) -> str:
        if name == INCIDENT:
            return (await self._investigation.render(RenderReport(case.case_id, form), caller)).text
        screen = await self._screens.read(ReadScreen(case.case_id), caller)
        return summary(screen) if form == "md" else codec.encode(screen).decode()


def _reports(case: CaseView) -> tuple[r.ReportView, ...]:
    """What can be had of a case as it is."""
    ended = RESOLUTION if case.status == CaseStatus.RESOLVED else CLOSURE
    names = [INCIDENT] * bool(case.records) + [ended] * (case.status in TERMINAL)
    return tuple(_view(case, name) for name in names)


def _view(case: CaseView, name: str) -> r.ReportView:
    version = max(case.records, 1)
    whole = hashlib.sha256(f"{case.case_id} {name} {version}".encode()).hexdigest()
    return r.ReportView(
        f"rep_{whole[:12]}",
        case.case_id,
        name,
        f"{_NAMES[name]}: {case.title}",
        "completed",
        "markdown",
        _FORMATS[name],
        version,
        is_current=True,
        generated_at=case.closed_at or case.updated_at,
    )
