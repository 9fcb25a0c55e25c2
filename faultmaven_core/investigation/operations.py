"""The operations of investigations."""

from __future__ import annotations

from typing import Any

from faultmaven_core.analysis.record import RcaRecord
from faultmaven_core.cases.commands import ReadReport
from faultmaven_core.investigation.commands import Investigate, Investigated, RenderedReport, RenderReport
from faultmaven_core.investigation.service import InvestigationService
from faultmaven_core.shared.operation import Operation

Service = InvestigationService

OPERATIONS: tuple[Operation[InvestigationService, Any, Any], ...] = (
    Operation("investigation.run", Investigate, Investigated, Service.investigate, "Find the root cause"),
    Operation("investigation.render", RenderReport, RenderedReport, Service.render, "Write a report"),
    Operation("investigation.report", ReadReport, RcaRecord, Service.report, "Read a case's record"),
)
