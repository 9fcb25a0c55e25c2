"""The operations of investigations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.cases.commands import ReadReport
from faultmaven_core.investigation import report_commands as r
from faultmaven_core.investigation.commands import (
    Guidance,
    Investigate,
    Investigated,
    ReadGuidance,
    RenderedReport,
    RenderReport,
)
from faultmaven_core.investigation.reports import CaseReporting
from faultmaven_core.investigation.screen_views import CaseScreen, ReadScreen
from faultmaven_core.investigation.service import InvestigationService
from faultmaven_core.investigation.starting import Starting
from faultmaven_core.investigation.turn_commands import FinishTurn, TakeTurn, TurnPlace, TurnView
from faultmaven_core.investigation.turns import TurnService
from faultmaven_core.jobs.commands import JobView
from faultmaven_core.ports.extraction_runner import Extracted, Progress
from faultmaven_core.shared.caller import Caller
from faultmaven_core.shared.operation import Operation, Watch

Service = InvestigationService


async def _watched(service: Service, command: Investigate, caller: Caller, watch: Watch) -> Investigated:
    """The same, telling in files how far the reading is, and the conversation what was found."""
    done = await service.investigate(command, caller, _told(watch))
    await service.announce(done, caller)
    return done


def _told(watch: Watch) -> Callable[[Progress | Extracted], None]:
    def told(event: Progress | Extracted) -> None:
        if isinstance(event, Progress):
            watch(event.files_done, event.files_total, event.finding or f"{event.stage} {event.name}")

    return told


OPERATIONS: tuple[Operation[InvestigationService, Any, Any], ...] = (
    Operation(
        "investigation.run",
        Investigate,
        Investigated,
        Service.investigate,
        "Find the root cause",
        watched=_watched,
        permission="investigation:run",
    ),
    Operation(
        "investigation.render", RenderReport, RenderedReport, Service.render, "Write a report", permission="report:read"
    ),
    Operation(
        "investigation.report", ReadReport, RcaRecord, Service.report, "Read a case's record", permission="report:read"
    ),
    Operation(
        "investigation.guidance",
        ReadGuidance,
        Guidance,
        Service.guidance,
        "Read what is known about it already",
        permission="report:read",
    ),
)


async def _finished(service: TurnService, command: FinishTurn, caller: Caller, watch: Watch) -> TurnPlace:
    return await service.finish(command, caller, _told(watch))


TURNS: tuple[Operation[TurnService, Any, Any], ...] = (
    Operation("turn.take", TakeTurn, TurnView, TurnService.take, "Ask about a case", permission="case:write"),
    Operation(
        "turn.finish",
        FinishTurn,
        TurnPlace,
        TurnService.finish,
        "Answer a turn that nobody waits for any more",
        background=True,
        watched=_finished,
    ),
    Operation(
        "turn.screen", ReadScreen, CaseScreen, TurnService.screen, "Show a case at a glance", permission="case:read"
    ),
)

REPORTS: tuple[Operation[CaseReporting, Any, Any], ...] = (
    Operation(
        "report.list",
        r.ListReports,
        r.CaseReports,
        CaseReporting.list,
        "List a case's reports",
        permission="report:read",
    ),
    Operation(
        "report.write",
        r.WriteReports,
        r.CaseReports,
        CaseReporting.write,
        "Write reports by type",
        permission="report:read",
    ),
    Operation(
        "report.read", r.ReadCaseReport, r.ReportText, CaseReporting.read, "Read a report", permission="report:read"
    ),
    Operation(
        "report.recommend",
        r.RecommendReports,
        r.ReportAdvice,
        CaseReporting.recommend,
        "Say what is worth writing down",
        permission="report:read",
    ),
)

STARTS: tuple[Operation[Starting, Any, Any], ...] = (
    Operation(
        "investigation.start",
        Investigate,
        JobView,
        Starting.start,
        "Have a case investigated in the background",
        permission="investigation:run",
    ),
)
